// The numbers of the calculator: decimal, so that 0.1 + 0.2 is 0.3, and wide enough that whole numbers stay whole.
import { Decimal } from 'decimal.js';
import { BuiltinFault } from '../builtin-tool.ts';

export const Num = Decimal.clone({ precision: 60 });
export type Num = Decimal;

/**
 * Of what goes from one operation into the next. Far within what the library has: where its own steps run out of
 * exponents, it never ends.
 */
const MAX_EXPONENT = 100_000;

/** @throws BuiltinFault for what is no number, or too far from 1 */
export function checked(value: Num): Num {
  if (value.isNaN()) throw new BuiltinFault('It has no real result.');
  if (value.isZero()) return value;
  if (!value.isFinite() || value.e > MAX_EXPONENT) throw new BuiltinFault('A number in it is too large.');
  if (value.e < -MAX_EXPONENT) throw new BuiltinFault('A number in it is too small.');
  return value;
}

/** Digits of a whole number that are shown: the last of the precision may be off. */
const WHOLE_DIGITS = 50;
const SHOWN_DIGITS = 20;

/** No longer than what is computed with: the library throws in the middle of its work when it lacks digits. */
export function readNumber(text: string): Num {
  return checked(new Num(text.replaceAll('_', '')).toSignificantDigits(Num.precision));
}

export function shownNumber(value: Num): string {
  if (value.isInteger() && value.e < WHOLE_DIGITS) return value.toFixed();
  return value.toSignificantDigits(SHOWN_DIGITS).toString();
}
