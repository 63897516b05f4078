// What the calculator knows by name.
import { BuiltinFault } from '../builtin-tool.ts';
import { Num } from './number.ts';

interface NamedFunction {
  readonly least: number;
  readonly most: number;
  readonly apply: (...args: readonly Num[]) => Num;
}

export const CONSTANTS: ReadonlyMap<string, Num> = new Map([
  ['pi', Num.acos(-1)],
  ['tau', Num.acos(-1).times(2)],
  ['e', Num.exp(1)],
]);

const one = (apply: (value: Num) => Num): NamedFunction => ({
  least: 1,
  most: 1,
  apply: (value = new Num(0)) => apply(value),
});
const two = (apply: (left: Num, right: Num) => Num): NamedFunction => ({
  least: 2,
  most: 2,
  apply: (left = new Num(0), right = new Num(0)) => apply(left, right),
});
const many = (apply: (...args: Num[]) => Num): NamedFunction => ({
  least: 1,
  most: 100,
  apply: (...args) => apply(...args),
});

export const FUNCTIONS: ReadonlyMap<string, NamedFunction> = new Map(
  Object.entries({
    abs: one((value) => value.abs()),
    sqrt: one((value) => value.sqrt()),
    cbrt: one((value) => value.cbrt()),
    exp: one((value) => value.exp()),
    ln: one((value) => value.ln()),
    log10: one((value) => Num.log10(value)),
    log2: one((value) => Num.log2(value)),
    log: {
      least: 1,
      most: 2,
      apply: (value = new Num(0), base?: Num) => (base === undefined ? value.ln() : Num.log(value, base)),
    },
    sin: one((value) => nearZero(angle(value).sin())),
    cos: one((value) => nearZero(angle(value).cos())),
    tan: one((value) => nearZero(angle(value).sin()).div(nearZero(value.cos()))),
    asin: one((value) => value.asin()),
    acos: one((value) => value.acos()),
    atan: one((value) => value.atan()),
    atan2: two((y, x) => Num.atan2(y, x)),
    round: { least: 1, most: 2, apply: round },
    floor: one((value) => value.floor()),
    ceil: one((value) => value.ceil()),
    trunc: one((value) => value.trunc()),
    sign: one((value) => new Num(Num.sign(value))),
    min: many((...args) => Num.min(...args)),
    max: many((...args) => Num.max(...args)),
    sum: many((...args) => Num.sum(...args)),
    avg: many((...args) => Num.sum(...args).div(args.length)),
    hypot: many((...args) => Num.hypot(...args)),
    pow: two((base, exponent) => base.pow(exponent)),
    mod: two(modulo),
    gcd: two((left, right) => commonDivisor(whole(left, 'gcd'), whole(right, 'gcd'))),
    factorial: one(factorial),
  }),
);

/** With the sign of the divisor, as on paper: -7 mod 3 is 2. */
export function modulo(left: Num, right: Num): Num {
  if (right.isZero()) throw new BuiltinFault('Division by zero.');
  const rest = left.mod(right);
  return rest.isZero() || rest.isNegative() === right.isNegative() ? rest : rest.plus(right);
}

const MAX_FACTORIAL = 1000;

export function factorial(value: Num): Num {
  const top = whole(value, 'factorial').toNumber();
  if (top < 0 || top > MAX_FACTORIAL) {
    throw new BuiltinFault(`factorial takes whole numbers from 0 to ${MAX_FACTORIAL}.`);
  }
  let product = new Num(1);
  for (let factor = 2; factor <= top; factor += 1) product = product.times(factor);
  return product;
}

/** Half goes away from zero. */
function round(value = new Num(0), places = new Num(0)): Num {
  const digits = whole(places, 'round').toNumber();
  if (Math.abs(digits) > 50) throw new BuiltinFault('round takes -50 to 50 digits.');
  const shift = new Num(10).pow(digits);
  return value.times(shift).toDecimalPlaces(0, Num.ROUND_HALF_UP).div(shift);
}

/** Of a larger one nothing is left beyond whole turns, and the library lacks the digits of pi. */
function angle(value: Num): Num {
  if (value.abs().lt('1e40')) return value;
  throw new BuiltinFault('An angle is too large.');
}

/** pi is known to so many digits only: its sine is meant to be 0. */
function nearZero(value: Num): Num {
  return value.abs().lt('1e-50') ? new Num(0) : value;
}

function commonDivisor(left: Num, right: Num): Num {
  let [larger, smaller] = [left.abs(), right.abs()];
  while (!smaller.isZero()) [larger, smaller] = [smaller, larger.mod(smaller)];
  return larger;
}

/** Within what is exact. */
function whole(value: Num, name: string): Num {
  if (value.isInteger() && value.abs().lt('1e50')) return value;
  throw new BuiltinFault(`${name} takes whole numbers of at most 50 digits.`);
}
