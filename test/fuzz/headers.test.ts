// Every route with headers that lie, repeat, are too long or break the syntax.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FUZZ_TIMEOUT_MS, fuzzRuns } from './fuzz-runs.ts';
import { hostileHeaders } from './hostile-headers.ts';
import { fillTemplate, operations } from './operations.ts';
import { openWorld, type World } from './world.ts';

const LOOPBACK_ORIGIN = /^http:\/\/localhost(:\d+)?$/;

describe('headers', { timeout: FUZZ_TIMEOUT_MS }, () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world.close());

  it('on any route', async () => {
    const targets = fc.constantFrom(...operations.map(({ name }) => name), 'OPTIONS /api/v1/sessions');
    const bodies = fc.constantFrom('{"message":"Hello","content":"Hello","model":"llama3.2"}', '{}', '');
    await fc.assert(
      fc.asyncProperty(targets, hostileHeaders, bodies, async (name, headers, text) => {
        const [method = '', template = ''] = name.split(' ');
        const place = await world.place();
        const target = fillTemplate(template, { ...place, index: '0', name: 'llama3.2' });
        const type = headers.some(([name]) => name === 'content-type') ? [] : [JSON_TYPE];
        const answer = await world.attempt({
          method,
          target,
          headers: [...type, ...headers],
          body: text === '' ? null : Buffer.from(text),
        });
        const origin = answer.headers.get('access-control-allow-origin');
        if (origin !== undefined) expect(origin).toMatch(LOOPBACK_ORIGIN);
      }),
      fuzzRuns(250),
    );
  });
});

const JSON_TYPE = ['content-type', 'application/json'] as const;
