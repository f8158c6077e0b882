// SPDX-License-Identifier: Apache-2.0
// The description of a handover as JSON, docs/build.md.
import { memfdV2 } from '../schemas/abi/memfd.js';
import type { ByteSpan, Contents } from './contents.js';
import type {
  AreaDescription,
  FileDescription,
  HandoverDescription,
  IommufdDescription,
  MappedDomainDescription,
  MappingDescription,
  MemorySpan,
  ObjectDescription,
  PreserveDescription,
  RegionDescription,
  ScratchDescription,
  SessionDescription,
  SubtreeDescription,
} from './handover-description.js';
import { JsonReader } from './json-reader.js';

/** Files are at most this large: their contents are made in memory. */
const MAX_FILE = 2 ** 33;
/** How many of a kind one entry may stand for. */
const MAX_COUNT = 2 ** 24;

/**
 * Reads a description from parsed JSON.
 *
 * @throws BuildError BAD_DESCRIPTION with the path of what is wrong
 */
export function descriptionFromJson(json: unknown): HandoverDescription {
  const member = new JsonReader(json).members(
    'kernel',
    'versions',
    'memory',
    'scratch',
    'previousRelease',
    'kexecCount',
    'liveupdateNumber',
    'bootParams',
    'reserveMem',
    'sessions',
    'objects',
    'preserve',
    'subtrees',
    'iommufds',
    'domains',
  );
  return {
    kernel: member('kernel').text(),
    versions: member('versions').optional((reader) => reader.list((each) => each.text())),
    memory: member('memory').optional(memory),
    scratch: member('scratch').optional((reader) => reader.list(scratch)),
    previousRelease: member('previousRelease').optional((reader) => reader.text()),
    kexecCount: member('kexecCount').optional((reader) => reader.number(0xffff_ffff)),
    liveupdateNumber: member('liveupdateNumber').optional((reader) => reader.big()),
    bootParams: member('bootParams').optional((reader) => reader.boolean()),
    reserveMem: member('reserveMem').optional((reader) => reader.list(region)),
    sessions: member('sessions').optional((reader) => reader.list(session)),
    objects: member('objects').optional((reader) => reader.list(object)),
    preserve: member('preserve').optional((reader) => reader.list(preserve)),
    subtrees: member('subtrees').optional((reader) => reader.list(subtree)),
    iommufds: member('iommufds').optional((reader) => reader.list(iommufd)),
    domains: member('domains').optional((reader) => reader.list(domain)),
  };
}

/** A size stands for memory from 0 on. */
function memory(reader: JsonReader): readonly MemorySpan[] {
  return Array.isArray(reader.json) ? reader.list(span) : [{ start: 0n, size: reader.big() }];
}

function span(reader: JsonReader): MemorySpan {
  const member = reader.members('start', 'size');
  return { start: member('start').big(), size: member('size').big() };
}

/** A size stands for a region that is placed. */
function scratch(reader: JsonReader): ScratchDescription {
  return typeof reader.json === 'object' ? span(reader) : { size: reader.big() };
}

function region(reader: JsonReader): RegionDescription {
  const member = reader.members('name', 'size', 'align', 'contents');
  return {
    name: member('name').text(),
    size: member('size').number(MAX_FILE),
    align: member('align').optional((each) => each.number(2 ** 40)),
    contents: member('contents').optional(contents),
  };
}

function session(reader: JsonReader): SessionDescription {
  const member = reader.members('name', 'count', 'files');
  return {
    name: member('name').text(),
    count: member('count').optional((each) => each.number(MAX_COUNT)),
    files: member('files').optional((each) => each.list(file)),
  };
}

function file(reader: JsonReader): FileDescription {
  const member = reader.members(
    'token',
    'count',
    'size',
    'position',
    'seals',
    'contents',
    'holes',
    'folioOrder',
  );
  return {
    token: member('token').optional((each) => each.big()),
    count: member('count').optional((each) => each.number(MAX_COUNT)),
    size: member('size').number(MAX_FILE),
    position: member('position').optional((each) => each.number()),
    seals: member('seals').optional(seals),
    contents: member('contents').optional(contents),
    holes: member('holes').optional((each) => each.list(hole)),
    folioOrder: member('folioOrder').optional((each) => each.number(18)),
  };
}

