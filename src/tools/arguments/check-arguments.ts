// Arguments of one call against the schema of its tool: read, brought into form, validated.
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { withinTime } from '../../kit/compile-schema.ts';
import type { JsonSchema } from '../tool.ts';
import { coerceArguments } from './coerce-arguments.ts';
import { listMisfits, type Misfit, misfitText } from './misfit-text.ts';
import { type Arguments, parseArguments } from './parse-arguments.ts';

export type CheckedArguments =
  | { readonly ok: true; readonly arguments: Arguments; readonly repairs: readonly string[] }
  | {
      readonly ok: false;
      /** As far as they were read; `{}` where they could not be. */
      readonly arguments: Arguments;
      readonly misfits: readonly Misfit[];
      /** For the model: at most 600 characters. */
      readonly text: string;
    };

interface ArgumentsOf {
  readonly inputSchema: JsonSchema;
  readonly validate: ValidateFunction;
}

/** Never throws. @param given an object, its JSON text, or anything else that a model wrote */
export function checkArguments(given: unknown, { inputSchema, validate }: ArgumentsOf): CheckedArguments {
  const read = parseArguments(given, inputSchema);
  if (!read.ok) return misfit([{ path: '', message: read.fault }], inputSchema, {});
  try {
    return withinTime((): CheckedArguments => {
      const coerced = coerceArguments(read.arguments, inputSchema);
      if (validate(coerced.arguments))
        return { ...coerced, ok: true, repairs: [...read.repairs, ...coerced.repairs] };
      return misfit(listMisfits(validate.errors ?? []), inputSchema, coerced.arguments);
    });
  } catch {
    return misfit(
      [{ path: '', message: 'cannot be checked: it takes too long' }],
      inputSchema,
      read.arguments,
    );
  } finally {
    // They hold on to the arguments.
    validate.errors = null;
  }
}

function misfit(misfits: readonly Misfit[], schema: JsonSchema, args: Arguments): CheckedArguments {
  return { ok: false, arguments: args, misfits, text: misfitText(misfits, schema) };
}
