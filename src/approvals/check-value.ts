// What a person wrote, against the schema that it must fit.
import { invalidField, MochiError } from '../contract/errors.ts';
import { compileSchema, schemaFault } from '../kit/compile-schema.ts';
import type { checkArguments, checkAsWritten } from '../tools/arguments/check-arguments.ts';
import type { JsonSchema } from '../tools/tool.ts';

interface ValuePlace {
  /** Whether what can be read in one way only is brought into form. */
  readonly check: typeof checkArguments | typeof checkAsWritten;
  readonly schema: JsonSchema;
  /** In the body of the request. */
  readonly path: string;
}

/** @returns it as it was checked. @throws MochiError validation_error */
export function checkValue(
  value: Readonly<Record<string, unknown>>,
  { check, schema, path }: ValuePlace,
): Record<string, unknown> {
  const checked = check(value, { inputSchema: schema, validate: compile({ schema, path }) });
  if (checked.ok) return { ...checked.arguments };
  const errors = checked.misfits.map((misfit) => ({
    path: `${path}${misfit.path}`,
    message: misfit.message,
  }));
  throw new MochiError('validation_error', checked.text, { errors });
}

/** @throws MochiError validation_error: a schema that nothing fits has no fitting value */
function compile({ schema, path }: Pick<ValuePlace, 'schema' | 'path'>) {
  try {
    return compileSchema(schema, { tellsAll: true });
  } catch (error) {
    throw invalidField(path, `cannot be checked, since its schema cannot be used: ${schemaFault(error)}`);
  }
}
