// SPDX-License-Identifier: Apache-2.0
// Declaring FDT nodes.

import { text } from './scalar.js';
import type { Simplify } from './struct.js';
import type { FieldRule, MemoryType, NodeName, NodeType, OptionalType, Value } from './type.js';

/** Declares a property or node that may be missing. */
export function optional<const T extends MemoryType | NodeType>(of: T): OptionalType<T> {
  return Object.freeze({ kind: 'optional', of });
}

/** Declares names of patterned nodes that are decimal numbers, without sign and leading zeros. */
export function decimal(
  options: { readonly min?: number; readonly max?: number; readonly doc?: string } = {},
): NodeName<number> {
  const { min = 0, max = 0xffff_ffff, doc } = options;
  return Object.freeze({ kind: 'decimal', min, max, doc });
}

/** Declares names of patterned nodes that a user or driver chose. */
export function name(options: { readonly maxLength?: number; readonly doc?: string } = {}): NodeName<string> {
  const { maxLength, doc } = options;
  return Object.freeze({ kind: 'name', maxLength, doc });
}

type Properties = Readonly<Record<string, MemoryType | OptionalType<MemoryType>>>;
type Children = Readonly<Record<string, NodeType | OptionalType<NodeType>>>;
type Members = Readonly<Record<string, MemoryType | NodeType | OptionalType>>;

type OptionalKeys<M extends Members> = { [K in keyof M]: M[K] extends OptionalType ? K : never }[keyof M];
type MemberValues<M extends Members> = {
  readonly [K in Exclude<keyof M, OptionalKeys<M>>]: Value<M[K]>;
} & {
  readonly [K in OptionalKeys<M>]?: M[K] extends OptionalType<infer T> ? Value<T> | undefined : never;
};

interface Each<K extends string, N, V> {
  readonly key: K;
  readonly name: NodeName<N>;
  readonly node: NodeType<V>;
}

/**
 * Declares patterned nodes: values of the node around them hold them as an array under `key`, each with the node's
 * name as `$name`.
 */
export function each<K extends string, N extends string | number, V>(
  key: K,
  nodeName: NodeName<N>,
  node: NodeType<V>,
): Each<K, N, V> {
  return Object.freeze({ key, name: nodeName, node });
}

type EachValues<E> =
  E extends Each<infer K, infer N, infer V>
    ? { readonly [P in K]: readonly Simplify<{ readonly $name: N } & V>[] }
    : unknown;

/** The values of a node: its properties, fixed nodes, and patterned nodes. */
export type NodeValues<C, P extends Properties, N extends Children, E> = Simplify<
  (C extends string ? { readonly compatible: string } : unknown) &
    MemberValues<P> &
    MemberValues<N> &
    EachValues<E>
>;

/** What a node is made of, in the order in which kernels write it. */
export interface NodeOptions<C, P, N, E> {
  readonly doc?: string;
  /** The string that must be in the list in property `compatible`, which comes first. */
  readonly compatible?: C;
  readonly properties?: P;
  readonly children?: N;
  readonly each?: E;
  readonly rules?: readonly FieldRule[];
  /** How kernels write the blob whose root this is, see {@link NodeType.writer}; default `sequential`. */
  readonly writer?: 'sequential' | 'dynamic';
}

/**
 * Declares an FDT node.
 *
 * @throws TypeError when a property, a fixed node and the key of the patterned nodes share a name
 */
export function node<
  const C extends string | undefined = undefined,
  const P extends Properties = Readonly<Record<never, never>>,
  const N extends Children = Readonly<Record<never, never>>,
  const E extends Each<string, string | number, unknown> | undefined = undefined,
>(options: NodeOptions<C, P, N, E>): NodeType<NodeValues<C, P, N, E>> {
  const { doc, compatible, rules = [], writer = 'sequential' } = options;
  const own: Properties = options.properties ?? {};
  const first: Properties = compatible === undefined ? {} : { compatible: text({ includes: compatible }) };
  const properties: Properties = Object.freeze({ ...first, ...own });
  const children: Children = Object.freeze({ ...options.children });
  const keys = [...Object.keys(properties), ...Object.keys(children)];
  if (options.each !== undefined) keys.push(options.each.key);
  if (new Set(keys).size !== keys.length)
    throw new TypeError(`a node has two members of one name: ${keys.join(', ')}`);
  return Object.freeze({
    kind: 'node',
    doc,
    compatible,
    properties,
    children,
    each: options.each,
    rules: Object.freeze([...rules]),
    writer,
  });
}
