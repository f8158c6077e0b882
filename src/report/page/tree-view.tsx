// SPDX-License-Identifier: Apache-2.0
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { formatHex } from '../../bytes/hex.js';
import { addressIn } from '../../schemas/lang/memory.js';
import type { Atlas } from '../atlas.js';
import { plainText, type TextRun } from '../text-run.js';
import type { TreeNode, TreePlace } from '../tree-node.js';
import { RunText } from './run-text.js';
import { VirtualList } from './virtual-list.js';

const ROW = 24;
/** Deeper rows are not indented further, so that their text stays in sight. */
const MAX_INDENT = 14;
/** Rows that are open at first, at most. */
const FIRST_ROWS = 200;

interface Row {
  readonly node: TreeNode;
  readonly depth: number;
}

/** What the tree needs. */
export interface TreeViewProps {
  readonly atlas: Atlas;
  /** The place that is looked at. */
  readonly selected: TreePlace | undefined;
  /** The field whose bytes the pointer is on. */
  readonly hovered: TreePlace | undefined;
  /** Opens the rows that lead to a place, when the object is another than before. */
  readonly reveal: { readonly place: TreePlace } | undefined;
  readonly onHover: (place: TreePlace | undefined) => void;
  readonly onSelect: (place: TreePlace) => void;
  /** How bad what is found in a place is; `undefined` where nothing is. */
  readonly severityOf: (place: TreePlace) => string | undefined;
}

/** The tree of consumers with their values. */
export function TreeView(props: TreeViewProps): JSX.Element {
  const { atlas, selected, hovered, reveal, onHover, onSelect, severityOf } = props;
  const [open, setOpen] = useState<ReadonlySet<TreeNode>>(() => firstOpen(atlas));
  const [cursor, setCursor] = useState<TreeNode | undefined>(undefined);
  const [show, setShow] = useState<{ readonly index: number } | undefined>(undefined);
  const rows = useMemo(() => flatten(atlas.top, open), [atlas, open]);
  const revealed = useRef<TreeViewProps['reveal']>(undefined);

  useEffect(() => {
    if (reveal === undefined || reveal === revealed.current) return;
    revealed.current = reveal;
    const path = atlas.pathTo(reveal.place.object, reveal.place.offset);
    const last = path.at(-1);
    if (last === undefined) return;
    const next = new Set(open);
    for (const node of path.slice(0, -1)) next.add(node);
    setOpen(next);
    setCursor(last);
    setShow({ index: flatten(atlas.top, next).findIndex(({ node }) => node === last) });
  }, [reveal]);

  const toggle = (node: TreeNode): void => {
    const next = new Set(open);
    if (!next.delete(node)) next.add(node);
    setOpen(next);
  };
  const move = (index: number): void => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (row === undefined) return;
    setCursor(row.node);
    setShow({ index: rows.indexOf(row) });
    if (row.node.place !== undefined) onSelect(row.node.place);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = rows.findIndex(({ node }) => node === cursor);
    const row = rows[at];
    const page = 20;
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: rows.length - 1,
    };
    const target = steps[event.key];
    if (target !== undefined) move(target);
    else if (row === undefined) return;
    else if (event.key === 'ArrowRight') {
      if (row.node.isBranch && !open.has(row.node)) toggle(row.node);
      else move(at + 1);
    } else if (event.key === 'ArrowLeft') {
      if (open.has(row.node)) toggle(row.node);
      else move(rows.findLastIndex(({ depth }, index) => index < at && depth < row.depth));
    } else if (event.key === 'Enter' || event.key === ' ') {
      if (row.node.isBranch) toggle(row.node);
    } else return;
    event.preventDefault();
  };
  const highlighted = hovered === undefined ? undefined : innermost(rows, hovered);
  return (
    <VirtualList
      class="tree"
      role="tree"
      label="Consumers and their values"
      count={rows.length}
      rowHeight={ROW}
      show={show}
      active={cursor === undefined ? undefined : 'tree-cursor'}
      printed={400}
      handlers={{ onKeyDown, onMouseLeave: () => onHover(undefined) }}
      row={(index) => {
        const row = rows[index];
        if (row === undefined) return <div />;
        const { node, depth } = row;
        return (
          <TreeRow
            node={node}
            depth={depth}
            isOpen={open.has(node)}
            isCursor={node === cursor}
            isSelected={selected !== undefined && samePlace(node.place, selected)}
            isHovered={node === highlighted}
            severity={node.place === undefined ? undefined : severityOf(node.place)}
            onToggle={() => toggle(node)}
            onHover={() => onHover(node.place)}
            onSelect={() => {
              setCursor(node);
              if (node.place !== undefined) onSelect(node.place);
              else toggle(node);
            }}
          />
        );
      }}
    />
  );
}

