// SPDX-License-Identifier: Apache-2.0
// kho vtd walk: extents are written as they are found, in any format.
import { formatHex } from '../bytes/hex.js';
import { escapeText } from '../bytes/printable.js';
import type { OpenImageOptions } from '../image/index.js';
import { JSON_SCHEMA_VERSION, writeJsonArray } from '../render/json-text.js';
import { type Paint, plainPaint } from '../render/paint.js';
import { count, formatSize } from '../render/size.js';
import type { TextSink } from '../render/text-sink.js';
import { writeJsonValue } from '../render/value-json.js';
import { ColumnsWriter } from '../render/vtd-columns.js';
import { frameAddresses } from '../render/vtd-domains-text.js';
import {
  csvExtents,
  type ExtentWriter,
  jsonExtents,
  jsonLinesExtents,
  tableExtents,
} from '../render/vtd-extents.js';
import {
  findingTotal,
  jsonMappingFinding,
  jsonWalkFinding,
  mappingIssue,
  tablePagesText,
  walkIssue,
  writeFindings,
} from '../render/vtd-findings.js';
import { deviceFaultText, writeDevicePath } from '../render/vtd-path-text.js';
import { MappingSummary } from '../render/vtd-summary.js';
import {
  MappingCheck,
  type MappingFinding,
  type WalkOptions,
  type WalkResult,
  walkTable,
} from '../vtd/index.js';
import type { Io } from './command.js';
import { EXIT } from './exit-code.js';
import { UsageError } from './failure.js';
import { streamFile } from './output-file.js';
import { startProgress } from './progress.js';
import { outputWidth } from './terminal.js';
import { targetDocument, targetTitle, type VtdTarget } from './vtd-options.js';
import { walkInThreads } from './walk-threads.js';

/** What extents can be written as. */
export const WALK_FORMATS = ['table', 'json', 'jsonl', 'csv', 'columns'] as const;

/** How a walk is shown. */
export interface WalkRequest {
  /** The image, for messages. */
  readonly file: string;
  readonly format: (typeof WALK_FORMATS)[number];
  /** A picture instead of extents. */
  readonly summary: boolean;
  readonly out: string | undefined;
  readonly only: { readonly first: bigint; readonly last: bigint } | undefined;
  readonly threads: number;
  /** How the image was opened. */
  readonly image: OpenImageOptions;
}

/** Where the text and bytes of a walk go. */
type Sink = Pick<Io['stdout'], 'write' | 'writeBytes'>;

/** Walks a table and writes what it maps. @returns the exit code */
export function runWalk(target: VtdTarget, request: WalkRequest, io: Io): number {
  const { format, summary, out } = request;
  if (summary && format !== 'table') throw new UsageError('--summary is for people: it has no --format');
  if (format === 'columns' && out === undefined && io.isTerminal) {
    throw new UsageError('columns are bytes: give -o FILE, or redirect them');
  }
  const { device } = target;
  const fault = device?.fault;
  if (device !== undefined && fault !== undefined) {
    io.stderr.write(`kho: ${escapeText(`${request.file}: ${target.name}: ${deviceFaultText(fault)}`)}\n`);
    if (device.tables === undefined) {
      writeDevicePath(io.stderr.write, device, plainPaint);
      return EXIT.findings;
    }
  }
  const walked =
    out === undefined
      ? writeWalk(target, request, io.stdout, io.paint, io)
      : streamFile(out, (file) => writeWalk(target, request, file, plainPaint, io));
  return walked || fault !== undefined ? EXIT.findings : EXIT.ok;
}

