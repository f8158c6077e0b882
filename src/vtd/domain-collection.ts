// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import type { Attachment, Domain, DomainTables, TablesOrReason } from './domain.js';
import { levelsWidth } from './domain.js';
import type { Capabilities } from './registers.js';
import type { EntryPlace, TablePages } from './table-pages.js';
import type { TableRoot } from './walk-result.js';

interface OpenDomain extends Domain {
  readonly attachments: Attachment[];
  /** The entry that was met first. */
  readonly place: EntryPlace;
}

/** First entry of a domain id that has some translation. */
interface FirstUse {
  readonly tables: string;
  readonly entry: bigint;
}

/** Sorts entries into domains, and notes entries that contradict each other. */
export class DomainCollection {
  readonly #pages: TablePages;
  readonly #capabilities: Capabilities | undefined;
  readonly #limit: number;
  readonly #domains = new Map<string, OpenDomain>();
  /** Second stage by domain id: caches of hardware are tagged by the id alone. */
  readonly #second = new Map<number, FirstUse>();
  /** First stage by domain id and PASID, which tag its caches. */
  readonly #first = new Map<number, FirstUse>();
  #attachments = 0;

  constructor(pages: TablePages, capabilities: Capabilities | undefined, limit = 4_194_304) {
    this.#pages = pages;
    this.#capabilities = capabilities;
    this.#limit = limit;
  }

  /** Takes an entry up; `tables` says what is wrong when it stands for none. */
  add(tables: TablesOrReason, attachment: Attachment, place: EntryPlace): void {
    if (++this.#attachments > this.#limit) {
      this.#pages.find('LIMIT', place, () => `at most ${this.#limit} context and PASID entries are listed`);
      return;
    }
    if (tables === undefined) return;
    if (typeof tables === 'string') {
      this.#pages.find('RESERVED_VALUE', place, () => tables);
      return;
    }
    const second = rootText(tables.second);
    const first = rootText(tables.first);
    const { did, type } = tables;
    if (type !== 'first-stage') {
      this.#compare(this.#second, did, type === 'pass-through' ? 'pass-through' : second, attachment, place);
    }
    if (tables.first !== undefined) {
      this.#compare(this.#first, did * 2 ** 20 + (attachment.pasid ?? 0), first, attachment, place);
    }
    const key = `${did}/${type}/${first}/${second}`;
    let domain = this.#domains.get(key);
    if (domain === undefined) {
      domain = { ...tables, widthBits: this.#width(tables), attachments: [], place };
      this.#domains.set(key, domain);
    }
    domain.attachments.push(attachment);
  }

  /** The width that hardware translates: MGAW bounds second-stage addresses. */
  #width({ type, widthBits }: DomainTables): number | undefined {
    if (this.#capabilities === undefined || widthBits === undefined || type !== 'second-stage')
      return widthBits;
    return Math.min(widthBits, this.#capabilities.cap.MGAW + 1);
  }

  #compare(
    uses: Map<number, FirstUse>,
    key: number,
    tables: string,
    { entry }: Attachment,
    place: EntryPlace,
  ): void {
    const before = uses.get(key);
    if (before === undefined) {
      uses.set(key, { tables, entry });
    } else if (before.tables !== tables) {
      this.#pages.find(
        'DID_CONFLICT',
        place,
        () =>
          `domain id of the entry at ${formatHex(before.entry)}, which has ${before.tables}, here with ${tables}`,
      );
    }
  }

  /** All domains by ascending id, once every entry was added. */
  finish(): Domain[] {
    const domains = [...this.#domains.values()].sort((a, b) => a.did - b.did);
    return domains.map(({ place, ...domain }) => {
      if (domain.second !== undefined) this.#pages.checkTopTable(domain.second.table, place);
      else if (domain.first !== undefined) this.#pages.checkTopTable(domain.first.table, place);
      return domain;
    });
  }
}

function rootText(root: TableRoot | undefined): string {
  return root === undefined
    ? ''
    : `${levelsWidth(root.levels)}-bit ${root.stage}-stage table ${formatHex(root.table)}`;
}