/** Names of seals, or their bits. */
function seals(reader: JsonReader): number {
  if (!Array.isArray(reader.json)) return reader.number(0xffff_ffff);
  const type = memfdV2.kind === 'struct' ? memfdV2.fields['seals'] : undefined;
  const names = type?.kind === 'integer' ? (type.flags ?? {}) : {};
  return reader
    .list((each) => names[each.text()] ?? each.fail(`one of ${Object.keys(names).join(', ')}`))
    .reduce((all, bit) => all | Number(bit), 0);
}

function contents(reader: JsonReader): Contents {
  if (reader.json === 'zeros') return 'zeros';
  if (typeof reader.json !== 'object') reader.fail('"zeros", { "text" } or { "pattern" }');
  const member = reader.members('text', 'pattern', 'words', 'pages', 'from', 'every');
  if (member('text').isThere) return { text: reader.members('text')('text').text() };
  return {
    pattern: member('pattern').number(),
    words: member('words').optional((each) => each.number(512)),
    pages: member('pages').optional((each) => each.list((page) => page.number())),
    from: member('from').optional((each) => each.number()),
    every: member('every').optional((each) => each.number() || each.fail('a number from 1 on')),
  };
}

function hole(reader: JsonReader): ByteSpan {
  const member = reader.members('start', 'length');
  return { start: member('start').number(), length: member('length').number() };
}

function object(reader: JsonReader): ObjectDescription {
  const member = reader.members('name', 'data', 'count');
  return {
    name: member('name').text(),
    data: member('data').big(),
    count: member('count').optional((each) => each.number()),
  };
}

function preserve(reader: JsonReader): PreserveDescription {
  const member = reader.members('start', 'size', 'order', 'count');
  if (member('start').isThere) return span(reader);
  return {
    order: member('order').number(40),
    count: member('count').optional((each) => each.number(MAX_COUNT)),
  };
}

function subtree(reader: JsonReader): SubtreeDescription {
  const member = reader.members('name', 'hex');
  const hex = member('hex').text();
  if (hex.length === 0 || hex.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(hex))
    member('hex').fail('bytes in hex digits, two each');
  const bytes = Uint8Array.from({ length: hex.length / 2 }, (_, at) =>
    Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16),
  );
  return { name: member('name').text(), bytes };
}

function iommufd(reader: JsonReader): IommufdDescription {
  const member = reader.members('id', 'ioases');
  return {
    id: member('id').number(0xffff_ffff),
    ioases: member('ioases').list((ioas) => {
      const part = ioas.members('id', 'areas');
      return { id: part('id').number(0x7fff_ffff), areas: part('areas').list(area) };
    }),
  };
}

function area(reader: JsonReader): AreaDescription {
  const member = reader.members('iova', 'length', 'prot');
  return {
    iova: member('iova').big(),
    length: member('length').big(),
    prot: member('prot').optional((each) => each.number(0x3f)),
  };
}

function domain(reader: JsonReader): MappedDomainDescription {
  const member = reader.members('id', 'levels', 'largestLeaf', 'mappings', 'devices', 'mem');
  return {
    id: member('id').number(0xffff_ffff),
    levels: member('levels').optional((each) => each.number(5)),
    largestLeaf: member('largestLeaf').optional((each) => each.number(3) || each.fail('1, 2 or 3')),
    mappings: member('mappings').optional((each) => each.list(mapping)),
    devices: member('devices').optional((each) =>
      each.list((device) => {
        const part = device.members('bus', 'devfn');
        return { bus: part('bus').number(0xff), devfn: part('devfn').number(0xff) };
      }),
    ),
    mem: member('mem').optional((each) =>
      each.json === 'tables' || each.json === 'as-posted' ? each.json : each.fail('"tables" or "as-posted"'),
    ),
  };
}

function mapping(reader: JsonReader): MappingDescription {
  const member = reader.members('iova', 'length', 'prot', 'phys');
  return {
    iova: member('iova').big(),
    length: member('length').big(),
    prot: member('prot').optional((each) => each.number(0x3f)),
    phys: member('phys').optional((each) => each.big()),
  };
}
