// SPDX-License-Identifier: Apache-2.0
// Random scripts of libfdt calls, made to run full, to share names and to be wrong now and then.
import type { Random } from '../random.js';
import type { Call, Op, Script } from './libfdt-calls.js';

// Ends of each other, so that names are shared; some with the bytes that no text has.
const PROPERTY_NAMES = [
  '',
  'p',
  'ap',
  'map',
  'preserved-memory-map',
  'memory-map',
  'start',
  'iova-start',
  'x-start',
  'compatible',
  'reg',
  '\xff\x01',
];
const NODE_NAMES = [
  'a',
  'b',
  'ab',
  'a@1',
  'a@2',
  'a@1@2',
  'memblock',
  'kexec-metadata',
  '',
  'LUO',
  'node/x',
  '\x80\xfe',
];
const PATHS = [
  '/',
  '/',
  '/',
  '/a',
  '/b',
  '/a/b',
  '/ab',
  '/a@1',
  '/memblock',
  '//a//',
  '/LUO/a',
  '/a/a/a',
  '/none',
];
const TOKENS = [1, 2, 3, 4, 9];

/** A script of sequential writing: mostly well-formed, with a size that often does not suffice. */
export function sequentialScript(random: Random): Script {
  const calls: Call[] = [{ op: 'create', a: random.below(4) === 0 ? 1 : 0 }];
  for (let left = random.below(4); left > 0 && random.below(3) === 0; left--) {
    calls.push({ op: 'add_reservemap_entry', a: random.below(1000), b: random.below(3) });
  }
  if (random.below(40) > 0) calls.push({ op: 'finish_reservemap' });
  let open = 0;
  const count = 1 + random.below(random.pick([4, 12, 30]));
  for (let index = 0; index < count; index++) {
    const kind = random.below(100);
    if (index === 0 || kind < 20) {
      calls.push({ op: 'begin_node', name: index === 0 ? '' : nodeName(random) });
      open++;
    } else if (kind < 38 && (open > 1 || kind < 21)) {
      calls.push({ op: 'end_node' });
      open--;
    } else if (kind < 97) {
      calls.push({ op: 'property', name: propertyName(random), value: anyValue(random) });
    } else {
      calls.push(outOfPlace(random));
    }
  }
  for (; open > 0 && random.below(30) > 0; open--) calls.push({ op: 'end_node' });
  if (random.below(12) > 0) calls.push({ op: 'finish' });
  if (random.below(3) === 0) calls.push({ op: 'finish' }, outOfPlace(random));
  return { size: sizeFor(calls, random), calls };
}

/** A script of changes to a tree: an empty one, one written before, or a blob from `blobs`. */
export function editingScript(random: Random, blobs: readonly Uint8Array[]): Script {
  const start = random.below(5);
  const blob = variant(random.pick(blobs), random);
  let calls: Call[];
  if (start === 0) {
    calls = [{ op: 'create_empty_tree' }];
  } else if (start === 1) {
    calls = [...sequentialScript(random).calls, { op: 'reopen' }];
  } else if (start === 2) {
    calls = [{ op: 'open_in_place', value: blob }];
  } else {
    calls = [{ op: 'open_into', value: blob }];
  }
  for (let left = random.below(5); left > 0; left--) {
    calls.push({
      op: 'add_subnode',
      node: random.pick(['/', '/', '/a', '/b']),
      name: random.pick(['a', 'b', 'ab']),
    });
  }
  const count = 1 + random.below(random.pick([4, 12, 30]));
  for (let index = 0; index < count; index++) calls.push(change(random));
  if (random.below(3) === 0) calls.push({ op: 'pack' });
  // Where the tree does not even fit there is nothing to change.
  const least = random.below(20) === 0 ? 0 : Math.max(blob.length, 96);
  return { size: Math.max(sizeFor(calls, random), least), calls };
}

const CHANGES: readonly Op[] = [
  ...Array<Op>(6).fill('add_subnode'),
  ...Array<Op>(8).fill('setprop'),
  ...Array<Op>(3).fill('appendprop'),
  'setprop_inplace',
  'delprop',
  'delprop',
  'nop_property',
  'del_node',
  'nop_node',
  'set_name',
  'set_name',
  'add_mem_rsv',
  'del_mem_rsv',
  'pack',
  'reopen',
  'reopen',
  'path_offset',
];

function change(random: Random): Call {
  const op = random.pick(CHANGES);
  const node =
    random.below(8) === 0 ? random.below(80) * (random.below(9) === 0 ? 1 : 4) : random.pick(PATHS);
  switch (op) {
    case 'add_subnode':
    case 'set_name':
      return { op, node, name: nodeName(random) };
    case 'del_node':
    case 'nop_node':
      // The root itself now and then, but not so often that there is never a tree to work on.
      return { op, node: node === '/' && random.below(8) > 0 ? '/a' : node };
    case 'setprop':
    case 'appendprop':
    case 'setprop_inplace':
      return { op, node, name: propertyName(random), value: anyValue(random) };
    case 'delprop':
    case 'nop_property':
      return { op, node, name: propertyName(random) };
    case 'add_mem_rsv':
      return { op, a: random.below(1000), b: random.below(4) };
    case 'del_mem_rsv':
      return { op, a: random.below(3) };
    case 'path_offset':
      return { op, name: random.pick(PATHS) };
    default:
      return { op };
  }
}

