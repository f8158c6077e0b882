// SPDX-License-Identifier: Apache-2.0
// The data model of the language. Interpreters (decode, encode, validate, …) are sibling files that take these values.

/** What every declared type has: its kind, what it is for, and the type of its decoded values. */
interface TypeBase<V> {
  /** What the bytes mean, in a few words; becomes documentation and comments of derived files. */
  readonly doc?: string | undefined;
  /** Carries the TypeScript type of values; never there at run time. */
  readonly $value?: V;
}

/** Rules for the value of an integer. All bounds are inclusive. */
export interface IntegerRules {
  readonly min?: bigint | undefined;
  readonly max?: bigint | undefined;
  /** The value is a multiple of this, for addresses: their alignment in bytes. */
  readonly multipleOf?: bigint | undefined;
  /** Only these bits may be set. */
  readonly mask?: bigint | undefined;
  /** Only these values occur. */
  readonly oneOf?: readonly bigint[] | undefined;
}

/** An integer, of native byte order unless said otherwise: number up to 32 bits, bigint for 64. */
export interface IntegerType<V = number | bigint> extends TypeBase<V> {
  readonly kind: 'integer';
  readonly bits: 8 | 16 | 32 | 64;
  readonly signed: boolean;
  /** Whether it is big-endian whatever the CPU is, as the cells of a device tree are. */
  readonly bigEndian: boolean;
  readonly rules: IntegerRules;
  /** Of what the value counts: `bytes`, `pages`, … */
  readonly unit?: string | undefined;
  /** Names of single bits, spelled out when shown. */
  readonly flags?: Readonly<Record<string, bigint>> | undefined;
  /** Names of single values. */
  readonly names?: Readonly<Record<string, bigint>> | undefined;
}

/**
 * Where a physical pointer leads:
 * `self`, another instance of the struct the pointer is in (a linked list);
 * `layout`, a declared layout; `total` names the field of the pointer's struct that counts all elements of the list,
 * `length` the one that holds the size in bytes, `elements` the one that counts the elements of the array that it is;
 * `memory`, contents that nobody describes, as long as the field `length` says (in bytes), else one page;
 * `lookup`, a layout that the registry knows in `group` by the text of the field `key` (the name of a node is `$name`),
 * or by the bytes there without one; `sized: 'fdt'` when the size is in the header of the FDT that must be there;
 * `radix`, a radix tree of preserved pages.
 */
export type PointerTarget =
  | { readonly to: 'self' }
  | {
      readonly to: 'layout';
      readonly layout: Layout;
      readonly total?: string | undefined;
      readonly length?: string | undefined;
      readonly elements?: string | undefined;
    }
  | { readonly to: 'memory'; readonly length?: string | undefined }
  | {
      readonly to: 'lookup';
      readonly group: string;
      readonly key?: string | undefined;
      readonly sized?: 'fdt' | undefined;
      readonly length?: string | undefined;
    }
  | { readonly to: 'radix'; readonly tree: RadixTree };

/** A physical address, u64 of native byte order unless said otherwise, that leads somewhere. */
export interface PointerType extends TypeBase<bigint> {
  readonly kind: 'pointer';
  readonly bits: 64;
  readonly bigEndian: boolean;
  readonly target: PointerTarget;
  /** Names of low bits that are set in the address without being part of it. */
  readonly flags?: Readonly<Record<string, bigint>> | undefined;
  /** Whether 0 is allowed and means that there is nothing. */
  readonly nullable: boolean;
  readonly rules: IntegerRules;
}

/** Bit fields in one integer, lowest bits first: number up to 53 bits, bigint above. */
export interface BitsType<V = Readonly<Record<string, number | bigint>>> extends TypeBase<V> {
  readonly kind: 'bits';
  readonly bits: 8 | 16 | 32 | 64;
  readonly parts: Readonly<Record<string, BitPart>>;
}

/** One field of a {@link BitsType}. */
export interface BitPart {
  readonly width: number;
  readonly doc?: string | undefined;
  /** Names of single bits of the part. */
  readonly flags?: Readonly<Record<string, bigint>> | undefined;
  readonly rules: IntegerRules;
}

/** A character array, one character a byte, padded with NULs that values do not show. */
export interface CharsType extends TypeBase<string> {
  readonly kind: 'chars';
  readonly length: number;
  /** Whether at least one NUL must follow the text. */
  readonly terminated: boolean;
  readonly nonEmpty: boolean;
  /** The text that must be there, for version strings. */
  readonly constant?: string | undefined;
}

/** A NUL-terminated string that takes the whole property; values do not show the last NUL. */
export interface TextType extends TypeBase<string> {
  readonly kind: 'text';
  /** The string that must be in it, where it is a list joined by NULs as FDT `compatible` is. */
  readonly includes?: string | undefined;
}

/** Bytes without a meaning of their own. */
export interface BytesType extends TypeBase<Uint8Array> {
  readonly kind: 'bytes';
  readonly length: number | 'rest';
}

/** Bytes that nobody uses. Values show them only where they are not zero, so that encoding loses nothing. */
export interface ReservedType extends TypeBase<Uint8Array> {
  readonly kind: 'reserved';
  readonly length: number | 'rest';
  readonly mustBeZero: boolean;
}

/** Elements one after another: a fixed number, as many as a field before it says, or up to the end. */
export interface ArrayType<V = readonly unknown[]> extends TypeBase<V> {
  readonly kind: 'array';
  readonly of: MemoryType;
  readonly count: number | 'rest' | { readonly field: string };
  /** Field of the elements in which no two may be equal. */
  readonly unique?: string | undefined;
  /** Field of the elements whose values grow from one to the next. */
  readonly ascending?: string | undefined;
}

