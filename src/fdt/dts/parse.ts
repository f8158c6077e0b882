// SPDX-License-Identifier: Apache-2.0
import { decodeLatin1 } from '../../bytes/latin1.js';
import { encodeUtf8 } from '../../bytes/utf8.js';
import type { FdtReservation } from '../reservation.js';
import type { FdtTree } from '../tree.js';
import { type DtsComplaint, dtsErrorAt } from './error.js';
import { DtsLexer } from './lex.js';
import { SourceTree } from './merge.js';
import { bootCpuid, resolveSource } from './resolve.js';
import { EMPTY_VALUE, type SourceLabels, SourceNode, SourceProperty } from './source.js';
import {
  TOKEN_DELETE_NODE,
  TOKEN_DELETE_PROPERTY,
  TOKEN_DTS_V1,
  TOKEN_END,
  TOKEN_INCLUDE,
  TOKEN_LABEL,
  TOKEN_LABEL_REFERENCE,
  TOKEN_MEMRESERVE,
  TOKEN_NAME,
  TOKEN_OMIT_IF_NO_REF,
  TOKEN_PATH_REFERENCE,
  TOKEN_PLUGIN,
} from './token.js';
import { readInteger, readValue, ValueMemory } from './value.js';

const SLASH = 0x2f;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const EQUALS = 0x3d;
const SEMICOLON = 0x3b;

/** What dtc takes for a property's name, but is a forgotten preprocessor run when a syntax error follows. */
const DIRECTIVE = /^#[ \t]*(include|define|undef|ifn?def|if|elif|else|endif|pragma|error|warning|line)\b/;
const DIRECTIVE_LENGTH = 32;

/**
 * Compiles a devicetree source (version 1) as dtc 1.6.1 does, up to the tree that `encodeFdt` turns into dtc's bytes.
 *
 * Labels, references, automatic phandles, `/memreserve/`, `/bits/`, `/delete-node/`, `/delete-property/`,
 * `/omit-if-no-ref/`, integer expressions and repeated definitions mean what they mean to dtc, and what dtc rejects by
 * default is an error. Left out, each with an error that says so: the C preprocessor, `/include/`, `/incbin/`,
 * `/plugin/` and a source that deletes its root node. The first error is thrown. Nesting has no limit (dtc gives up
 * after about 10,000 siblings or levels). Time and memory are linear in the source; strings that path references
 * expand to are limited to 64 MiB in all.
 *
 * @param text - the source; a string is taken as UTF-8, bytes are taken as they are
 * @returns the tree. Its boot CPU is dtc's guess: the `reg` of the first node below `/cpus` if that is one cell, or 0.
 * @throws DtsError
 *
 * @example
 * ```ts
 * import { encodeFdt, parseDts } from 'kho-toolkit/fdt';
 * const blob = encodeFdt(parseDts('/dts-v1/; / { compatible = "kho-v4"; };'));
 * ```
 */
export function parseDts(text: string | Uint8Array): FdtTree {
  const source = typeof text === 'string' ? encodeUtf8(text) : text;
  return new DtsParser(source).parse();
}

/** A node whose closing brace has not been read. */
interface OpenNode {
  readonly node: SourceNode;
  hasChildren: boolean;
}

/** The grammar (`dtc-parser.y`), without recursion. */
class DtsParser {
  readonly #lexer: DtsLexer;
  readonly #memory: ValueMemory = new ValueMemory();
  readonly #reservations: FdtReservation[] = [];

  constructor(source: Uint8Array) {
    this.#lexer = new DtsLexer(source);
  }

