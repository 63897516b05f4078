// Validation: bodies as they are, the text of a URL converted to what its schema says.
import { Ajv } from 'ajv';
import type { FastifyInstance } from 'fastify';
import { NAMED_SCHEMAS } from '../contract/named-schemas.ts';

export function validateBySchema(app: FastifyInstance): void {
  for (const schema of NAMED_SCHEMAS) app.addSchema(schema);
  const strict = createAjv(false);
  const converting = createAjv(true);
  app.setValidatorCompiler(({ schema, httpPart }) =>
    (httpPart === 'body' ? strict : converting).compile(schema),
  );
  // Answers are built from typed values; tests hold them against the document. Nothing is left out on the way.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
}

function createAjv(coerceTypes: boolean): Ajv {
  const ajv = new Ajv({
    coerceTypes,
    useDefaults: true,
    allowUnionTypes: true,
    strict: false,
    validateFormats: false,
  });
  for (const schema of NAMED_SCHEMAS) ajv.addSchema(schema);
  return ajv;
}
