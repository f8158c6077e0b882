// SPDX-License-Identifier: Apache-2.0
// What a kernel that reads one layout makes of bytes written in another one under the same version string.
import { canonicalText } from '../schemas/lang/fingerprint.js';
import { requiredType } from '../schemas/lang/read-node.js';
import type { Layout, NodeType } from '../schemas/lang/type.js';

/**
 * `fits`: all that the reader looks for is there and means the same; `missing`: something that it must have is not
 * written, so that it refuses the blob; `misread`: it takes bytes for what they are not, and nothing tells it.
 */
export interface LayoutFit {
  readonly kind: 'fits' | 'missing' | 'misread';
  /** Path of the member that decides; '/' for the whole. */
  readonly path: string;
  /** Members that are written and that the reader passes over. */
  readonly passedOver: readonly string[];
}

/**
 * Compares what a kernel reads with what was written. Kernels look FDT members up by name: what they do not know is
 * passed over, and what they need and is not there they notice. Bytes that lie elsewhere in a struct they do not.
 */
export function layoutFit(reader: Layout, written: Layout): LayoutFit {
  if (reader.kind !== 'node' || written.kind !== 'node') {
    const same = canonicalText(reader) === canonicalText(written);
    return { kind: same ? 'fits' : 'misread', path: '/', passedOver: [] };
  }
  return nodeFit(reader, written, '/');
}

function nodeFit(reader: NodeType, written: NodeType, path: string): LayoutFit {
  const below = path.endsWith('/') ? path : `${path}/`;
  const passedOver = [
    ...unknownNames(reader.properties, written.properties),
    ...unknownNames(reader.children, written.children),
    ...(written.each !== undefined && reader.each === undefined ? [`<${written.each.key}>`] : []),
  ].map((name) => below + name);

  // What stops the reader stops it before it misreads anything.
  for (const [name, member] of Object.entries({ ...reader.properties, ...reader.children })) {
    const isWritten = Object.hasOwn(written.properties, name) || Object.hasOwn(written.children, name);
    if (member.kind !== 'optional' && !isWritten) return { kind: 'missing', path: below + name, passedOver };
  }
  let misread: LayoutFit | undefined;
  for (const [name, member] of Object.entries(reader.properties)) {
    const other = written.properties[name];
    if (other === undefined || canonicalText(requiredType(member)) === canonicalText(requiredType(other)))
      continue;
    misread ??= { kind: 'misread', path: below + name, passedOver };
  }
  const parts: LayoutFit[] = [];
  for (const [name, member] of Object.entries(reader.children)) {
    const other = written.children[name];
    if (other !== undefined) parts.push(nodeFit(requiredType(member), requiredType(other), below + name));
  }
  if (reader.each !== undefined && written.each !== undefined)
    parts.push(nodeFit(reader.each.node, written.each.node, `${below}<${written.each.key}>`));
  const all = [...passedOver, ...parts.flatMap((part) => part.passedOver)];
  const worst =
    parts.find(({ kind }) => kind === 'missing') ?? misread ?? parts.find(({ kind }) => kind !== 'fits');
  return worst === undefined ? { kind: 'fits', path, passedOver: all } : { ...worst, passedOver: all };
}

function unknownNames(
  reader: Readonly<Record<string, unknown>>,
  written: Readonly<Record<string, unknown>>,
): string[] {
  return Object.keys(written).filter((name) => !Object.hasOwn(reader, name));
}