  parse(): FdtTree {
    const lexer = this.#lexer;
    const { source } = lexer;
    this.#readHeader();
    this.#readReservations();
    const tree = this.#readRoot();
    while (lexer.kind !== TOKEN_END) this.#readTopLevel(tree);
    const cpu = bootCpuid(tree);
    return { reservations: this.#reservations, bootCpuid: cpu, root: resolveSource(source, tree) };
  }

  #readHeader(): void {
    do {
      this.#expect(TOKEN_DTS_V1, '/dts-v1/');
      this.#expect(SEMICOLON, '";"');
    } while (this.#lexer.kind === TOKEN_DTS_V1);
  }

  #readReservations(): void {
    const lexer = this.#lexer;
    while (lexer.kind === TOKEN_LABEL || lexer.kind === TOKEN_MEMRESERVE) {
      // Labels of reservations mean nothing to a blob.
      while (lexer.kind === TOKEN_LABEL) lexer.next();
      this.#expect(TOKEN_MEMRESERVE, '/memreserve/');
      const address = readInteger(lexer);
      if (address === undefined) throw this.#unexpected('an address');
      const size = readInteger(lexer);
      if (size === undefined) throw this.#unexpected('a size');
      this.#expect(SEMICOLON, '";"');
      this.#reservations.push({ address: BigInt(address), size: BigInt(size) });
    }
  }

