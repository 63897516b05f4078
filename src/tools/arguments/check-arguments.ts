// Arguments of one call against the schema of its tool: read, brought into form, validated.
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { withinTime } from '../../kit/compile-schema.ts';
import type { JsonSchema } from '../tool.ts';
import { type CoercedArguments, coerceArguments } from './coerce-arguments.ts';
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
export function checkArguments(given: unknown, tool: ArgumentsOf): CheckedArguments {
  const read = parseArguments(given, tool.inputSchema);
  if (!read.ok) return misfit([{ path: '', message: read.fault }], tool.inputSchema, {});
  return validated(read, tool, () => {
    const coerced = coerceArguments(read.arguments, tool.inputSchema);
    return { arguments: coerced.arguments, repairs: [...read.repairs, ...coerced.repairs] };
  });
}

/** For what somebody has chosen to run: it fits as it stands, or not at all. Never throws. */
export function checkAsWritten(given: Arguments, tool: ArgumentsOf): CheckedArguments {
  const read = parseArguments(given, tool.inputSchema);
  if (!read.ok) return misfit([{ path: '', message: read.fault }], tool.inputSchema, {});
  const written = { arguments: given, repairs: [] };
  return validated(written, tool, () => written);
}

/** @param mend takes its time, too */
function validated(
  read: CoercedArguments,
  { inputSchema, validate }: ArgumentsOf,
  mend: () => CoercedArguments,
): CheckedArguments {
  try {
    return withinTime((): CheckedArguments => {
      const mended = mend();
      if (validate(mended.arguments)) return { ...mended, ok: true };
      return misfit(listMisfits(validate.errors ?? []), inputSchema, mended.arguments);
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