function outOfPlace(random: Random): Call {
  switch (random.below(5)) {
    case 0:
      return { op: 'add_reservemap_entry', a: 1, b: 2 };
    case 1:
      return { op: 'finish_reservemap' };
    case 2:
      return { op: 'end_node' };
    case 3:
      return { op: 'begin_node', name: 'late' };
    default:
      return { op: 'property', name: 'late', value: Uint8Array.of(1, 2, 3) };
  }
}

function nodeName(random: Random): string {
  return random.below(60) === 0 ? 'n'.repeat(random.below(300)) : random.pick(NODE_NAMES);
}

function propertyName(random: Random): string {
  const kind = random.below(60);
  if (kind === 0) return 'ab'.repeat(random.below(150));
  if (kind < 8) return `${random.pick(['', 'a', 'b', 'x-'])}${random.pick(PROPERTY_NAMES)}`;
  return random.pick(PROPERTY_NAMES);
}

function anyValue(random: Random): Uint8Array {
  const kind = random.below(1000);
  const length = kind < 4 ? random.below(65_537) : kind < 100 ? random.below(300) : random.below(14);
  const value = new Uint8Array(length);
  // Words that look like tokens, for offsets that lead into a value; other bytes stay below the size of any length
  // that libfdt adds up without overflow.
  for (let index = 0; index < length; index++) value[index] = random.below(64);
  if (random.below(4) === 0) {
    const view = new DataView(value.buffer);
    for (let at = 0; at + 4 <= length; at += 4) view.setUint32(at, random.pick(TOKENS));
  }
  return value;
}

/** Mostly somewhat more or less than the calls need. */
function sizeFor(calls: readonly Call[], random: Random): number {
  let need = 96;
  for (const { op, name = '', value } of calls) {
    if (op === 'add_reservemap_entry' || op === 'add_mem_rsv') need += 16;
    else if (op === 'open_into') need += value?.length ?? 0;
    // Opening in place what is in another order takes room for both.
    else if (op === 'open_in_place') need += 2 * (value?.length ?? 0);
    else need += 8 + name.length * 2 + (value?.length ?? 0);
  }
  switch (random.below(5)) {
    case 0:
      return random.below(need + 64);
    case 1:
      return Math.floor((need * (50 + random.below(60))) / 100);
    case 2:
      return need * 2 + random.below(8);
    default:
      return need + random.below(120);
  }
}

/** A blob for `open_into`: a version 17 one as version 16 or 18, with blocks in another order, tokens replaced. */
function variant(blob: Uint8Array, random: Random): Uint8Array {
  if (new DataView(blob.buffer, blob.byteOffset).getUint32(HEADER.version) !== 17) return blob;
  const kind = random.below(6);
  const copy = kind === 1 || kind === 2 ? reordered(blob, random) : blob.slice();
  const view = new DataView(copy.buffer);
  if (kind === 2 || kind === 3) view.setUint32(HEADER.version, 16);
  if (kind === 4) {
    const start = view.getUint32(HEADER.structure);
    const words = view.getUint32(HEADER.structureSize) / 4;
    for (let left = 1 + random.below(3); left > 0; left--) {
      const at = start + 4 * random.below(words);
      if (view.getUint32(at) <= 9) view.setUint32(at, random.pick(TOKENS));
    }
  }
  if (kind === 5) view.setUint32(HEADER.version, 18);
  return copy;
}

const HEADER = {
  totalsize: 4,
  structure: 8,
  strings: 12,
  reservations: 16,
  version: 20,
  stringsSize: 32,
  structureSize: 36,
};

/** The same blob, its blocks in a random order with gaps. */
function reordered(blob: Uint8Array, random: Random): Uint8Array {
  const from = new DataView(blob.buffer, blob.byteOffset);
  const order = random.pick(['rds', 'rsd', 'drs', 'dsr', 'srd', 'sdr']);
  const copy = new Uint8Array(blob.length + 128);
  const to = new DataView(copy.buffer);
  copy.set(blob.subarray(0, 40));
  const structure = from.getUint32(HEADER.structure);
  const reservations = from.getUint32(HEADER.reservations);
  let at = 40;
  for (const block of order) {
    at = Math.ceil(at / 8) * 8 + 8 * random.below(3);
    let field = HEADER.strings;
    let size = from.getUint32(HEADER.stringsSize);
    if (block === 'r') {
      field = HEADER.reservations;
      size = structure - reservations;
    } else if (block === 'd') {
      field = HEADER.structure;
      size = from.getUint32(HEADER.structureSize);
    }
    const start = from.getUint32(field);
    copy.set(blob.subarray(start, start + size), at);
    to.setUint32(field, at);
    at += size;
  }
  to.setUint32(HEADER.totalsize, at);
  return copy.subarray(0, at);
}
