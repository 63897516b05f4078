// Every route with ids, indices and queries that name nothing, and addresses and methods that do not exist.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FUZZ_TIMEOUT_MS, fuzzRuns } from './fuzz-runs.ts';
import { hostileIndices, hostileMethods, hostileQueries, hostileSegments } from './hostile-targets.ts';
import { toText, valuesOf } from './json-values.ts';
import { fillTemplate, type Operation, operations } from './operations.ts';
import { openWorld, type World } from './world.ts';

const JSON_TYPE = ['content-type', 'application/json'] as const;

/** Routes that are no operation of the document. */
const UNDESCRIBED = [
  '/api/v1/events?follow=false',
  '/openapi.json',
  '/redoc',
  '/docs',
  '/docs/',
  '/docs/json',
  '/docs/static/{file}',
];

describe('addresses', { timeout: FUZZ_TIMEOUT_MS }, () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world.close());

  it.each(operations)('$name', async (operation) => {
    await fc.assert(
      fc.asyncProperty(
        addressesOf(operation.template),
        hostileQueries,
        bodiesOf(operation),
        async (...given) => {
          const [values, query, body] = given;
          const place = await world.place();
          const target = `${fillTemplate(operation.template, { ...place, ...values })}${query}`;
          await world.attempt({ method: operation.method, target, headers: [JSON_TYPE], body });
        },
      ),
      fuzzRuns(25),
    );
  });

  it('any method on any route', async () => {
    const templates = fc.constantFrom(...operations.map(({ template }) => template), ...UNDESCRIBED);
    const addresses = templates.chain((template) => fc.tuple(fc.constant(template), addressesOf(template)));
    await fc.assert(
      fc.asyncProperty(
        hostileMethods,
        addresses,
        hostileQueries,
        async (method, [template, values], query) => {
          const place = await world.place();
          await world.attempt({
            method,
            target: `${fillTemplate(template, { ...place, ...values })}${query}`,
          });
        },
      ),
      fuzzRuns(100),
    );
  });

  it('what does not exist is not found, whatever it looks like', async () => {
    const paths = fc
      .array(hostileSegments, { maxLength: 5 })
      .map((parts) => `/no-such-path/${parts.join('/')}`);
    const bodies = fc.constantFrom(null, Buffer.from('{}'), Buffer.from('{'));
    await fc.assert(
      fc.asyncProperty(hostileMethods, paths, hostileQueries, bodies, async (method, path, query, body) => {
        const answer = await world.attempt({ method, target: `${path}${query}`, headers: [JSON_TYPE], body });
        // Some bodies are read before anybody asks where they should go.
        expect([400, 404, 422, 431]).toContain(answer.status);
      }),
      fuzzRuns(80),
    );
  });
});

/** Some parameters name what exists (they are left to the place), the others are hostile. */
function addressesOf(
  template: string,
): fc.Arbitrary<Partial<Record<string, string>> & Record<string, string>> {
  const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const values = names.map((name) => [name, name === 'index' ? hostileIndices : hostileSegments] as const);
  return fc.record(Object.fromEntries(values), {
    requiredKeys: names.filter((name) => !name.endsWith('_id')),
  });
}

function bodiesOf({ body }: Operation): fc.Arbitrary<Buffer | null> {
  return body === null ? fc.constant(null) : valuesOf(body).map((value) => Buffer.from(toText(value)));
}
