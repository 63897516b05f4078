// Packages that a start does without: each is loaded at once where it is first needed, since those who ask cannot wait.
import { createRequire } from 'node:module';

// The bundler takes this line away: what is required is then a part of the bundle, and run when it is asked for.
const require = createRequire(import.meta.url);

export const loadAjv = (): typeof import('ajv') => require('ajv');
export const loadAjv2020 = (): typeof import('ajv/dist/2020.js') => require('ajv/dist/2020.js');
export const loadPg = (): typeof import('pg') => require('pg/lib/index.js');
export const loadPgCursor = (): typeof import('pg-cursor') => require('pg-cursor');
export const loadPretty = (): typeof import('pino-pretty') => require('pino-pretty');
export const loadRe2 = (): typeof import('re2js') => require('re2js');
export const loadYaml = (): typeof import('yaml') => require('yaml');