const values = new WeakMap<TreeNode, TextRun[]>();

/** The value of a row, made out once. */
function valueText(node: TreeNode): TextRun[] {
  const known = values.get(node) ?? node.value();
  values.set(node, known);
  return known;
}

interface TreeRowProps {
  readonly node: TreeNode;
  readonly depth: number;
  readonly isOpen: boolean;
  readonly isCursor: boolean;
  readonly isSelected: boolean;
  readonly isHovered: boolean;
  readonly severity: string | undefined;
  readonly onToggle: () => void;
  readonly onHover: () => void;
  readonly onSelect: () => void;
}

function TreeRow(props: TreeRowProps): JSX.Element {
  const { node, depth, isOpen, isCursor, isSelected, isHovered, severity } = props;
  const value = valueText(node);
  const isName = node.role === 'object' || node.role === 'node';
  const at = node.place && addressIn(node.place.object, node.place.offset);
  const where = at === undefined ? '' : ` (at ${formatHex(at)})`;
  const classes = ['tree-row', node.role];
  if (isCursor) classes.push('cursor');
  if (isSelected) classes.push('selected');
  if (isHovered) classes.push('hovered');
  return (
    <div
      class={classes.join(' ')}
      id={isCursor ? 'tree-cursor' : undefined}
      role="treeitem"
      tabIndex={-1}
      aria-level={depth + 1}
      aria-expanded={node.isBranch ? isOpen : undefined}
      aria-selected={isSelected}
      title={`${node.label}  ${plainText(value)}${where}`}
      onMouseEnter={props.onHover}
      onClick={props.onSelect}
      onDblClick={node.isBranch ? props.onToggle : undefined}
      onKeyDown={() => {}}
    >
      <span class="indent" style={{ width: `${Math.min(depth, MAX_INDENT) * 14}px` }} />
      <button
        type="button"
        class={node.isBranch ? `twisty${isOpen ? ' open' : ''}` : 'twisty none'}
        tabIndex={-1}
        aria-hidden="true"
        onClick={(event) => {
          event.stopPropagation();
          if (node.isBranch) props.onToggle();
        }}
      />
      {severity === undefined ? null : <span class={`dot l-${severity}`} title={`${severity} here`} />}
      <span class={isName ? 'label strong' : 'label'}>{node.label}</span>
      <span class="value">
        <RunText runs={value} />
      </span>
    </div>
  );
}

function flatten(top: readonly TreeNode[], open: ReadonlySet<TreeNode>): Row[] {
  const rows: Row[] = [];
  const add = (nodes: readonly TreeNode[], depth: number): void => {
    for (const node of nodes) {
      rows.push({ node, depth });
      if (node.isBranch && open.has(node)) add(node.children(), depth + 1);
    }
  };
  add(top, 0);
  return rows;
}

/** The tree at first: what is handed over, and a level or two of it while there is room. */
function firstOpen(atlas: Atlas): ReadonlySet<TreeNode> {
  const open = new Set<TreeNode>();
  let rows = atlas.top.length;
  let level: readonly TreeNode[] = atlas.top.filter(({ place }) => place !== undefined);
  for (let depth = 0; depth < 3 && rows < FIRST_ROWS; depth++) {
    const next: TreeNode[] = [];
    for (const node of level) {
      if (!node.isBranch || (depth > 0 && node.pointer !== undefined && node.place?.object.fdt !== undefined))
        continue;
      const children = node.children();
      if (rows + children.length > FIRST_ROWS) continue;
      open.add(node);
      rows += children.length;
      next.push(...children);
    }
    level = next;
  }
  return open;
}

function samePlace(a: TreePlace | undefined, b: TreePlace): boolean {
  return a !== undefined && a.object === b.object && a.offset === b.offset && a.length === b.length;
}

/** The row in the tree as it is open that says most of a place. */
function innermost(rows: readonly Row[], { object, offset }: TreePlace): TreeNode | undefined {
  let best: TreeNode | undefined;
  for (const { node } of rows) {
    const { place } = node;
    if (place?.object !== object || place.offset > offset || place.offset + place.length <= offset) continue;
    if (best?.place === undefined || place.length <= best.place.length) best = node;
  }
  return best;
}
