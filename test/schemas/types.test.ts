// SPDX-License-Identifier: Apache-2.0
// The types of values are inferred from declarations; the type checker is what these tests are for.
import { describe, expectTypeOf, it } from 'vitest';
import {
  array,
  bits,
  chars,
  decimal,
  each,
  type khoRootV4,
  type luoSessionBlock,
  type memfdV2,
  name,
  node,
  optional,
  part,
  reserved,
  struct,
  u8,
  u32,
  u64,
  union,
  type Value,
} from '../../src/schemas/index.js';

describe('inferred types', () => {
  it('of structs', () => {
    expectTypeOf<Value<typeof memfdV2>>().toEqualTypeOf<{
      readonly pos: bigint;
      readonly size: bigint;
      readonly seals: number;
      readonly flags: number;
      readonly nr_folios: bigint;
      readonly folios: {
        readonly first: bigint;
        readonly total_pages: number;
        readonly flags: number;
        readonly order: number;
      };
    }>();
    expectTypeOf<Value<typeof luoSessionBlock>['tail']>().toEqualTypeOf<Uint8Array | undefined>();
    expectTypeOf<Value<typeof luoSessionBlock>['sessions'][number]['name']>().toEqualTypeOf<string>();
  });

  it('of bit fields: bigint above 53 bits', () => {
    const type = bits(64, { low: part(4), high: part(60) });
    expectTypeOf<Value<typeof type>>().toEqualTypeOf<{ readonly low: number; readonly high: bigint }>();
  });

  it('of unions: one case, or raw bytes', () => {
    const type = struct('s', {
      type: u8(),
      data: union('type', {
        one: { when: 1, type: struct('one', { a: u32() }) },
        two: { when: 2, type: struct('two', { b: u64() }) },
      }),
      pad: reserved(3),
      names: array(chars(8), 2),
    });
    expectTypeOf<Value<typeof type>['data']>().toEqualTypeOf<
      | { readonly one: { readonly a: number } }
      | { readonly two: { readonly b: bigint } }
      | { readonly raw: Uint8Array }
    >();
    expectTypeOf<Value<typeof type>['names']>().toEqualTypeOf<readonly string[]>();
  });

  it('of nodes: optional members, names of patterned nodes', () => {
    expectTypeOf<Value<typeof khoRootV4>['subtrees'][number]>().toEqualTypeOf<{
      readonly $name: string;
      readonly 'blob-size': bigint;
      readonly 'preserved-data': bigint;
    }>();
    const type = node({
      properties: { must: u32(), may: optional(u64()) },
      children: {
        inner: optional(node({ each: each('list', decimal(), node({ properties: { x: u8() } })) })),
      },
      each: each('users', name(), node({})),
    });
    expectTypeOf<Value<typeof type>['may']>().toEqualTypeOf<bigint | undefined>();
    expectTypeOf<Value<typeof type>['must']>().toEqualTypeOf<number>();
    expectTypeOf<NonNullable<Value<typeof type>['inner']>['list'][number]>().toEqualTypeOf<{
      readonly $name: number;
      readonly x: number;
    }>();
    expectTypeOf<Value<typeof type>['users'][number]['$name']>().toEqualTypeOf<string>();
  });
});
