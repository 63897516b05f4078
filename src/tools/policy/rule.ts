// One line of an operator's policy: `NAME` or `NAME(argument=GLOB)`.
import { fitsGlob, fitsName } from '../name-pattern.ts';

export interface PolicyRule {
  /** As the operator wrote it. */
  readonly text: string;
  /** A name, a glob over names, or `mcp__server`. */
  readonly name: string;
  /** Null: whatever the arguments are. */
  readonly argument: { readonly name: string; readonly glob: string } | null;
}

export interface RuledCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

const MAX_LENGTH = 1000;
const RULE = /^(?<name>[A-Za-z0-9_*?-]+)(?:\((?<argument>[^()=]+)=(?<glob>.*)\))?$/s;

/** @returns null where it is no rule */
export function parseRule(text: string): PolicyRule | null {
  const { name, argument, glob } = (text.length <= MAX_LENGTH && RULE.exec(text)?.groups) || {};
  if (name === undefined) return null;
  if (argument === undefined || glob === undefined) return { text, name, argument: null };
  return { text, name, argument: { name: argument.trim(), glob } };
}

/** Arguments count where they are text, numbers or booleans at the top. */
export function fitsRule({ name, argument }: PolicyRule, call: RuledCall): boolean {
  if (!fitsName(name, call.name)) return false;
  if (argument === null) return true;
  const value = argumentText(argument.name, call);
  return value !== null && fitsGlob(argument.glob, value);
}

/** As `fitsRule`, for rules that let calls run: a path that climbs out of a folder is not in it. */
export function fitsAllowRule(rule: PolicyRule, call: RuledCall): boolean {
  const value = rule.argument === null ? null : argumentText(rule.argument.name, call);
  if (value !== null && value.split(/[/\\]/).includes('..')) return false;
  return fitsRule(rule, call);
}

function argumentText(name: string, { arguments: args }: RuledCall): string | null {
  const value = Object.hasOwn(args, name) ? args[name] : undefined;
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}
