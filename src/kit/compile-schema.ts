// A JSON Schema made into a function, quickly and within bounds: it is a program that somebody else wrote.
import { type Context, createContext, Script } from 'node:vm';
import type { Ajv2020, ValidateFunction } from 'ajv/dist/2020.js';
import { loadAjv2020, loadRe2 } from './late-packages.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** Larger schemas cost more to compile than any answer is worth. */
const MAX_SCHEMA_LENGTH = 100_000;
/** References that fan out can take for ever; the largest sensible schemas take a fraction of this. Milliseconds. */
const TIME_LIMIT_MS = 900;
/** Clients send the same few schemas again and again, and every answer is held against the one of its request. */
const MAX_KEPT = 16;

const OPTIONS = { strict: false, inlineRefs: false, validateFormats: false, logger: false } as const;

export interface CompileOptions {
  /** Every misfit is told, with the part of the schema that it does not fit: for values of a bounded size. */
  readonly tellsAll?: boolean;
}

/** Knows what a schema is. Building it takes longer than anything else here: once, when it is needed. */
let judge: Ajv2020 | null = null;
/** The least recently used first. */
const kept = new Map<string, ValidateFunction>();

/** @throws Error that says what is wrong with the schema, or one of the limits of `withinTime` */
export function compileSchema(schema: JsonSchema, options: CompileOptions = {}): ValidateFunction {
  const text = JSON.stringify(schema);
  return withinTime(() => compile(text, options));
}

/** The same for those that come again and again. @throws as `compileSchema` */
export function recallSchema(schema: JsonSchema): ValidateFunction {
  const text = JSON.stringify(schema);
  const known = kept.get(text);
  const validate = known ?? withinTime(() => compile(text));
  kept.delete(text);
  kept.set(text, validate);
  const [oldest] = kept.keys();
  if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
  return validate;
}

/** What does not fit, in the compiler's words; `answer` stands for the value. */
export function misfitsOf(validate: ValidateFunction): string {
  return schemaJudge().errorsText(validate.errors, { dataVar: 'answer' });
}

/** Made when it is needed: it is a realm of its own. */
let context: Context | null = null;
const runInTime = new Script('run()');

/** A machine so busy that this thread hardly runs is not waited for without end. */
const MAX_TRIES = 10;

/**
 * Runs a function on this thread, but not for longer than the limit. What was stopped while others had the processor is
 * run again: on a busy machine the clock goes on, and nothing was wrong.
 * @param run may be stopped half-way and run anew @throws what it throws, or on time-out
 */
export function withinTime<T>(run: () => T): T {
  let spentMs = 0;
  for (let tries = 1; ; tries += 1) {
    const before = process.cpuUsage();
    try {
      return withinClock(run);
    } catch (error) {
      const { user, system } = process.cpuUsage(before);
      spentMs += (user + system) / 1000;
      if (!isTimeOut(error) || spentMs >= TIME_LIMIT_MS || tries === MAX_TRIES) throw error;
    }
  }
}

function withinClock<T>(run: () => T): T {
  const result: { value?: T } = {};
  context ??= createContext();
  context['run'] = () => {
    result.value = run();
  };
  try {
    runInTime.runInContext(context, { timeout: TIME_LIMIT_MS });
  } catch (error) {
    // It may have been stopped half-way.
    if (isTimeOut(error)) judge = null;
    throw error;
  } finally {
    context['run'] = () => undefined;
  }
  // Set by the call above, which throws otherwise.
  return result.value as T;
}

/** The compiler's own words name the fault, except where it tripped over it, or ran out of stack or time. */
export function schemaFault(error: unknown): string {
  if (isTimeOut(error)) return `it takes too long (over ${TIME_LIMIT_MS} ms)`;
  if (error instanceof RangeError) return 'it refers to itself without end';
  return error instanceof TypeError || !(error instanceof Error) ? 'it is not valid' : error.message;
}

/** It comes from the realm of the script, where `Error` is another one. */
function isTimeOut(error: unknown): boolean {
  return Object(error).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}

function compile(text: string, { tellsAll = false }: CompileOptions = {}): ValidateFunction {
  if (text.length > MAX_SCHEMA_LENGTH) throw new Error('it is over 100 kB');
  // Parsed anew: what is kept must not change with what the caller holds.
  const { $schema: _draft, ...schema }: JsonSchema = JSON.parse(text);
  if (schema['$async'] !== undefined) throw new Error('it may not be asynchronous');
  const judging = schemaJudge();
  if (judging.validateSchema(schema) !== true) {
    throw new Error(`schema is invalid: ${judging.errorsText(judging.errors)}`);
  }
  const { Ajv2020 } = loadAjv2020();
  return new Ajv2020({
    ...OPTIONS,
    meta: false,
    validateSchema: false,
    allErrors: tellsAll,
    verbose: tellsAll,
    // Optimising the code would take three times as long as all the rest.
    code: { optimize: false, regExp: linearRegExp },
  }).compile(schema);
}

function schemaJudge(): Ajv2020 {
  judge ??= new (loadAjv2020().Ajv2020)(OPTIONS);
  return judge;
}

/** A foreign pattern runs over a model's text on our thread: RE2 takes linear time, whatever the pattern. */
function linearRegExp(pattern: string): { test(text: string): boolean; toString(): string } {
  const { RE2JS } = loadRe2();
  const compiled = RE2JS.compile(RE2JS.translateRegExp(pattern));
  return {
    test: (text) => compiled.matcher(text).find(),
    // The compiler tells patterns apart by this.
    toString: () => JSON.stringify(pattern),
  };
}
linearRegExp.code = 'linearRegExp';
