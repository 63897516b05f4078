// Validation: bodies as they are, the text of a URL converted to what its schema says.
import type { Ajv, AnySchema, ValidateFunction } from 'ajv';
import type { FastifyInstance } from 'fastify';
import { NAMED_SCHEMAS } from '../contract/named-schemas.ts';
import { loadAjv } from '../kit/late-packages.ts';

/** For the framework, which loads compilers of its own otherwise, before it is given ours. */
export const NO_COMPILERS = { buildValidator: refuse, buildSerializer: refuse };

function refuse(): never {
  throw new Error('Schemas are compiled by what validateBySchema sets.');
}

export function validateBySchema(app: FastifyInstance): void {
  const strict = once(() => createAjv(false));
  const converting = once(() => createAjv(true));
  app.setValidatorCompiler(({ schema, httpPart, contentType }) => {
    // Bodies of other types are bytes: checked where they are read.
    if (contentType !== undefined && contentType !== 'application/json') return () => true;
    return compileLate(httpPart === 'body' ? strict : converting, schema);
  });
  // Answers are built from typed values; tests hold them against the document. Nothing is left out on the way.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/** Compiled at the first request that needs it: most of a start would be spent on schemas nobody asks for. */
function compileLate(ajv: () => Ajv, schema: AnySchema): FastifyValidate {
  let compiled: ValidateFunction | null = null;
  const validate: FastifyValidate = (value: unknown) => {
    compiled ??= ajv().compile(schema);
    const isValid = compiled(value);
    validate.errors = compiled.errors ?? null;
    return isValid;
  };
  return validate;
}

interface FastifyValidate {
  (value: unknown): boolean;
  /** Where the framework looks for them after a refusal. */
  errors?: NonNullable<ValidateFunction['errors']> | null;
}

function createAjv(coerceTypes: boolean): Ajv {
  const { Ajv } = loadAjv();
  const ajv = new Ajv({
    coerceTypes,
    useDefaults: true,
    allowUnionTypes: true,
    strict: false,
    validateFormats: false,
    // They are ours: checking them against the meta-schema takes a tenth of a start.
    validateSchema: false,
    meta: false,
  });
  for (const schema of NAMED_SCHEMAS) ajv.addSchema(schema);
  return ajv;
}
