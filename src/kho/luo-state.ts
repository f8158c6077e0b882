// SPDX-License-Identifier: Apache-2.0
// Sessions and files of the live update orchestrator, whatever version strung them together.
import { isRecord } from '../schemas/lang/input.js';
import type { Reached } from '../schemas/lang/memory.js';
import { fieldOffsets, sizeOf } from '../schemas/lang/size.js';
import type { StructType } from '../schemas/lang/type.js';
import type { Consumer } from './consumer.js';
import { type FolioColumns, foliosOf, type MemfdState, memfdOf } from './memfd-state.js';

/** A file of a session. */
export interface HandoverFile {
  /** Version string of the handler, such as `memfd-v2`; one character a byte. */
  readonly compatible: string;
  readonly token: bigint;
  /** What the handler keeps: a physical address, or the value itself. */
  readonly data: bigint;
  /** Size in bytes; `undefined` where nothing that can be read says it. */
  readonly size: bigint | undefined;
  /** What is kept of a memfd; `undefined` for other files and where it cannot be read. */
  readonly memfd: MemfdState | undefined;
  /** What is kept of a file of any kind, decoded; `undefined` where it cannot be read or no layout is declared. */
  readonly state: Reached | undefined;
  /** Physical address of its record. */
  readonly address: bigint;
  /** How it was reached: field names and positions. */
  readonly path: string;
}

/** A session. */
export interface HandoverSession {
  /** One character a byte. */
  readonly name: string;
  readonly files: readonly HandoverFile[];
  /** How many files its record says it has. */
  readonly declaredFiles: bigint;
  /** Physical address of the first block or array of files; 0 where there is none. */
  readonly filesAddress: bigint;
  /** Physical address of its record. */
  readonly address: bigint;
  readonly path: string;
}

/** An object bound to the life of files (FLB). */
export interface HandoverFlb {
  /** Version string of the object; one character a byte. */
  readonly name: string;
  /** What its owner keeps: a physical address, or the value itself. */
  readonly data: bigint;
  /** How many files depend on it. */
  readonly dependents: bigint;
  readonly state: Reached | undefined;
  readonly address: bigint;
  readonly path: string;
}

/** State of the live update orchestrator. */
export interface LuoState {
  /** Live updates so far; `undefined` where the blob cannot be read. */
  readonly updates: bigint | undefined;
  readonly sessions: readonly HandoverSession[];
  readonly flbs: readonly HandoverFlb[];
}

/** An element of a decoded array of structs. */
interface Element {
  readonly value: Readonly<Record<string, unknown>>;
  readonly address: bigint;
  readonly path: string;
}

/** The state that the consumer `LUO` leads to. */
export function luoState({ reached }: Consumer): LuoState {
  const sessions: (Element & { readonly files: HandoverFile[] })[] = [];
  const files: (Element & { readonly session: string })[] = [];
  const flbs: Element[] = [];
  const byAddress = new Map<bigint, Reached>();
  const folios = new Map<string, FolioColumns>();
  let updates: bigint | undefined;
  for (const each of reached) {
    const { value, path } = each;
    if (isRecord(value)) updates ??= number(value, 'liveupdate_num') ?? number(value, 'liveupdate-number');
    for (const { name, element } of elementsOf(each)) {
      if (name === 'luo_session_ser') sessions.push({ ...element, files: [] });
      else if (name === 'luo_file_ser') files.push({ ...element, session: pointerPath(path) });
      else if (name === 'luo_flb_ser') flbs.push(element);
    }
    const columns = foliosOf(each);
    if (columns !== undefined) folios.set(pointerPath(path).replace(/[./]folios\.elements$/, ''), columns);
    else if (each.layout !== undefined && !byAddress.has(each.address)) byAddress.set(each.address, each);
  }
  const holders = new Map(sessions.map((session) => [`${session.path}.files`, session]));
  for (const { session, value, address, path } of files) {
    const data = number(value, 'data') ?? 0n;
    const state = byAddress.get(data);
    const memfd = state && memfdOf(state, folios.get(state.path));
    holders.get(session)?.files.push({
      compatible: text(value, 'compatible'),
      token: number(value, 'token') ?? 0n,
      data,
      size: memfd?.size,
      memfd,
      state,
      address,
      path,
    });
  }
  return {
    updates,
    sessions: sessions.map(({ value, address, path, files: own }) => ({
      name: text(value, 'name'),
      files: own,
      declaredFiles: number(value, 'count') ?? 0n,
      filesAddress: number(value, 'files') ?? 0n,
      address,
      path,
    })),
    flbs: flbs.map(({ value, address, path }) => {
      const data = number(value, 'data') ?? 0n;
      return {
        name: text(value, 'name'),
        data,
        dependents: number(value, 'count') ?? 0n,
        state: byAddress.get(data),
        address,
        path,
      };
    }),
  };
}

/** A path without the position in a list that its end may say: that of the pointer which leads there. */
function pointerPath(path: string): string {
  return path.replace(/#\d+$/, '');
}

/** The structs in the arrays of a decoded block, or of an array itself, with their places. */
export function* elementsOf({
  layout,
  value,
  address,
  path,
}: Reached): Generator<{ readonly name: string; readonly element: Element }> {
  if (layout?.kind === 'array' && layout.of.kind === 'struct' && Array.isArray(value)) {
    yield* structs(layout.of, value, address, path);
  } else if (layout?.kind === 'struct' && isRecord(value)) {
    const offsets = fieldOffsets(layout);
    for (const [field, type] of Object.entries(layout.fields)) {
      const list = value[field];
      if (type.kind !== 'array' || type.of.kind !== 'struct' || !Array.isArray(list)) continue;
      yield* structs(type.of, list, address + BigInt(offsets.get(field) ?? 0), `${path}.${field}`);
    }
  }
}

function* structs(
  type: StructType,
  list: readonly unknown[],
  start: bigint,
  path: string,
): Generator<{ readonly name: string; readonly element: Element }> {
  const stride = sizeOf(type) ?? 0;
  for (let index = 0; index < list.length; index++) {
    const value: unknown = list[index];
    if (!isRecord(value)) continue;
    const address = start + BigInt(index * stride);
    yield { name: type.name, element: { value, address, path: `${path}[${index}]` } };
  }
}

function number(value: Readonly<Record<string, unknown>>, name: string): bigint | undefined {
  const found = value[name];
  return typeof found === 'bigint' ? found : undefined;
}

function text(value: Readonly<Record<string, unknown>>, name: string): string {
  const found = value[name];
  return typeof found === 'string' ? found : '';
}
