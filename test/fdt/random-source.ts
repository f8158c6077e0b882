// SPDX-License-Identifier: Apache-2.0
import type { Random } from '../random.js';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'n1', 'n2', 'x', 'cpus', 'reg', '123'];
const SPECIAL_NAMES = ['name', 'phandle', 'linux,phandle', 'y@1', '#cells', '\\slash'];
const LABELS = ['l', 'm', 'o'];
const REFERENCES = ['&l', '&m', '&o', '&{/}', '&{/n1}', '&{/n1/n2/}', '&{/cpus/a}'];
const NUMBERS = ['0', '1', '010', '0x7f', '0xffffffffffffffff', "'a'", '63', '64'];
const BINARY = [
  '+',
  '-',
  '*',
  '/',
  '%',
  '<<',
  '>>',
  '<',
  '>',
  '<=',
  '>=',
  '==',
  '!=',
  '&',
  '|',
  '^',
  '&&',
  '||',
];
const STRINGS = ['"x"', '""', '"n1"', '"\\x41\\n"', '"a\\0b"', '"\\101"'];
const BITS = ['8', '16', '32', '64'];
/** What mutants are made with. */
const PIECES = [
  ...[
    '/',
    '{',
    '}',
    ';',
    '<',
    '>',
    '(',
    ')',
    '[',
    ']',
    '"',
    "'",
    '&',
    '&&',
    '\\',
    ':',
    '=',
    ',',
    '#',
    '//',
    '/*',
  ],
  ...[
    '*/',
    '\n',
    ' ',
    '0',
    '1',
    '0x',
    'a',
    'l:',
    '/bits/',
    '/delete-node/',
    '/dts-v1/;',
    '?',
    '-',
    '~',
    '\t',
  ],
];

/** Devicetree sources that use all of the language, about every second of which is right. */
export class SourceGenerator {
  readonly #random: Random;
  #labels = 0;
  #names: readonly string[] = NAMES;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A source. */
  source(): string {
    this.#names = this.#one(3) ? [...NAMES, ...SPECIAL_NAMES] : NAMES;
    const parts = ['/dts-v1/;'];
    if (this.#one(4)) parts.push(`${this.#label()}/memreserve/ 0x1000 (${this.#expression(3)});`);
    parts.push('/ { cpus { a { reg = <5>; }; }; l: n1 { m: n2 { o: n3 { }; }; }; };');
    for (let left = this.#random.below(6); left > 0; left--) parts.push(this.#topLevel());
    return `${parts.join('\n')}\n`;
  }

  /** `source` with one to three random edits. */
  mutant(source: string): string {
    let text = source;
    for (let left = 1 + this.#random.below(3); left > 0; left--) {
      const at = this.#random.below(text.length + 1);
      const from = this.#random.below(text.length + 1);
      const cut = this.#random.below(3);
      const inserted = this.#pick([
        '',
        this.#pick(PIECES),
        this.#pick(PIECES),
        text.slice(from, from + this.#random.below(20)),
      ]);
      text = text.slice(0, at) + inserted + text.slice(at + cut);
    }
    return text;
  }

  #topLevel(): string {
    switch (this.#random.below(8)) {
      case 0:
        return `/delete-node/ ${this.#pick(REFERENCES.slice(0, 3))};`;
      case 1:
        return `/omit-if-no-ref/ ${this.#pick(REFERENCES.slice(0, 3))};`;
      case 2:
        return `${this.#label()}${this.#pick(REFERENCES)} ${this.#body(2)}`;
      case 3:
        return `${this.#pick(REFERENCES)} ${this.#body(2)}`;
      default:
        return `/ ${this.#body(3)}`;
    }
  }

  #body(depth: number): string {
    const parts: string[] = [];
    for (let left = this.#random.below(4); left > 0; left--) parts.push(this.#property());
    for (let left = depth > 0 ? this.#random.below(3) : 0; left > 0; left--) {
      const name = this.#pick(this.#names);
      if (this.#one(6)) parts.push(`/delete-node/ ${name};`);
      else
        parts.push(
          `${this.#one(8) ? '/omit-if-no-ref/ ' : ''}${this.#label()}${name} ${this.#body(depth - 1)}`,
        );
    }
    return `{ ${parts.join(' ')} };`;
  }

  #property(): string {
    const name = this.#pick(this.#names);
    if (this.#one(12)) return `/delete-property/ ${name};`;
    if (this.#one(6)) return `${this.#label()}${name};`;
    if (name.endsWith('phandle')) return `${name} = <${this.#pick(['1', '2', '3', '&l', '&m'])}>;`;
    const values = Array.from({ length: 1 + this.#random.below(2) }, () => this.#value());
    return `${this.#label()}${name} = ${this.#label()}${values.join(', ')} ${this.#label()};`;
  }

  #value(): string {
    switch (this.#random.below(7)) {
      case 0:
        return this.#pick(STRINGS);
      case 1:
        return `[0${this.#random.below(9)} ${this.#label()}aF]`;
      case 2:
        return this.#one(3) ? this.#pick(REFERENCES) : '[]';
      case 3:
        return `/bits/ ${this.#pick(BITS)} <(${this.#expression(4)} & 0xff)>`;
      default:
        return `<${Array.from({ length: this.#random.below(4) }, () => this.#cell()).join(' ')}>`;
    }
  }

  #cell(): string {
    switch (this.#random.below(10)) {
      case 0:
        return this.#pick(REFERENCES);
      case 1:
        return `((${this.#expression(4)}) & 0xffffffff)`;
      case 2:
        return `${this.#label()}7`;
      default:
        return String(this.#random.below(5));
    }
  }

  #expression(depth: number): string {
    if (depth <= 0 || this.#one(3)) return this.#pick(NUMBERS);
    const operand = (): string => this.#expression(depth - 1);
    switch (this.#random.below(4)) {
      case 0:
        return `${this.#pick(['-', '~', '!'])} ${operand()}`;
      case 1:
        return `(${operand()})`;
      case 2:
        return `${operand()} ${this.#pick(BINARY)} ${operand()}`;
      default:
        return `${operand()} ? ${operand()} : ${operand()}`;
    }
  }

  /** Now and then a label, mostly a new one. */
  #label(): string {
    if (!this.#one(4)) return '';
    return `${this.#one(40) ? this.#pick(LABELS) : `u${this.#labels++}`}: `;
  }

  #one(chance: number): boolean {
    return this.#random.below(chance) === 0;
  }

  #pick(items: readonly string[]): string {
    return this.#random.pick(items);
  }
}
