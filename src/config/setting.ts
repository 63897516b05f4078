// What one setting is: how its text is read, its default, and what is said of it.
import type { Parser } from './parsers.ts';

export interface Setting<T> {
  readonly parser: Parser<NonNullable<T>>;
  readonly default: T;
  readonly description: string;
  /** `value` unless stated: `--flag <value>`. A secret has none: arguments are visible to every process. */
  readonly flag?: 'value' | 'switch' | 'none';
}
