// Structured output: a schema from the client, an answer from the model, and whether one fits the other.
import { invalidField, MochiError } from '../../contract/errors.ts';
import type { FinishReason } from '../../contract/message.ts';
import {
  type JsonSchema,
  misfitsOf,
  recallSchema,
  schemaFault,
  withinTime,
} from '../../kit/compile-schema.ts';
import { parseModelJson } from '../../kit/model-json.ts';

type Format = 'json' | JsonSchema;

/** @throws MochiError validation_error for a schema that is none */
export function checkFormat(format: Format): void {
  if (format === 'json') return;
  try {
    recallSchema(format);
  } catch (error) {
    const reason = schemaFault(error);
    throw invalidField('/format', `must be "json" or a JSON Schema: ${reason}`);
  }
}

export interface Structured {
  readonly value: unknown;
  /** Why the text is not what was asked for; null when it is. */
  readonly failure: MochiError | null;
}

/** @param finishReason how the text ended: of one that was cut, nothing else is worth saying */
export function parseStructured(
  format: Format,
  text: string,
  finishReason: FinishReason | null = null,
): Structured {
  const misfit = (reason: string) => misfitError(reason, finishReason);
  let value: unknown;
  try {
    value = parseModelJson(text);
  } catch {
    return { value: null, failure: misfit('it is not JSON') };
  }
  if (format === 'json') return { value, failure: null };
  try {
    const validate = recallSchema(format);
    const isFit = withinTime(() => validate(value));
    return { value, failure: isFit ? null : misfit(misfitsOf(validate)) };
  } catch (error) {
    return { value, failure: misfit(`the schema cannot be applied: ${schemaFault(error)}`) };
  }
}

function misfitError(reason: string, finishReason: FinishReason | null): MochiError {
  const cause = finishReason === 'length' ? 'it was cut before its end (finish_reason: length)' : reason;
  return new MochiError(
    'invalid_structured_output',
    `The answer does not fit the requested format: ${cause}.`,
    { finish_reason: finishReason },
    'Its text is kept.',
  );
}
