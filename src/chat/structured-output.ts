// Structured output: a schema from the client, an answer from the model, and whether one fits the other.
import { MochiError } from '../contract/errors.ts';
import { compileSchema, type JsonSchema, misfitsOf, schemaFault, withinTime } from './compile-schema.ts';

type Format = 'json' | JsonSchema;

/** @throws MochiError validation_error for a schema that is none */
export function checkFormat(format: Format): void {
  if (format === 'json') return;
  try {
    compileSchema(format);
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
    const validate = compileSchema(format);
    const isFit = withinTime(() => validate(value));
    return { value, failure: isFit ? null : misfit(misfitsOf(validate)) };
  } catch (error) {
    return { value, failure: misfit(`the schema cannot be applied: ${schemaFault(error)}`) };
  }
}

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
