// SPDX-License-Identifier: Apache-2.0
// FDT floor against libfdt, dtc and fdtdump. Inputs are made here; run `npm run build` first (npm run bench does).
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  checkFdt,
  dtsChunks,
  encodeFdt,
  FDT_BEGIN_NODE,
  FDT_END,
  FDT_PROP,
  FdtWriter,
  openFdt,
  parseDts,
  printDts,
  readTree,
  reencodeFdt,
  visitFdt,
} from '../dist/fdt/index.js';
import { buildFolder, commandTime, compile, fastest, Report, runBaseline } from './measure.mjs';

const report = new Report('fdt');
const baseline = compile('fdt', '-lfdt');
const value = new Uint8Array([0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11]);

/** The tree of bench/c/fdt.c: `groups` nodes of `children` nodes of three 8-byte properties. */
function writeTree(groups, children, names, options) {
  const writer = new FdtWriter(options);
  writer.finishReservations();
  writer.beginNode('');
  for (let group = 0; group < groups; group++) {
    writer.beginNode(names[group]);
    for (let child = 0; child < children; child++) {
      writer.beginNode(names[child]);
      writer.property('iova-start', value);
      writer.property('iova-len', value);
      writer.property('iommu-prot', value);
      writer.endNode();
    }
    writer.endNode();
  }
  writer.endNode();
  return writer.finish();
}

/** Adds up what C adds up: every node name's length, every property's length, first byte and name. */
class Sum {
  sum = 0;

  constructor(fdt) {
    this.fdt = fdt;
    this.bytes = fdt.bytes;
  }

  beginNode(nameStart, nameEnd) {
    this.sum += nameEnd - nameStart;
  }

  property(nameoff, valueStart, valueLength) {
    const name = this.fdt.propertyName(nameoff);
    this.sum += valueLength + (valueLength > 0 ? this.bytes[valueStart] : 0) + (name.length > 0 ? 1 : 0);
  }

  endNode() {}
}

function visit(blob) {
  const sum = new Sum(openFdt(blob));
  visitFdt(sum.fdt, sum);
  return sum.sum;
}

function traverse(blob) {
  const cursor = openFdt(blob).cursor();
  let sum = 0;
  for (let tag = cursor.next(); tag !== FDT_END; tag = cursor.next()) {
    if (tag === FDT_BEGIN_NODE) {
      sum += cursor.nameEnd - cursor.nameStart;
    } else if (tag === FDT_PROP) {
      const { valueLength } = cursor;
      sum +=
        valueLength +
        (valueLength > 0 ? blob[cursor.valueStart] : 0) +
        (cursor.propertyName().length > 0 ? 1 : 0);
    }
  }
  return sum;
}

function writeNames(count) {
  const writer = new FdtWriter();
  writer.finishReservations();
  writer.beginNode('');
  for (let index = 0; index < count; index++) writer.property(`property-${index}`, value);
  writer.endNode();
  return writer.finish();
}

const length = (chunks) => {
  let bytes = 0;
  for (const chunk of chunks) bytes += chunk.length;
  return bytes;
};

const save = (name, bytes) => {
  const path = join(buildFolder, name);
  writeFileSync(path, bytes);
  return path;
};

const names = Array.from({ length: 4096 }, (_, index) => String(index));
const shapes = [
  { title: '200,000 nodes', groups: 200, runs: 40 },
  { title: '400,000 nodes', groups: 400, runs: 30 },
  { title: '800,000 nodes', groups: 800, runs: 20 },
  { title: '2,000,000 nodes', groups: 2000, runs: 15 },
];

