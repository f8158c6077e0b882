// SPDX-License-Identifier: Apache-2.0
// Start-up of the program: `kho dump` of a 4 KiB blob against bare Node, runs of both in turn.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FdtWriter } from '../dist/fdt/index.js';
import { buildFolder, commandTime, Report } from './measure.mjs';

const report = new Report('cli');
const writer = new FdtWriter();
const value = new Uint8Array(8).fill(17);
writer.finishReservations();
writer.beginNode('');
for (let index = 0; index < 55; index++) {
  writer.beginNode(`n${index}`);
  for (const name of ['iova-start', 'iova-len', 'iommu-prot']) writer.property(name, value);
  writer.endNode();
}
writer.endNode();
const blob = join(buildFolder, '4k.dtb');
writeFileSync(blob, writer.finish());

const program = join(import.meta.dirname, '..', 'dist', 'cli', 'kho.js');
let ours = Infinity;
let theirs = Infinity;
for (let run = 0; run < 60; run++) {
  theirs = Math.min(theirs, commandTime(1, process.execPath, '-e', '0'));
  ours = Math.min(ours, commandTime(1, process.execPath, program, 'dump', blob));
}
report.heading('node -e 0 (whole processes)');
report.add({ what: 'kho dump of a 4 KiB blob', ours, theirs, target: 1.5 });
report.save();
