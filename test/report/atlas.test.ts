// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { it } from 'vitest';
import { analyse } from '../../src/report/analysis.js';
import { Atlas } from '../../src/report/atlas.js';
import { openSide } from '../../src/report/open-side.js';
import { plainText } from '../../src/report/text-run.js';
it('prints', () => {
  for (const [file, areas] of [['kernel-7.3.4/kho-luo.trimmed.elf'], ['rfc-2024/several.dtb'], ['kernel-7.3.4/memblock-fdt.dtb'],['kernel-7.3.4/vtd-legacy.trimmed.elf','kernel-7.3.4/vtd-legacy.areas.json']]) {
  const t=performance.now();
  const side = openSide({ title: 'x', files: [{ name: file!, bytes: new Uint8Array(readFileSync('fixtures/'+file)) }], areas: areas && JSON.parse(readFileSync('fixtures/'+areas,'utf8')) });
  const a = analyse(side);
  console.log(file, performance.now()-t, a.verdict, a.findings.length, a.spaces.map((s) => [s.title, s.extentCount, s.areas?.count]), a.digest?.sessions.length);
  structuredClone(a);
  const atlas = new Atlas(side);
  const show = (rows: any, depth: number, most: number) => { for (const r of rows.slice(0, 12)) { console.log(' '.repeat(depth*2)+r.label+'  '+plainText(r.value()).slice(0,100)+ (r.isBranch?' ▸':'')); if (depth<most && r.isBranch) show(r.children(), depth+1, most); } };
  show(atlas.top, 0, 5);
  const o = atlas.objects[4]; if (o) console.log(o.path, atlas.pathTo(o, 20).map((r) => r.label).join(' > '));
  const f = atlas.fieldsOf(atlas.objects[0]!); console.log(f.between(0, 120).map((x) => `${x.offset} ${x.length} ${x.path} ${plainText(x.value())}`).join('\n'));
  }
});
