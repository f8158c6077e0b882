// SPDX-License-Identifier: Apache-2.0

/** A place inside a property value that something is known about. */
export interface SourceMarker {
  /** `phandle`: a cell to be filled in; `path`: a string to be inserted; `label`: a name for the place. */
  readonly kind: 'phandle' | 'path' | 'label';
  /** In bytes from the start of the value as written, without the strings to be inserted. */
  readonly offset: number;
  /** The label, or for references the label or path that is meant. */
  readonly text: string;
  /** Where it stands in the source. */
  readonly at: number;
}

/** A property value before its references are known. */
export interface SourceValue {
  readonly bytes: Uint8Array;
  readonly markers: readonly SourceMarker[];
}

/** A property without a value. */
export const EMPTY_VALUE: SourceValue = { bytes: new Uint8Array(0), markers: [] };

/** Labels by name, with where each stands; a deleted one may be revived. */
export type SourceLabels = Map<string, { readonly at: number; live: boolean }>;

/** Lists up to this length are searched without an index. */
const SHORT_LIST = 8;

/** Deleted things stay in their lists: they keep the place for one of the same name that comes later, as in dtc. */
class SourceItem {
  readonly name: string;
  /** Where it stands in the source. */
  readonly at: number;
  deleted: boolean;
  labels: SourceLabels | undefined;

  constructor(name: string, at: number, deleted: boolean, labels: SourceLabels | undefined) {
    this.name = name;
    this.at = at;
    this.deleted = deleted;
    this.labels = labels;
  }

  /** Adds a label, or revives the deleted one of that name. */
  addLabel(text: string, at: number): void {
    this.labels ??= new Map();
    const known = this.labels.get(text);
    if (known === undefined) this.labels.set(text, { at, live: true });
    else known.live = true;
  }

  protected deleteLabels(): void {
    for (const label of this.labels?.values() ?? []) label.live = false;
  }
}

/** A property of a devicetree source. */
export class SourceProperty extends SourceItem {
  value: SourceValue;

  constructor(name: string, at: number, value: SourceValue | undefined, labels: SourceLabels | undefined) {
    super(name, at, value === undefined, labels);
    this.value = value ?? EMPTY_VALUE;
  }

  /** Marks the property, and its labels, as deleted. */
  delete(): void {
    this.deleted = true;
    this.deleteLabels();
  }
}

/** Items in order, with a search by name that is fast for long lists too. */
export class SourceList<Item extends SourceItem> {
  /** All of them, deleted ones too. */
  readonly items: Item[] = [];
  #index: Map<string, Item> | undefined;
  /** Those that may be live, where that is known to be fewer than all. */
  #touched: Item[] | undefined;

  /** The first item called `name`, deleted or not. */
  find(name: string): Item | undefined {
    const { items } = this;
    if (items.length <= SHORT_LIST) return items.find((item) => item.name === name);
    if (this.#index === undefined) {
      this.#index = new Map();
      for (const item of items) if (!this.#index.has(item.name)) this.#index.set(item.name, item);
    }
    return this.#index.get(name);
  }

  append(item: Item): void {
    this.items.push(item);
    this.#touched?.push(item);
    if (this.#index !== undefined && !this.#index.has(item.name)) this.#index.set(item.name, item);
  }

  /** To be called when an item that was deleted no longer is. */
  revived(item: Item): void {
    this.#touched?.push(item);
  }

  /** The items that may be live. They are taken to be deleted now, so that deleting again does not visit them again. */
  takeLive(): readonly Item[] {
    const live = this.#touched ?? this.items;
    this.#touched = [];
    return live;
  }
}

/** A node of a devicetree source. */
export class SourceNode extends SourceItem {
  parent: SourceNode | undefined;
  readonly properties: SourceList<SourceProperty> = new SourceList();
  readonly children: SourceList<SourceNode> = new SourceList();
  /** `/omit-if-no-ref/` was said of the node. */
  omitIfUnreferenced: boolean;
  /** A property refers to the node. */
  isReferenced = false;
  /** 0 while there is none. */
  phandle = 0;
  /** Children that are not the first of their name, the last one first; made when first needed. */
  #later: Map<string, SourceNode[]> | undefined;

  constructor(
    name: string,
    at: number,
    deleted: boolean,
    labels: SourceLabels | undefined,
    omitIfUnreferenced: boolean,
  ) {
    super(name, at, deleted, labels);
    this.omitIfUnreferenced = omitIfUnreferenced;
  }

  /** The first child called `name` that is not deleted. */
  liveChild(name: string): SourceNode | undefined {
    const first = this.children.find(name);
    if (first === undefined || !first.deleted) return first;
    // Only the first of a name can be revived, and a child added later is the first of its name.
    this.#later ??= this.#findLater();
    const later = this.#later.get(name);
    while (later?.at(-1)?.deleted) later.pop();
    return later?.at(-1);
  }

  #findLater(): Map<string, SourceNode[]> {
    const later = new Map<string, SourceNode[]>();
    const { children } = this;
    for (const child of children.items.toReversed()) {
      if (child === children.find(child.name)) continue;
      const others = later.get(child.name);
      if (others === undefined) later.set(child.name, [child]);
      else others.push(child);
    }
    return later;
  }

  /** Marks the node and all below it as deleted, with all labels. */
  delete(): void {
    const pending: SourceNode[] = [this];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      node.deleted = true;
      for (const child of node.children.takeLive()) if (!child.deleted) pending.push(child);
      for (const property of node.properties.takeLive()) if (!property.deleted) property.delete();
      node.deleteLabels();
    }
  }
}
