// SPDX-License-Identifier: Apache-2.0
// Schemas floor: 1,000,000 IOAS areas of one blob into columns, against a loop written by hand for them and against
// binary-parser. Run `npm run build` first (npm run bench does).
import { Parser } from 'binary-parser';
import { FdtWriter } from '../dist/fdt/index.js';
import {
  array,
  compileColumns,
  compileStructColumns,
  decode,
  khoRootV1Tree,
  memfdFolio,
} from '../dist/schemas/index.js';
import { fastest, Report } from './measure.mjs';

const report = new Report('schemas');
const AREAS = 1_000_000;

function writeBlob() {
  const writer = new FdtWriter();
  const text = (value) => new TextEncoder().encode(`${value}\0`);
  const open = (...names) => {
    for (const name of names) writer.beginNode(name);
  };
  const [start, length] = [new BigUint64Array(1), new BigUint64Array(1)];
  const prot = new Int32Array(1);
  writer.finishReservations();
  open('');
  writer.property('compatible', text('kho-v1'));
  open('iommufd');
  writer.property('compatible', text('iommufd-v0'));
  open('iommufds', '1', 'ioases', '1');
  for (let index = 0; index < AREAS; index++) {
    start[0] = BigInt(index) << 21n;
    length[0] = BigInt(4096 * (1 + (index % 512)));
    prot[0] = 5 + (index % 3);
    open(String(index));
    writer.property('iova-start', new Uint8Array(start.buffer));
    writer.property('iova-len', new Uint8Array(length.buffer));
    writer.property('iommu-prot', new Uint8Array(prot.buffer));
    writer.endNode();
  }
  for (let index = 0; index < 6; index++) writer.endNode();
  return writer.finish();
}

const blob = writeBlob();
const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
const structure = view.getUint32(8);
const structureEnd = structure + view.getUint32(36);
/** Where the first area begins: behind six nodes and two properties. */
const firstArea = (() => {
  const skipNode = (at, name) => at + 4 + ((name.length + 4) & ~3);
  let at = skipNode(structure, '') + 20;
  at = skipNode(at, 'iommufd') + 24;
  for (const name of ['iommufds', '1', 'ioases', '1']) at = skipNode(at, name);
  return at;
})();

/** What somebody would write for these nodes and no others: every token, length and name is looked at. */
function byHand() {
  const names = new Uint32Array(AREAS);
  const starts = new BigUint64Array(AREAS);
  const lengths = new BigUint64Array(AREAS);
  const prots = new Int32Array(AREAS);
  const [startHalves, lengthHalves] = [new Uint32Array(starts.buffer), new Uint32Array(lengths.buffer)];
  let [startName, lengthName, protName] = [-1, -1, -1];
  let row = 0;
  let at = firstArea;
  while (at + 4 <= structureEnd && view.getInt32(at) === 1) {
    at += 4;
    let name = 0;
    let byte = blob[at];
    while (byte !== 0) {
      if (byte < 48 || byte > 57) throw new Error('name');
      name = name * 10 + byte - 48;
      byte = blob[++at];
    }
    at = (at + 4) & ~3;
    if (row === 0) {
      startName = view.getInt32(at + 8);
      lengthName = view.getInt32(at + 28);
      protName = view.getInt32(at + 48);
    }
    if (view.getInt32(at) !== 3 || view.getInt32(at + 4) !== 8 || view.getInt32(at + 8) !== startName)
      throw new Error('start');
    startHalves[row * 2] = view.getUint32(at + 12, true);
    startHalves[row * 2 + 1] = view.getUint32(at + 16, true);
    at += 20;
    if (view.getInt32(at) !== 3 || view.getInt32(at + 4) !== 8 || view.getInt32(at + 8) !== lengthName)
      throw new Error('length');
    lengthHalves[row * 2] = view.getUint32(at + 12, true);
    lengthHalves[row * 2 + 1] = view.getUint32(at + 16, true);
    at += 20;
    if (view.getInt32(at) !== 3 || view.getInt32(at + 4) !== 4 || view.getInt32(at + 8) !== protName)
      throw new Error('prot');
    prots[row] = view.getInt32(at + 12, true);
    if (view.getInt32(at + 16) !== 2) throw new Error('end');
    at += 20;
    names[row++] = name;
  }
  return { names, starts, lengths, prots, count: row };
}

/** binary-parser for the same bytes of one area after another. */
const areaParser = new Parser()
  .uint32be('begin')
  .string('name', { zeroTerminated: true })
  .seek(function () {
    return (4 - ((this.name.length + 1) & 3)) & 3;
  })
  .seek(12)
  .uint64le('start')
  .seek(12)
  .uint64le('length')
  .seek(12)
  .int32le('prot')
  .uint32be('end');
const SOME = 100_000;
const areasParser = new Parser().array('areas', { type: areaParser, length: SOME });

const compiled = compileColumns(khoRootV1Tree, [
  'iommufd',
  'iommufds',
  'iommufds',
  'ioases',
  'ioases',
  'areas',
]);
// In turns, so that what else the machine does meets both.
let [ours, hand] = [{ ms: Number.POSITIVE_INFINITY }, { ms: Number.POSITIVE_INFINITY }];
for (let round = 0; round < 12; round++) {
  const [one, other] = [fastest(2, () => compiled(blob)), fastest(2, byHand)];
  if (one.ms < ours.ms) ours = one;
  if (other.ms < hand.ms) hand = other;
}
const same = (a, b) => a.length === b.length && a.every((value, index) => value === b[index]);
const { count, names, columns } = ours.result;
if (count !== AREAS || hand.result.count !== AREAS)
  throw new Error(`expected ${AREAS} areas, found ${count} and ${hand.result.count}`);
if (!same(names, hand.result.names) || !same(columns['iova-start'], hand.result.starts))
  throw new Error('columns differ');
if (!same(columns['iova-len'], hand.result.lengths) || !same(columns['iommu-prot'], hand.result.prots))
  throw new Error('columns differ');

report.heading('a loop written by hand');
const size = `${AREAS.toLocaleString('en')} areas, ${(blob.length / 1e6).toFixed(0)} MB, to columns`;
report.add({
  what: size,
  ours: ours.ms,
  theirs: hand.ms,
  target: 1.25,
  note: `${((ours.ms * 1e6) / AREAS).toFixed(1)} ns an area`,
});

report.heading('binary-parser');
const areas = blob.subarray(firstArea);
const parser = fastest(3, () => areasParser.parse(areas));
const perStruct = (parser.ms * 1e6) / SOME;
report.add({
  what: size,
  ours: ours.ms,
  theirs: (perStruct * AREAS) / 1e6,
  target: 0.1,
  note: `${perStruct.toFixed(0)} ns an area, of ${SOME.toLocaleString('en')}`,
});

report.heading('ourselves at 1x, 2x, 4x: structs');
const folios = array(memfdFolio, 'rest');
const folioColumns = compileStructColumns(memfdFolio);
for (const count of [100_000, 200_000, 400_000]) {
  const bytes = new Uint8Array(count * 16);
  const what = `${count.toLocaleString('en')} folios`;
  report.add({ what: `${what} to objects`, ours: fastest(3, () => decode(folios, bytes).length).ms });
  report.add({ what: `${what} to columns`, ours: fastest(5, () => folioColumns(bytes).count).ms });
}
report.save();
