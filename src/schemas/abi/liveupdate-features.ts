// SPDX-License-Identifier: Apache-2.0
// Feature flags in place of version strings, for LUO and memfd. Never merged: "[RFC PATCH 0/3] liveupdate: Move to
// feature flags for LUO and memfd ABI compatibility" (2026), linux-mm commit c30cc99c.
import { family, version } from '../lang/family.js';
import { chars, pointer, reserved, u32, u64 } from '../lang/scalar.js';
import { array, struct } from '../lang/struct.js';
import { vmallocOf } from './kho-vmalloc.js';
import { luoSessionBlock } from './luo.js';
import { luoFlbPage } from './luo-entries.js';
import { memfdFolio } from './memfd.js';
import { PAGE_SIZE } from './page.js';

const source = '[RFC PATCH 0/3] liveupdate: Move to feature flags for LUO and memfd ABI compatibility';
const header = (flags: Readonly<Record<string, bigint>>) =>
  struct(
    'luo_feature_hdr',
    {
      supp: u64({ doc: 'features that the writer knows', flags }),
      req: u64({ doc: 'features that a reader must know', flags }),
      active: u64({ doc: 'features in use', flags }),
      reserved: reserved(104),
    },
    { doc: 'What every structure begins with.' },
  );

/** The LUO blob, which has no version string. */
export const luoFeatures = struct(
  'luo_ser',
  {
    header: header({ NUMBER: 1n, SESSIONS: 2n, FLBS: 4n }),
    liveupdate_num: u64({ doc: 'live updates so far, this one included' }),
    sessions_pa: pointer({ to: 'layout', layout: luoSessionBlock }, { doc: 'sessions', align: PAGE_SIZE }),
    flbs_pa: pointer(
      { to: 'layout', layout: luoFlbPage },
      { doc: 'file-lifecycle-bound objects', align: PAGE_SIZE },
    ),
  },
  { doc: 'State of the live update orchestrator.' },
);

/** A memfd; the handler's name is then plain memfd. */
export const memfdFeatures = struct(
  'memfd_luo_ser',
  {
    header: header({ SEALS: 1n, FOLIOS: 2n }),
    pos: u64({ doc: 'file position', unit: 'bytes' }),
    size: u64({ doc: 'size of the file', unit: 'bytes' }),
    seals: u32({ doc: 'seals of the file' }),
    flags: u32({ doc: 'none are defined' }),
    nr_folios: u64({ doc: 'number of folios' }),
    folios: vmallocOf(memfdFolio, 'nr_folios', { doc: 'folios of the file, by index', ascending: 'index' }),
  },
  { doc: 'A preserved memfd.' },
);

const MAGIC = 0x4c565550n;

/** The vmlinux section `.liveupdate_features`. */
export const liveupdateFeaturesSection = struct(
  'liveupdate_features',
  {
    magic: u32({ doc: 'LVUP', oneOf: [MAGIC] }),
    version: u32({ doc: 'version of the section', oneOf: [1n] }),
    entries: array(
      struct('liveupdate_feature', {
        name: chars(48, { doc: 'name of the handler', nonEmpty: true }),
        feat_bytes: u32({ doc: 'size of the features', unit: 'bytes' }),
        reserved: reserved(4),
        supp: u64({ doc: 'features that the kernel knows' }),
        req: u64({ doc: 'features that it requires of a reader' }),
        active: u64({ doc: 'features that it uses' }),
      }),
      'rest',
      { doc: 'what each handler of the kernel can do' },
    ),
  },
  { doc: 'Features of a kernel, to be compared before kexec.' },
);

/** The LUO blob with feature flags. Nothing in it says what it is: only its name leads here. */
export const luoFeatureForm = family({
  name: 'luo-features',
  doc: 'State of the live update orchestrator, with feature flags.',
  key: { by: 'name' },
  mismatch: 'panic',
  versions: [version({ key: 'luo-features', layout: luoFeatures, status: 'rfc', source })],
});

/** A memfd with feature flags. */
export const memfdFeatureForm = family({
  name: 'memfd-features',
  doc: 'A preserved memfd, with feature flags.',
  key: { by: 'name' },
  mismatch: 'open-fails',
  lookup: { group: 'luo-file' },
  versions: [version({ key: 'memfd', layout: memfdFeatures, status: 'rfc', source })],
});

/** The section of vmlinux. */
export const liveupdateFeatures = family({
  name: 'liveupdate-features',
  doc: 'Features of a kernel, in its section .liveupdate_features.',
  key: { by: 'u32', offset: 4 },
  mismatch: 'ignored',
  versions: [
    version({
      key: '1',
      name: 'liveupdate-features-v1',
      layout: liveupdateFeaturesSection,
      status: 'rfc',
      source,
    }),
  ],
});
