// SPDX-License-Identifier: Apache-2.0
// Branch counters woven into TypeScript sources. V8's own coverage can only be asked for as a whole, which takes longer
// than most inputs do; a counter costs an increment, and all of them can be looked at after every input.
import ts from 'typescript';

const SHORT_CIRCUITS: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.QuestionQuestionToken,
]);

/** A source with counters. */
export interface Instrumented {
  readonly code: string;
  /** The first counter that it does not use. */
  readonly next: number;
}

/**
 * Puts a counter at the start of every function, branch, loop body, case, and right side of a short-circuit, and where
 * an `if` without `else` goes on.
 *
 * @param first - number of the first counter
 * @param counters - an expression for the array of counters
 */
export function instrument(fileName: string, source: string, first: number, counters: string): Instrumented {
  const file = ts.createSourceFile(fileName, source, ts.ScriptTarget.ESNext, true);
  const insertions: { readonly at: number; readonly text: string }[] = [];
  let next = first;
  const hit = (): string => `__hits[${next++}]++`;
  const insert = (at: number, text: string): void => {
    insertions.push({ at, text });
  };

  /** Puts counters before and, once the inside was seen, brackets behind: inner ones end first. */
  const wrap = (child: ts.Node, open: string, close: string): void => {
    insert(child.getStart(file), open);
    visit(child);
    insert(child.getEnd(), close);
  };
  const branch = (child: ts.Node): void => {
    if (ts.isBlock(child)) {
      insert(child.getStart(file) + 1, `${hit()};`);
      visit(child);
    } else if (ts.isStatement(child)) wrap(child, `{${hit()};`, '}');
    else wrap(child, `(${hit()}, `, ')');
  };
  const visit = (node: ts.Node): void => {
    const branches = branchesOf(node);
    if (ts.isCaseOrDefaultClause(node)) {
      const colon = node.getChildren(file).find(({ kind }) => kind === ts.SyntaxKind.ColonToken);
      if (colon !== undefined) insert(colon.getEnd(), `${hit()};`);
    }
    ts.forEachChild(node, (child) => (branches.includes(child) ? branch(child) : visit(child)));
    if (ts.isIfStatement(node) && node.elseStatement === undefined) insert(node.getEnd(), ` else ${hit()};`);
  };
  visit(file);
  return { code: withInsertions(source, insertions, counters), next };
}

/** The children of a node that run or do not run. */
function branchesOf(node: ts.Node): readonly ts.Node[] {
  if (ts.isIfStatement(node))
    return [node.thenStatement, ...(node.elseStatement ? [node.elseStatement] : [])];
  if (ts.isIterationStatement(node, false)) return [node.statement];
  if (ts.isConditionalExpression(node)) return [node.whenTrue, node.whenFalse];
  if (ts.isBinaryExpression(node)) return SHORT_CIRCUITS.has(node.operatorToken.kind) ? [node.right] : [];
  if (ts.isCatchClause(node)) return [node.block];
  return ts.isFunctionLike(node) && 'body' in node && node.body !== undefined ? [node.body] : [];
}

function withInsertions(
  source: string,
  insertions: readonly { readonly at: number; readonly text: string }[],
  counters: string,
): string {
  // The sort is stable: of insertions at one place, what was put in first stands first.
  const pieces = [`const __hits = ${counters};`];
  let done = 0;
  for (const { at, text } of [...insertions].sort((a, b) => a.at - b.at)) {
    pieces.push(source.slice(done, at), text);
    done = at;
  }
  pieces.push(source.slice(done));
  return pieces.join('');
}
