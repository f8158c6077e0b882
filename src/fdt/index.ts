// SPDX-License-Identifier: Apache-2.0
/**
 * The flattened device tree (FDT, DTB): decoding without copying, and byte-exact encoding.
 *
 * @module fdt
 */

export { formatIssue, type Issue, KhoError } from '../bytes/issue.js';
export type { StructureBounds } from './bounds.js';
export { checkFdt, type FdtVerdict, type FdtWarningCode } from './check.js';
export { FDT_BAD, FdtCursor } from './cursor.js';
export { diffFdt, encodingDiffers, type FdtChange } from './diff.js';
export { DtsError, type DtsErrorCode, type DtsIssue } from './dts/error.js';
export { parseDts } from './dts/parse.js';
export { dtsChunks, printDts } from './dts/print.js';
export { FdtEditor } from './editor.js';
export { type EncodeFdtOptions, encodeFdt, type FdtVersion } from './encode.js';
export { FDT_ERRORS, FdtError, type FdtErrorCode, type FdtIssue } from './error.js';
export { Fdt, FdtNode, FdtProperty, type OpenFdtOptions, openFdt } from './fdt.js';
export { FDT_MAGIC, type FdtHeader } from './header.js';
export type { NodeColumns } from './node-columns.js';
export type { PropertyNames } from './property-names.js';
export { type ReencodeOptions, reencodeFdt } from './reencode.js';
export type { FdtReservation } from './reservation.js';
export { fdtSegments, type Segment, type SegmentKind } from './segments.js';
export { FDT_BEGIN_NODE, FDT_END, FDT_END_NODE, FDT_NOP, FDT_PROP } from './token.js';
export { type FdtTree, type FdtTreeNode, type FdtTreeProperty, readTree } from './tree.js';
export { type FdtVisitor, visitFdt } from './visit.js';
export { FdtWriter, type FdtWriterOptions } from './writer.js';
