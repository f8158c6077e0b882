// SPDX-License-Identifier: Apache-2.0
import type { DtsLexer } from './lex.js';
import {
  TOKEN_AND,
  TOKEN_CHARACTER,
  TOKEN_EQUAL,
  TOKEN_GREATER_EQUAL,
  TOKEN_INTEGER,
  TOKEN_LESS_EQUAL,
  TOKEN_NOT_EQUAL,
  TOKEN_OR,
  TOKEN_SHIFT_LEFT,
  TOKEN_SHIFT_RIGHT,
} from './token.js';

const OPEN = 0x28;
const CLOSE = 0x29;
const QUESTION = 0x3f;
const COLON = 0x3a;

/** An operator on the stack. Those with precedence 0 wait for a token and are not applied by a later operator. */
interface Operator {
  readonly precedence: number;
  readonly apply: (operands: Operands) => bigint;
}

/** The operands on the stack; an operator takes its own from the top. */
interface Operands {
  pop(): bigint;
}

function binary(precedence: number, apply: (left: bigint, right: bigint) => bigint): Operator {
  return {
    precedence,
    apply: (operands) => {
      const right = operands.pop();
      return apply(operands.pop(), right);
    },
  };
}

function unary(apply: (operand: bigint) => bigint): Operator {
  return { precedence: 11, apply: (operands) => apply(operands.pop()) };
}

function truth(value: boolean): bigint {
  return value ? 1n : 0n;
}

/** C's operators with C's precedence on unsigned 64-bit numbers; a shift by 64 or more gives 0, as in dtc. */
const BINARY: ReadonlyMap<number, Operator> = new Map([
  [TOKEN_OR, binary(1, (left, right) => truth(left !== 0n || right !== 0n))],
  [TOKEN_AND, binary(2, (left, right) => truth(left !== 0n && right !== 0n))],
  [0x7c, binary(3, (left, right) => left | right)],
  [0x5e, binary(4, (left, right) => left ^ right)],
  [0x26, binary(5, (left, right) => left & right)],
  [TOKEN_EQUAL, binary(6, (left, right) => truth(left === right))],
  [TOKEN_NOT_EQUAL, binary(6, (left, right) => truth(left !== right))],
  [0x3c, binary(7, (left, right) => truth(left < right))],
  [0x3e, binary(7, (left, right) => truth(left > right))],
  [TOKEN_LESS_EQUAL, binary(7, (left, right) => truth(left <= right))],
  [TOKEN_GREATER_EQUAL, binary(7, (left, right) => truth(left >= right))],
  [TOKEN_SHIFT_LEFT, binary(8, (left, right) => (right < 64n ? left << right : 0n))],
  [TOKEN_SHIFT_RIGHT, binary(8, (left, right) => (right < 64n ? left >> right : 0n))],
  [0x2b, binary(9, (left, right) => left + right)],
  [0x2d, binary(9, (left, right) => left - right)],
  [0x2a, binary(10, (left, right) => left * right)],
  [0x2f, binary(10, (left, right) => left / right)],
  [0x25, binary(10, (left, right) => left % right)],
]);

const UNARY: ReadonlyMap<number, Operator> = new Map([
  [0x2d, unary((operand) => -operand)],
  [0x7e, unary((operand) => ~operand)],
  [0x21, unary((operand) => truth(operand === 0n))],
]);

const waiting = (): bigint => 0n;
const PARENTHESIS: Operator = { precedence: 0, apply: waiting };
/** `?`, waiting for its colon. */
const CONDITION: Operator = { precedence: 0, apply: waiting };
/** `? … :`, complete but for its last operand. It binds weakest and to the right. */
const CHOICE: Operator = {
  precedence: 0.5,
  apply: (operands) => {
    const otherwise = operands.pop();
    const then = operands.pop();
    return operands.pop() === 0n ? otherwise : then;
  },
};

/**
 * Reads an expression in parentheses, the lexer standing on the opening one and afterwards on what follows the closing
 * one. Every operand is evaluated, as in dtc: a division by zero counts even where it is not chosen.
 *
 * @returns its value, an unsigned 64-bit number
 * @throws DtsError SYNTAX; RANGE for a division by zero
 */
export function readExpression(lexer: DtsLexer): bigint {
  return new Evaluation(lexer).run();
}

/** Operator-precedence evaluation on two stacks: nesting costs memory in proportion to the source, never call depth. */
class Evaluation implements Operands {
  readonly #lexer: DtsLexer;
  readonly #operands: bigint[] = [];
  readonly #operators: Operator[] = [];

  constructor(lexer: DtsLexer) {
    this.#lexer = lexer;
  }

  run(): bigint {
    const lexer = this.#lexer;
    while (true) {
      this.#readOperand();
      while (lexer.kind === CLOSE) {
        this.#reduce(PARENTHESIS);
        this.#operators.pop();
        lexer.next();
        if (this.#operators.length === 0) return this.pop();
      }
      this.#readOperator();
    }
  }

  pop(): bigint {
    return this.#operands.pop() ?? 0n;
  }

  #readOperand(): void {
    const lexer = this.#lexer;
    while (true) {
      const { kind } = lexer;
      if (kind === TOKEN_INTEGER || kind === TOKEN_CHARACTER) {
        this.#operands.push(BigInt(lexer.value));
        lexer.next();
        return;
      }
      const operator = kind === OPEN ? PARENTHESIS : UNARY.get(kind);
      if (operator === undefined) throw this.#unexpected('a number or "("');
      this.#operators.push(operator);
      lexer.next();
    }
  }

  #readOperator(): void {
    const { kind } = this.#lexer;
    const operator = BINARY.get(kind);
    if (operator !== undefined) {
      this.#applyDownTo(operator.precedence);
      this.#operators.push(operator);
    } else if (kind === QUESTION) {
      this.#applyDownTo(1);
      this.#operators.push(CONDITION);
    } else if (kind === COLON) {
      this.#reduce(CONDITION);
      this.#operators[this.#operators.length - 1] = CHOICE;
    } else {
      throw this.#unexpected('an operator or ")"');
    }
    this.#lexer.next();
  }

  /** Applies everything down to the operator that waits for the current token. */
  #reduce(waitingFor: Operator): void {
    this.#applyDownTo(CHOICE.precedence);
    if (this.#operators.at(-1) === waitingFor) return;
    throw this.#unexpected(waitingFor === PARENTHESIS ? '":"' : '")"');
  }

  #applyDownTo(precedence: number): void {
    for (
      let top = this.#operators.at(-1);
      top !== undefined && top.precedence >= precedence;
      top = this.#operators.at(-1)
    ) {
      this.#operators.pop();
      this.#operands.push(BigInt.asUintN(64, this.#apply(top)));
    }
  }

  #apply(operator: Operator): bigint {
    const isDivision = operator === BINARY.get(0x2f) || operator === BINARY.get(0x25);
    if (isDivision && this.#operands.at(-1) === 0n) {
      throw this.#lexer.error({ code: 'RANGE', message: 'division by zero before this place' });
    }
    return operator.apply(this);
  }

  #unexpected(expected: string): Error {
    return this.#lexer.unexpected(`${expected} in an expression`);
  }
}