report.heading('libfdt');
for (const { title, groups, runs } of shapes) {
  // As in C: a buffer of the right size, used again by each run.
  const buffer = new Uint8Array(groups * 1000 * 80 + groups * 32 + 4096);
  const write = fastest(runs, () => writeTree(groups, 1000, names, { buffer }));
  const blob = write.result;
  const path = save(`${groups}.dtb`, blob);
  const size = `${title}, ${(blob.length / 1e6).toFixed(0)} MB`;
  const walk = fastest(runs, () => visit(blob));
  const cursor = fastest(runs, () => traverse(blob));
  const theirWalk = baseline && runBaseline(baseline, 'traverse', path, runs);
  const theirWrite = baseline && runBaseline(baseline, 'write', groups, 1000, runs);
  for (const { result } of [walk, cursor]) {
    if (theirWalk && theirWalk.sum !== result)
      throw new Error(`checksums differ: ${theirWalk.sum}, ${result}`);
  }
  if (theirWrite && theirWrite.sum !== blob.length) throw new Error('sizes differ');
  report.add({
    what: `open (strict) and traverse, ${size}`,
    ours: walk.ms,
    theirs: theirWalk?.ms,
    target: 0.3,
  });
  report.add({ what: '  the same with a cursor', ours: cursor.ms, theirs: theirWalk?.ms });
  report.add({ what: `sequential write, ${size}`, ours: write.ms, theirs: theirWrite?.ms, target: 0.5 });
  const growing = fastest(runs, () => writeTree(groups, 1000, names));
  report.add({ what: '  the same into a buffer that grows', ours: growing.ms, theirs: theirWrite?.ms });
}

report.heading('libfdt, whose search for names is quadratic');
for (const count of [16_000, 32_000, 64_000]) {
  const ours = fastest(60, () => writeNames(count));
  const theirs = count === 16_000 && baseline ? runBaseline(baseline, 'names', count) : undefined;
  const what = `write ${count.toLocaleString('en')} distinct property names`;
  report.add({ what, ours: ours.ms, theirs: theirs?.ms, target: theirs && 1 / 500 });
}

report.heading('dtc -I dtb -O dtb (a whole process)');
for (const { title, groups } of [shapes[0], shapes[2]]) {
  const blob = writeTree(groups, 1000, names);
  const ours = fastest(3, () => encodeFdt(readTree(openFdt(blob))));
  const theirs = commandTime(1, 'dtc', '-q', '-I', 'dtb', '-O', 'dtb', join(buildFolder, `${groups}.dtb`));
  report.add({ what: `decode to a tree, encode as dtc does, ${title}`, ours: ours.ms, theirs });
}

report.heading('fdtdump (a whole process)');
{
  const blob = writeTree(133, 1000, names);
  const ours = fastest(5, () => length(dtsChunks(openFdt(blob))));
  const theirs = commandTime(3, 'fdtdump', save('10mb.dtb', blob));
  report.add({
    what: `DTS text of ${(blob.length / 1e6).toFixed(1)} MB`,
    ours: ours.ms,
    theirs,
    target: 1.3,
  });
}

report.heading('dtc -I dtb -O dts, which is superlinear in siblings');
{
  const flat = (children) =>
    writeTree(
      1,
      children,
      Array.from({ length: children }, (_, index) => String(index)),
    );
  const dtcTime = (children) =>
    commandTime(1, 'dtc', '-q', '-I', 'dtb', '-O', 'dts', save(`flat-${children}.dtb`, flat(children)));
  const [small, large] = [dtcTime(6_900), dtcTime(13_800)];
  const exponent = Math.log2(large / small);
  const blob = flat(138_000);
  const ours = fastest(5, () => length(dtsChunks(openFdt(blob))));
  const note = `dtc: ${small.toFixed(0)} ms at 6,900, ${large.toFixed(0)} ms at 13,800, extrapolated (n^${exponent.toFixed(2)})`;
  const theirs = large * 10 ** exponent;
  report.add({
    what: 'DTS text of a node with 138,000 children',
    ours: ours.ms,
    theirs,
    target: 1 / 500,
    note,
  });
}

report.heading('ourselves at 1x, 2x, 4x: everything is linear');
const scaled = [
  ['check (all errors and warnings)', (blob) => checkFdt(blob).accepted],
  ['re-encode', (blob) => reencodeFdt(openFdt(blob)).length],
  ['DTS text', (blob) => length(dtsChunks(openFdt(blob)))],
];
for (const [what, work] of scaled) {
  for (const { title, groups } of shapes.slice(0, 3)) {
    const blob = writeTree(groups, 1000, names);
    report.add({ what: `${what}, ${title}`, ours: fastest(3, () => work(blob)).ms });
  }
}
for (const { title, groups } of shapes.slice(0, 3)) {
  const text = printDts(openFdt(writeTree(groups, 1000, names)));
  report.add({ what: `parse DTS, ${title}`, ours: fastest(2, () => parseDts(text)).ms });
}
report.save();