  #readRoot(): SourceTree {
    const lexer = this.#lexer;
    const { start } = lexer;
    if (lexer.kind === TOKEN_LABEL_REFERENCE || lexer.kind === TOKEN_PATH_REFERENCE) {
      const message = 'expected "/" and the root node, a reference leads nowhere before it';
      throw lexer.error({ code: 'REFERENCE', message, expected: '"/"' });
    }
    this.#expect(SLASH, '"/" and the root node');
    return new SourceTree(
      lexer.source,
      this.#readDefinition(new SourceNode('', start, false, undefined, false)),
    );
  }

  /** A further definition of the root, an extension of a node, or a deletion. */
  #readTopLevel(tree: SourceTree): void {
    const lexer = this.#lexer;
    const { kind, start } = lexer;
    if (kind === SLASH) {
      lexer.next();
      tree.merge(tree.root, this.#readDefinition(new SourceNode('', start, false, undefined, false)));
    } else if (kind === TOKEN_LABEL) {
      const label = lexer.text();
      lexer.next();
      this.#readExtension(tree, { text: label, at: start });
    } else if (kind === TOKEN_LABEL_REFERENCE || kind === TOKEN_PATH_REFERENCE) {
      this.#readExtension(tree, undefined);
    } else if (kind === TOKEN_DELETE_NODE || kind === TOKEN_OMIT_IF_NO_REF) {
      lexer.next();
      const at = lexer.start;
      const target = tree.resolve(this.#readReference(), at);
      if (target === tree.root) {
        const message = 'deleting the root node is not supported';
        throw dtsErrorAt(lexer.source, at, { code: 'UNSUPPORTED', message });
      }
      this.#expect(SEMICOLON, '";"');
      if (kind === TOKEN_DELETE_NODE) target.delete();
      else target.omitIfUnreferenced = true;
    } else {
      throw this.#unexpected('"/", a reference or the end');
    }
  }

  #readExtension(tree: SourceTree, label: { text: string; at: number } | undefined): void {
    const { start } = this.#lexer;
    const reference = this.#readReference();
    const definition = this.#readDefinition(new SourceNode('', start, false, undefined, false));
    const target = tree.resolve(reference, start);
    if (label !== undefined) tree.addLabel(target, label.text, label.at);
    tree.merge(target, definition);
  }

  #readReference(): string {
    const lexer = this.#lexer;
    if (lexer.kind !== TOKEN_LABEL_REFERENCE && lexer.kind !== TOKEN_PATH_REFERENCE) {
      throw this.#unexpected('a reference');
    }
    // A path reference holds its path with the leading slash.
    const text = lexer.text();
    lexer.next();
    return text;
  }

  /** Reads `{ … };` into `node`. */
  #readDefinition(node: SourceNode): SourceNode {
    const lexer = this.#lexer;
    this.#expect(OPEN_BRACE, '"{"');
    const open: OpenNode[] = [{ node, hasChildren: false }];
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      if (lexer.accept(CLOSE_BRACE)) {
        this.#expect(SEMICOLON, '";"');
        open.pop();
      } else {
        const child = this.#readItem(top);
        if (child !== undefined) open.push({ node: child, hasChildren: false });
      }
    }
    return node;
  }

  /** Reads a property, a deletion, or the beginning of a child, which is returned. */
  #readItem(top: OpenNode): SourceNode | undefined {
    const lexer = this.#lexer;
    let labels: SourceLabels | undefined;
    let omit = false;
    while (lexer.kind === TOKEN_LABEL || lexer.kind === TOKEN_OMIT_IF_NO_REF) {
      if (lexer.kind === TOKEN_OMIT_IF_NO_REF) {
        omit = true;
      } else {
        labels ??= new Map();
        labels.set(lexer.text(), { at: lexer.start, live: true });
      }
      lexer.next();
    }
    const { kind, start } = lexer;
    if (kind === TOKEN_DELETE_PROPERTY && !omit) {
      lexer.next();
      const name = this.#readName('the name of a property');
      this.#addProperty(top, new SourceProperty(name, start, undefined, labels));
      this.#expect(SEMICOLON, '";"');
      return undefined;
    }
    const isDeletion = kind === TOKEN_DELETE_NODE;
    if (isDeletion) lexer.next();
    const name = this.#readName(isDeletion ? 'the name of a node' : 'a property, a node or "}"');
    if (!isDeletion && !omit && lexer.kind !== OPEN_BRACE) {
      this.#readProperty(top, name, start, labels);
      return undefined;
    }
    top.hasChildren = true;
    const { children } = top.node;
    const child = new SourceNode(name, start, isDeletion, labels, omit);
    child.parent = top.node;
    children.append(child);
    this.#expect(isDeletion ? SEMICOLON : OPEN_BRACE, isDeletion ? '";"' : '"{"');
    return isDeletion ? undefined : child;
  }

  #readProperty(top: OpenNode, name: string, at: number, labels: SourceLabels | undefined): void {
    const lexer = this.#lexer;
    let value = EMPTY_VALUE;
    if (lexer.accept(EQUALS)) {
      value = readValue(lexer, this.#memory);
      this.#expect(SEMICOLON, '"," or ";"');
    } else if (!lexer.accept(SEMICOLON)) {
      throw this.#directive(at) ?? this.#unexpected('"=", ";" or "{"');
    }
    this.#addProperty(top, new SourceProperty(name, at, value, labels));
  }

  #addProperty(top: OpenNode, property: SourceProperty): void {
    if (top.hasChildren) {
      throw this.#error({ code: 'SYNTAX', message: 'properties must precede child nodes' });
    }
    top.node.properties.append(property);
  }

  #readName(expected: string): string {
    const lexer = this.#lexer;
    if (lexer.kind !== TOKEN_NAME) throw this.#unexpected(expected);
    const name = lexer.text();
    lexer.next();
    return name;
  }

  #expect(kind: number, what: string): void {
    if (!this.#lexer.accept(kind)) throw this.#unexpected(what);
  }

  #unexpected(expected: string): Error {
    const { kind } = this.#lexer;
    if (kind === TOKEN_INCLUDE) {
      return this.#error({ code: 'UNSUPPORTED', message: '/include/ is not supported', found: '/include/' });
    }
    if (kind === TOKEN_PLUGIN) {
      return this.#error({ code: 'UNSUPPORTED', message: '/plugin/ is not supported', found: '/plugin/' });
    }
    return this.#directive(this.#lexer.start) ?? this.#lexer.unexpected(expected);
  }

  /** An error for the preprocessor directive at `at`, if there is one. */
  #directive(at: number): Error | undefined {
    const { source } = this.#lexer;
    const found = DIRECTIVE.exec(
      decodeLatin1(source, at, Math.min(source.length, at + DIRECTIVE_LENGTH)),
    )?.[0];
    if (found === undefined) return undefined;
    const message = 'the C preprocessor is not supported: run the source through "cpp -P" first';
    return dtsErrorAt(source, at, { code: 'UNSUPPORTED', message, found });
  }

  #error(complaint: DtsComplaint): Error {
    return this.#lexer.error(complaint);
  }
}