/**
 * A rule between fields of one struct or node:
 * `zero-together`, all of `fields` are zero or none is;
 * `zero-when`, `fields` are zero when `when` is zero;
 * `at-least`, the first of `fields` is at least as large as the second times `times`;
 * `equals-name`, the first of `fields` equals the name of the node in decimal digits;
 * `elements-multiple-of`, in every element of the array that is the first of `fields`, the field that is the second is
 * a multiple of `times`, shifted left by the value of `shift`;
 * `elements-ascending`, the elements of the array that is the first of `fields` grow from one to the next, compared by
 * the other `fields` in turn;
 * `not-zero-unless`, no one of `fields` is zero unless `when` has one of the bits of `mask`. Here `fields` and `when` may
 * lead into structs and bit fields inside, as `hdr.flags`.
 */
export interface FieldRule {
  readonly rule:
    | 'zero-together'
    | 'zero-when'
    | 'at-least'
    | 'equals-name'
    | 'elements-multiple-of'
    | 'elements-ascending'
    | 'not-zero-unless';
  readonly fields: readonly string[];
  readonly when?: string | undefined;
  readonly times?: bigint | undefined;
  readonly shift?: string | undefined;
  /** Which bits of `when` count; all when left out. */
  readonly mask?: bigint | undefined;
  /** What the rule means, in a few words. */
  readonly doc: string;
}

/** A C struct. Without `packed`, every field lies at a multiple of its alignment, padding being declared. */
export interface StructType<V = unknown> extends TypeBase<V> {
  readonly kind: 'struct';
  /** The name that the kernel's source gives it. */
  readonly name: string;
  readonly packed: boolean;
  /** In memory order. */
  readonly fields: Readonly<Record<string, MemoryType>>;
  readonly rules: readonly FieldRule[];
  /** Size in bytes where the last field runs to the end of a page. */
  readonly size?: number | undefined;
  /** Alignment in bytes of instances in physical memory. */
  readonly align?: number | undefined;
}

/** A union of which a field before it says what it holds; values have one key, the name of the case, or `raw`. */
export interface UnionType<V = Readonly<Record<string, unknown>>> extends TypeBase<V> {
  readonly kind: 'union';
  readonly selector: string;
  readonly cases: Readonly<Record<string, UnionCase>>;
  /** Size in bytes: the largest case, or more. */
  readonly size: number;
}

/** What a {@link UnionType} holds when its selector has the value `when`. Shorter than the union: zeros follow. */
export interface UnionCase {
  readonly when: number;
  readonly type: StructType;
}

/**
 * A struct that says where the pages of an array lie, as `struct kho_vmalloc`: in memory it is the `descriptor` (with
 * fields `first`, `total_pages`, `order`); it leads to linked `chunk`s of page addresses (fields `next`, `phys`), and
 * they to pages that together hold `contents`.
 */
export interface GatherType<V = unknown> extends TypeBase<V> {
  readonly kind: 'gather';
  readonly descriptor: StructType<V>;
  readonly chunk: StructType;
  readonly contents: ArrayType;
  /** Field of the struct around it that counts the elements. */
  readonly count: string;
}

/** A type with bytes in memory. */
export type MemoryType =
  | IntegerType
  | PointerType
  | BitsType
  | CharsType
  | TextType
  | BytesType
  | ReservedType
  | ArrayType
  | StructType
  | UnionType
  | GatherType;

/** A property or node that may be missing. */
export interface OptionalType<T extends MemoryType | NodeType = MemoryType | NodeType> {
  readonly kind: 'optional';
  readonly of: T;
}

/** What the names of patterned nodes are: decimal numbers without leading zeros, or text. */
export interface NodeName<V = string | number> extends TypeBase<V> {
  readonly kind: 'decimal' | 'name';
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** `name`: most characters. */
  readonly maxLength?: number | undefined;
}

/** An FDT node: properties and fixed nodes by name, in the order in which they are written, then patterned nodes. */
export interface NodeType<V = unknown> extends TypeBase<V> {
  readonly kind: 'node';
  /** The string that must be in the list in property `compatible`; the property then comes first. */
  readonly compatible?: string | undefined;
  readonly properties: Readonly<Record<string, MemoryType | OptionalType<MemoryType>>>;
  readonly children: Readonly<Record<string, NodeType | OptionalType<NodeType>>>;
  readonly each?: EachNode | undefined;
  readonly rules: readonly FieldRule[];
  /**
   * How kernels write the blob whose root this is. `sequential`: with libfdt's fdt_create … fdt_finish. `dynamic`: the
   * root that way, then each patterned node into the open page (fdt_add_subnode, fdt_setprop, fdt_pack).
   */
  readonly writer: 'sequential' | 'dynamic';
}

/** The patterned nodes of a {@link NodeType}: an array under `key` whose values hold the node's name as `$name`. */
export interface EachNode {
  readonly key: string;
  readonly name: NodeName;
  readonly node: NodeType;
}

/** A radix tree of pages: tables of physical addresses over leaves that are bitmaps. */
export interface RadixTree {
  readonly kind: 'radix';
  /** The name that the kernel's source gives it. */
  readonly name: string;
  readonly doc: string;
  /** Levels for a page of `2^pageShift` bytes; the kernel's formula. */
  readonly depth: Readonly<Record<12 | 14 | 16, number>>;
  readonly table: StructType;
  readonly leaf: StructType;
}

/** What can be decoded by itself. */
export type Layout = MemoryType | NodeType;

/** The TypeScript type of a layout's decoded values. */
export type Value<T> = T extends { readonly $value?: infer V } ? Exclude<V, undefined> : never;
