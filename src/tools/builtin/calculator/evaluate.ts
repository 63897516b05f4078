// An expression of arithmetic, read from left to right and worked out on the way. Nothing of it is ever run as code.
import { BuiltinFault } from '../builtin-tool.ts';
import { CONSTANTS, FUNCTIONS, factorial, modulo } from './functions.ts';
import { checked, type Num, readNumber } from './number.ts';

/** Brackets within brackets, and signs before signs. */
const MAX_DEPTH = 100;

const NUMBER = /0[xX][0-9a-fA-F]+|(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const NAME = /[A-Za-z][A-Za-z0-9]*/y;
const SIGN = /\*\*|[-+*/^%!(),]/y;
/** As people and other programs write them. */
const OTHER_SIGNS: Readonly<Record<string, string>> = { '×': '*', '·': '*', '÷': '/', '−': '-', '–': '-' };

interface Token {
  readonly kind: 'number' | 'name' | 'sign' | 'end';
  readonly text: string;
  /** From 1. */
  readonly place: number;
}

/** @throws BuiltinFault that says what is wrong, and where */
export function evaluate(expression: string): Num {
  return new Evaluation(readTokens(expression)).whole();
}

function readTokens(expression: string): readonly Token[] {
  const text = expression.replace(/[×·÷−–]/g, (sign) => OTHER_SIGNS[sign] ?? sign);
  const tokens: Token[] = [];
  let at = 0;
  const take = (kind: Token['kind'], pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found === undefined) return false;
    tokens.push({ kind, text: found, place: at + 1 });
    at += found.length;
    return true;
  };
  while (at < text.length) {
    if (/\s/.test(text[at] ?? '')) at += 1;
    else if (!take('number', NUMBER) && !take('name', NAME) && !take('sign', SIGN)) {
      const sign = String.fromCodePoint(text.codePointAt(at) ?? 0);
      throw new BuiltinFault(`'${sign.toWellFormed()}' at ${at + 1} means nothing here.`);
    }
  }
  return [...tokens, { kind: 'end', text: 'the end', place: text.length + 1 }];
}

class Evaluation {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Num {
    const value = this.#sum();
    if (this.#next.kind === 'end') return value;
    const hint = this.#next.text === ',' ? ' Write 1000, not 1,000.' : '';
    throw this.#unexpected(`an operator such as + or *${hint === '' ? '' : '.'}${hint}`);
  }

  get #next(): Token {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new Error('read beyond the end');
    return token;
  }

  #takes(...signs: readonly string[]): string | null {
    const { kind, text } = this.#next;
    if (kind !== 'sign' || !signs.includes(text)) return null;
    this.#at += 1;
    return text;
  }

  #sum(): Num {
    let value = this.#product();
    for (;;) {
      const sign = this.#takes('+', '-');
      if (sign === null) return value;
      const right = this.#product();
      value = checked(sign === '+' ? value.plus(right) : value.minus(right));
    }
  }

  #product(): Num {
    let value = this.#signed();
    for (;;) {
      const sign = this.#takes('*', '/', '%');
      if (sign === null) return value;
      const right = this.#signed();
      if (sign === '*') value = checked(value.times(right));
      else if (sign === '%') value = checked(modulo(value, right));
      else if (right.isZero()) throw new BuiltinFault('Division by zero.');
      else value = checked(value.div(right));
    }
  }

  /** -2^2 is -4, and 2^-1 is a half. */
  #signed(): Num {
    return this.#deeper(() => {
      const sign = this.#takes('+', '-');
      if (sign !== null) return sign === '-' ? this.#signed().neg() : this.#signed();
      const base = this.#withMarks();
      return this.#takes('^', '**') === null ? base : checked(base.pow(this.#signed()));
    });
  }

  /** `5!` and `20%`. */
  #withMarks(): Num {
    let value = this.#single();
    for (;;) {
      if (this.#takes('!') !== null) value = checked(factorial(value));
      else if (this.#isPercent() && this.#takes('%') !== null) value = checked(value.div(100));
      else return value;
    }
  }

  /** Before another number it is the rest of a division. */
  #isPercent(): boolean {
    const { kind = 'end', text = '' } = this.#tokens[this.#at + 1] ?? {};
    return kind === 'end' || (kind === 'sign' && text !== '(');
  }

  #single(): Num {
    const token = this.#next;
    if (this.#takes('(') !== null) {
      const value = this.#deeper(() => this.#sum());
      this.#close();
      return value;
    }
    if (token.kind !== 'number' && token.kind !== 'name') throw this.#unexpected('a number');
    this.#at += 1;
    if (token.kind === 'number') return readNumber(token.text);
    return this.#takes('(') === null ? constant(token) : this.#call(token);
  }

  #call({ text }: Token): Num {
    const called = FUNCTIONS.get(text.toLowerCase());
    if (called === undefined) throw new BuiltinFault(unknownText(`function '${text}'`, FUNCTIONS.keys()));
    const args: Num[] = [];
    if (this.#takes(')') === null) {
      do args.push(this.#deeper(() => this.#sum()));
      while (this.#takes(',') !== null);
      this.#close();
    }
    const { least, most } = called;
    if (args.length < least || args.length > most) {
      const range = least === most ? `${least}` : `${least} to ${most}`;
      throw new BuiltinFault(`${text} takes ${range} numbers, and was given ${args.length}.`);
    }
    return checked(called.apply(...args));
  }

  #close(): void {
    if (this.#takes(')') === null) throw this.#unexpected("')'");
  }

  #deeper(read: () => Num): Num {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new BuiltinFault('The expression is nested too deeply.');
    const value = read();
    this.#depth -= 1;
    return value;
  }

  #unexpected(expected: string): BuiltinFault {
    const { kind, text, place } = this.#next;
    const found = kind === 'end' ? 'it ends' : `there is '${text}'`;
    return new BuiltinFault(`At ${place} ${found}, where it should have ${expected}`);
  }
}

function constant({ text }: Token): Num {
  const value = CONSTANTS.get(text.toLowerCase());
  if (value !== undefined) return value;
  if (FUNCTIONS.has(text.toLowerCase())) throw new BuiltinFault(`${text} is a function: write ${text}(…).`);
  throw new BuiltinFault(unknownText(`name '${text}'`, CONSTANTS.keys()));
}

function unknownText(what: string, known: Iterable<string>): string {
  return `There is no ${what.slice(0, 50)}. There are: ${[...known].join(', ')}.`;
}
