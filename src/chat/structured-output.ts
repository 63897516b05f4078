// Structured output: a schema from the client, an answer from the model, and whether one fits the other.
import { runInNewContext } from 'node:vm';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { RE2JS } from 're2js';
import { MochiError } from '../contract/errors.ts';

type Format = 'json' | Readonly<Record<string, unknown>>;

/** Larger schemas cost more to compile than any answer is worth. */
const MAX_SCHEMA_LENGTH = 100_000;

/** @throws MochiError validation_error for a schema that is none */
export function checkFormat(format: Format): void {
  if (format === 'json') return;
  try {
    if (JSON.stringify(format).length > MAX_SCHEMA_LENGTH) throw new Error('it is over 100 kB');
    withinTime(() => compile(format));
  } catch (error) {
    const reason = schemaFault(error);
    const message = `must be "json" or a JSON Schema: ${reason}`;
    throw new MochiError('validation_error', `The request is not valid: /format ${message}.`, {
      errors: [{ path: '/format', message }],
    });
  }
}

/** The value of an answer that was found to fit before. */
export function reparseStructured(text: string): unknown {
  return JSON.parse(withoutFences(text));
}

export interface Structured {
  readonly value: unknown;
  /** Why the text is not what was asked for; null when it is. */
  readonly failure: MochiError | null;
}

export function parseStructured(format: Format, text: string): Structured {
  let value: unknown;
  try {
    value = JSON.parse(withoutFences(text));
  } catch {
    return { value: null, failure: misfit('it is not JSON') };
  }
  if (format === 'json') return { value, failure: null };
  try {
    return withinTime(() => {
      const { validate, ajv } = compile(format);
      const isFit = validate(value);
      return {
        value,
        failure: isFit ? null : misfit(ajv.errorsText(validate.errors, { dataVar: 'answer' })),
      };
    });
  } catch {
    return { value, failure: misfit('the schema refers to itself without end') };
  }
}

/** A schema is a program of the client's: references that fan out can take for ever. Milliseconds. */
const TIME_LIMIT_MS = 2000;

/** Runs a function on this thread, but not for longer than the limit. @throws what it throws, or on time-out */
function withinTime<T>(run: () => T): T {
  const result: { value?: T } = {};
  const context = {
    run: () => {
      result.value = run();
    },
  };
  runInNewContext('run()', context, { timeout: TIME_LIMIT_MS });
  // Set by the call above, which throws otherwise.
  return result.value as T;
}

/** The compiler's own words name the fault, except where it tripped over it, or ran out of stack or time. */
function schemaFault(error: unknown): string {
  if (!(error instanceof Error) || error instanceof RangeError || 'code' in error) return 'it has no end';
  return error instanceof TypeError ? 'it is not valid' : error.message;
}

function compile({ $schema: _draft, ...schema }: Readonly<Record<string, unknown>>) {
  if (schema['$async'] !== undefined) throw new Error('it may not be asynchronous');
  const ajv = new Ajv2020({
    strict: false,
    inlineRefs: false,
    validateFormats: false,
    code: { regExp: linearRegExp },
    logger: false,
  });
  return { ajv, validate: ajv.compile(schema) };
}

/** A client's pattern runs over a model's text on our thread: RE2 takes linear time, whatever the pattern. */
function linearRegExp(pattern: string): { test(text: string): boolean; toString(): string } {
  const compiled = RE2JS.compile(RE2JS.translateRegExp(pattern));
  return {
    test: (text) => compiled.matcher(text).find(),
    // The compiler tells patterns apart by this.
    toString: () => JSON.stringify(pattern),
  };
}
linearRegExp.code = 'linearRegExp';

/** Models put JSON into Markdown fences although they were asked not to. */
function withoutFences(text: string): string {
  const trimmed = text.trim();
  const firstBreak = trimmed.indexOf('\n');
  const isFenced = firstBreak !== -1 && trimmed.startsWith('```') && trimmed.endsWith('```');
  return isFenced ? trimmed.slice(firstBreak + 1, -3) : trimmed;
}

function misfit(reason: string): MochiError {
  return new MochiError(
    'invalid_structured_output',
    `The answer does not fit the requested format: ${reason}. Its text is kept.`,
  );
}