/** @returns whether there were findings */
function writeWalk(target: VtdTarget, request: WalkRequest, sink: Sink, paint: Paint, io: Io): boolean {
  const { format, summary, file } = request;
  const picture = summary ? new MappingSummary() : undefined;
  const columns = format === 'columns' ? new ColumnsWriter((bytes) => sink.writeBytes(bytes)) : undefined;
  if (format === 'table') sink.write(`${paint('title', targetTitle(target))}\n`);
  if (format === 'json') writeJsonHead(sink.write, target);
  const rows: ExtentWriter =
    picture !== undefined
      ? (each) => picture.add(each)
      : columns !== undefined
        ? (each) => columns.add(each)
        : textWriter(format, sink.write, paint);
  const check =
    target.capabilities === undefined || target.root === undefined
      ? undefined
      : new MappingCheck(target.root.stage, target.capabilities);
  const result = walk(target, request, (each) => {
    rows(each);
    check?.add(each);
  });
  const found = check?.findings ?? [];
  const total = (result === undefined ? 0 : findingTotal(result.findingCounts)) + found.length;
  columns?.end();
  if (picture !== undefined && result !== undefined)
    picture.write(sink.write, paint, outputWidth(process.env));
  if (format === 'json') writeJsonTail(sink.write, result, found);
  else if (result !== undefined) {
    const text = format === 'table';
    if (text) writeTail(sink.write, result, paint);
    if (total > 0 && !text) io.stderr.write(`kho: ${escapeText(file)}: ${count(total, 'finding')}\n`);
    const issues = [...result.findings.map(walkIssue), ...found.map(mappingIssue)];
    writeFindings(text ? sink.write : io.stderr.write, issues, total, text ? paint : plainPaint);
  }
  return total > 0;
}

function textWriter(format: WalkRequest['format'], out: TextSink, paint: Paint): ExtentWriter {
  if (format === 'json') return jsonExtents(out, '    ');
  if (format === 'jsonl') return jsonLinesExtents(out);
  return format === 'csv' ? csvExtents(out) : tableExtents(out, paint);
}

function walk(target: VtdTarget, request: WalkRequest, extents: ExtentWriter): WalkResult | undefined {
  const { image, memory, root, widthBits, hostBits } = target;
  const { file, only, threads } = request;
  if (root === undefined) return undefined;
  const progress = startProgress(`walking ${escapeText(file)}`);
  const options: WalkOptions = {
    widthBits,
    hostBits,
    only,
    extents,
    progress: (tables) => progress.note(tables, 'table pages'),
  };
  try {
    if (threads === 1 || memory !== image) return walkTable(memory, root, options);
    return walkInThreads({ file, options: request.image, memory }, root, options, threads);
  } finally {
    progress.end();
  }
}

function writeTail(out: TextSink, result: WalkResult, paint: Paint): void {
  const { extentCount, mappedFrames } = result;
  const mapped = formatSize(BigInt(mappedFrames) << 12n);
  out(`  ${paint('note', `${count(extentCount, 'extent')}, ${mapped}; ${tablePagesText(result)}`)}\n`);
}

function writeJsonHead(out: TextSink, target: VtdTarget): void {
  out(`{\n  "schemaVersion": ${JSON_SCHEMA_VERSION},\n  "kind": "vtd-walk",\n  "domain": `);
  writeJsonValue(out, targetDocument(target), '  ');
  out(',\n  "extents": [');
}

function writeJsonTail(
  out: TextSink,
  result: WalkResult | undefined,
  mappings: readonly MappingFinding[],
): void {
  out(`${(result?.extentCount ?? 0) > 0 ? '\n  ' : ''}],\n  "pages": `);
  const levels = (result?.tablePages ?? []).map((frames, index) => ({ level: index + 1, frames }));
  writeJsonArray(out, levels.toReversed(), '  ', ({ level, frames }) => {
    out(`{"level": ${level}, "pages": `);
    writeJsonArray(out, frameAddresses(frames), '    ', (address) => out(`"${formatHex(address)}"`));
    out('}');
  });
  out(',\n  "findings": ');
  const findings = [...(result?.findings ?? []).map(jsonWalkFinding), ...mappings.map(jsonMappingFinding)];
  writeJsonArray(out, findings, '  ', out);
  out('\n}\n');
}
