// The registry from its sources to a run, with sources written here.
import { describe, expect, it, vi } from 'vitest';
import { runContext, ScriptedSource, succeeded } from '../../test/support/scripted-source.ts';
import { NO_POLICY, parseToolPolicy, ToolConfigError, type ToolPolicy } from './policy/tool-policy.ts';
import type { PreparedCall, ReadyCall } from './prepare-call.ts';
import { createTools } from './tools.ts';

const NEVER_CONFIRM = { execution_policy: 'never_confirm', tool_policies: {} };
const ADD = {
  name: 'add_numbers',
  inputSchema: {
    type: 'object',
    properties: { a: { type: 'integer' }, b: { type: 'integer' } },
    required: ['a', 'b'],
    additionalProperties: false,
  },
};

async function toolsOf(...sources: readonly ScriptedSource[]) {
  const tools = await createTools({ discover: async () => sources, readPolicy: async () => NO_POLICY });
  await tools.ready();
  return tools;
}

function names(tools: Awaited<ReturnType<typeof toolsOf>>): string[] {
  return [...tools.registry().tools.keys()];
}

function problems(tools: Awaited<ReturnType<typeof toolsOf>>): string[] {
  return tools.registry().problems.map(({ source, message }) => `${source}: ${message}`);
}

function ready(call: PreparedCall): ReadyCall {
  if (call.verdict.decision === 'refuse') throw new Error(`refused: ${call.verdict.rule}`);
  return call as ReadyCall;
}

describe('names', () => {
  it('are each given once, to the first by sorted group, whatever the order in which sources become ready', async () => {
    const order = ['b', 'a', 'c'].map(
      (group) => new ScriptedSource(group, { tools: [{ name: 'same', description: group }] }),
    );
    for (const sources of [order, order.toReversed()]) {
      const tools = await toolsOf(...sources);
      expect(tools.registry().tools.get('same')?.description).toBe('a');
      expect(problems(tools)).toEqual([
        'native:b: Tool "same" is not used. native:a has one of that name already.',
        'native:c: Tool "same" is not used. native:a has one of that name already.',
      ]);
    }
  });

  it('that are kept or malformed are refused and told, and hide nobody', async () => {
    const bad = ['agent', 'mcp__github__x', 'a b', '', 'x'.repeat(65), 'grüße'];
    const tools = await toolsOf(
      new ScriptedSource('g', { tools: [...bad.map((name) => ({ name })), { name: 'x'.repeat(64) }] }),
      new ScriptedSource('web', { tools: [{ name: 'mcp__web__get' }, { name: 'get' }] }, 'mcp'),
    );
    expect(names(tools)).toEqual(['mcp__web__get', 'x'.repeat(64)]);
    expect(problems(tools)).toHaveLength(bad.length + 1);
    expect(problems(tools).join('\n')).toContain('mcp:web: Tool "get" is not used. Its name must begin');
  });
});

describe('a broken source', () => {
  it('hides nobody: what it throws is a problem', async () => {
    const broken = new ScriptedSource('broken', { tools: [], until: Promise.reject(new Error('kaboom')) });
    const tools = await toolsOf(broken, new ScriptedSource('good', { tools: [{ name: 'works' }] }));
    expect(names(tools)).toEqual(['works']);
    expect(problems(tools)).toEqual(['native:broken: It could not be read: kaboom']);
  });

  it('loses only the tools whose schema cannot be used', async () => {
    const large = { type: 'object', description: 'x'.repeat(64 * 1024) };
    const tools = await toolsOf(
      new ScriptedSource('g', {
        tools: [
          { name: 'nonsense', inputSchema: { type: 'nonsense' } },
          { name: 'far', inputSchema: { $ref: 'https://example.com/x.json' } },
          { name: 'large', inputSchema: large },
          { name: 'good' },
        ],
      }),
    );
    expect(names(tools)).toEqual(['good']);
    expect(problems(tools)).toHaveLength(3);
  });

  it('with over 200 tools has none, and says so', async () => {
    const many = Array.from({ length: 201 }, (_, index) => ({ name: `t${index}` }));
    const tools = await toolsOf(new ScriptedSource('many', { tools: many }));
    expect(names(tools)).toEqual([]);
    expect(problems(tools).join()).toContain('201 tools');
  });
});

describe('discovery', () => {
  it('shows what is there while others take their time, and lets them join', async () => {
    let arrive: (value?: unknown) => void = () => undefined;
    const late = new ScriptedSource('a', {
      tools: [{ name: 'late' }, { name: 'same', description: 'late' }],
      until: new Promise((resolve) => {
        arrive = resolve;
      }),
    });
    const early = new ScriptedSource('b', {
      tools: [{ name: 'early' }, { name: 'same', description: 'early' }],
    });
    const tools = await createTools({
      discover: async () => [late, early],
      readPolicy: async () => NO_POLICY,
    });
    tools.start();
    await expect.poll(() => names(tools)).toEqual(['early', 'same']);
    arrive();
    await tools.ready();
    expect(names(tools)).toEqual(['early', 'late', 'same']);
    // The same winner as if both had come at once.
    expect(tools.registry().tools.get('same')?.description).toBe('late');
  });

  it('waits ten seconds for a source, once, and not for ever', async () => {
    vi.useFakeTimers();
    try {
      let arrive: (value?: unknown) => void = () => undefined;
      const until = new Promise((resolve) => {
        arrive = resolve;
      });
      const problem = { source: 'native:a', message: 'it did not load' };
      const late = new ScriptedSource('a', { tools: [], problems: [problem], until });
      const tools = await createTools({ discover: async () => [late], readPolicy: async () => NO_POLICY });
      let isReady = false;
      const ready = tools.ready().then(() => {
        isReady = true;
      });
      await vi.advanceTimersByTimeAsync(9900);
      expect(isReady).toBe(false);
      await vi.advanceTimersByTimeAsync(200);
      await ready;
      // Whoever comes later does not wait at all.
      await tools.ready();
      const stillAway = { source: 'native:a', message: 'It was not ready within 10 s.' };
      expect(tools.registry().problems).toEqual([stillAway]);
      const reloaded = tools.reload();
      await vi.advanceTimersByTimeAsync(10_000);
      expect(await reloaded).toEqual({ success: true, toolsCount: 0, problems: [stillAway] });
      arrive();
      await vi.advanceTimersByTimeAsync(1);
      // What it says itself takes its place.
      expect(tools.registry().problems).toEqual([problem]);
      await tools.close();
      expect(late.closed).toBe(1);
    } finally {
      vi.useRealTimers();
    }
  });

  it('that fails is a problem, and the next reload finds everything', async () => {
    const good = new ScriptedSource('good', { tools: [{ name: 'works' }] });
    const found = [() => Promise.reject(new Error('EACCES')), async () => [good]];
    const tools = await createTools({
      discover: async () => (found.shift() ?? (async () => []))(),
      readPolicy: async () => NO_POLICY,
    });
    await tools.ready();
    expect(problems(tools)).toEqual(['tools: They could not be looked for: EACCES']);
    expect(await tools.reload()).toEqual({ success: true, toolsCount: 1, problems: [] });
  });

  it('of reloads at once ends with the sources of the last, and closes all others', async () => {
    const made: ScriptedSource[] = [];
    const tools = await createTools({
      discover: async () => {
        const source = new ScriptedSource('g', { tools: [{ name: `t${made.length}` }] });
        made.push(source);
        return [source];
      },
      readPolicy: async () => NO_POLICY,
    });
    tools.start();
    await Promise.all([tools.reload(), tools.reload(), tools.reload()]);
    expect(names(tools)).toEqual(['t3']);
    expect(made.map(({ closed }) => closed)).toEqual([1, 1, 1, 0]);
    await tools.close();
    expect(made.map(({ closed }) => closed)).toEqual([1, 1, 1, 1]);
  });
});

describe('an offer', () => {
  it('has names in the order of the session, globs and servers sorted, nothing twice, and tells what is missing', async () => {
    const tools = await toolsOf(
      new ScriptedSource('g', { tools: ['read_b', 'read_a', 'write'].map((name) => ({ name })) }),
      new ScriptedSource('web', { tools: [{ name: 'mcp__web__z' }, { name: 'mcp__web__a' }] }, 'mcp'),
    );
    const offer = tools.offer(['write', 'gone', 'read_*', 'mcp__web', 'read_a', 'mcp__other', 'no?']);
    expect(offer.tools.map(({ name }) => name)).toEqual([
      'write',
      'read_a',
      'read_b',
      'mcp__web__a',
      'mcp__web__z',
    ]);
    expect(offer.missing).toEqual(['gone', 'mcp__other', 'no?']);
  });
});

describe('a call', () => {
  it('runs with repaired name and arguments; the digest is that of what runs', async () => {
    const source = new ScriptedSource('math', { tools: [ADD] });
    const tools = await toolsOf(source);
    const standing = { offer: tools.offer(['add_numbers']), session: NEVER_CONFIRM };
    const call = ready(tools.prepare({ name: 'Add-Numbers', arguments: '{"b":"2","a":1}' }, standing));
    expect(call).toMatchObject({
      name: 'add_numbers',
      arguments: { a: 1, b: 2 },
      repairs: ['name: read as add_numbers', 'arguments: text read as JSON', '/b: text read as integer'],
      verdict: { decision: 'run', rule: 'execution_policy' },
    });
    const plain = ready(tools.prepare({ name: 'add_numbers', arguments: { a: 1, b: 2 } }, standing));
    expect(plain.digest).toBe(call.digest);
    expect(await tools.run(call, runContext())).toEqual(succeeded('{"b":2,"a":1}'));
  });

  it('of a tool that is not offered is refused, though there is such a tool', async () => {
    const source = new ScriptedSource('g', { tools: [{ name: 'rogue' }, ADD] });
    const tools = await toolsOf(source);
    const standing = { offer: tools.offer(['add_numbers']), session: NEVER_CONFIRM };
    expect(tools.prepare({ name: 'rogue', arguments: {} }, standing)).toEqual({
      name: 'rogue',
      arguments: {},
      verdict: { decision: 'refuse', rule: 'not_offered' },
      text: "Tool 'rogue' is not available. The closest of those that are: add_numbers.",
    });
  });

  it('that does not fit says what is expected, and runs nothing', async () => {
    const tools = await toolsOf(new ScriptedSource('math', { tools: [ADD] }));
    const standing = { offer: tools.offer(['*']), session: NEVER_CONFIRM };
    expect(tools.prepare({ name: 'add_numbers', arguments: { a: 'one', junk: 9 } }, standing)).toMatchObject({
      verdict: { decision: 'refuse', rule: 'arguments' },
      text: 'The arguments do not fit: /a must be integer; /b is missing; /junk is not known. Required: a, b.',
    });
    expect(tools.prepare({ name: 'add_numbers', arguments: '{bad' }, standing)).toMatchObject({
      arguments: {},
      text: 'The arguments do not fit: they are not valid JSON. Required: a, b.',
    });
  });
});

describe('reload', () => {
  it('swaps: a call under way ends on the old source, which is closed after it', async () => {
    let finish: (value: string) => void = () => undefined;
    const slow = new Promise<string>((resolve) => {
      finish = resolve;
    });
    const old = new ScriptedSource('g', {
      tools: [{ name: 'slow', run: async () => succeeded(await slow) }, { name: 'gone' }],
    });
    const fresh = new ScriptedSource('g', { tools: [{ name: 'slow', description: 'new' }] });
    const found = [[old], [fresh]];
    const tools = await createTools({
      discover: async () => found.shift() ?? [],
      readPolicy: async () => NO_POLICY,
    });
    await tools.ready();
    const standing = { offer: tools.offer(['*']), session: NEVER_CONFIRM };
    const running = tools.run(ready(tools.prepare({ name: 'slow', arguments: {} }, standing)), runContext());
    expect(await tools.reload()).toEqual({ success: true, toolsCount: 1, problems: [] });
    expect(old.closed).toBe(0);
    finish('done');
    expect((await running).text).toBe('done');
    expect(old.closed).toBe(1);
    // The turn goes on with what it began with, and meets what is there now.
    const gone = ready(tools.prepare({ name: 'gone', arguments: {} }, standing));
    expect(await tools.run(gone, runContext())).toMatchObject({ state: 'failed' });
    await tools.run(ready(tools.prepare({ name: 'slow', arguments: {} }, standing)), runContext());
    expect(fresh.runs).toHaveLength(1);
  });

  it('that changed a tool holds calls of before against its new schema', async () => {
    const now = { name: 'add', inputSchema: { type: 'object', properties: { a: { type: 'string' } } } };
    const was = { name: 'add', inputSchema: { type: 'object', properties: { a: { type: 'integer' } } } };
    const found = [new ScriptedSource('g', { tools: [was] }), new ScriptedSource('g', { tools: [now] })];
    const fresh = found[1];
    const tools = await createTools({
      discover: async () => [found.shift()].filter((source) => source !== undefined),
      readPolicy: async () => NO_POLICY,
    });
    await tools.ready();
    const standing = { offer: tools.offer(['add']), session: NEVER_CONFIRM };
    const fits = ready(tools.prepare({ name: 'add', arguments: {} }, standing));
    const differs = ready(tools.prepare({ name: 'add', arguments: { a: 1 } }, standing));
    await tools.reload();
    expect(await tools.run(fits, runContext())).toMatchObject({ state: 'succeeded' });
    expect(await tools.run(differs, runContext())).toMatchObject({
      state: 'failed',
      text: "Tool 'add' has changed: call it again.",
    });
    expect(fresh?.runs).toHaveLength(1);
  });

  it('keeps everything where the policy cannot be read, and holds a new rule against calls that were allowed', async () => {
    const source = new ScriptedSource('g', { tools: [{ name: 'erase' }] });
    const policies: (() => ToolPolicy)[] = [
      () => NO_POLICY,
      () => {
        throw new ToolConfigError(['no']);
      },
      () => parseToolPolicy('{"deny":["erase"]}', 'tool-policy.json'),
    ];
    let looked = 0;
    const tools = await createTools({
      discover: async () => {
        looked += 1;
        return [source];
      },
      readPolicy: async () => (policies.shift() ?? (() => NO_POLICY))(),
    });
    await tools.ready();
    const standing = { offer: tools.offer(['erase']), session: NEVER_CONFIRM };
    const call = ready(tools.prepare({ name: 'erase', arguments: {} }, standing));
    expect(await tools.reload()).toMatchObject({ success: false, toolsCount: 1 });
    expect(looked).toBe(1);
    expect(await tools.run(call, runContext())).toMatchObject({ state: 'succeeded' });
    expect(await tools.reload()).toMatchObject({ success: true });
    expect(await tools.run(call, runContext())).toMatchObject({
      state: 'failed',
      text: "Tool 'erase' may not be used like this: the operator's policy forbids it.",
    });
    expect(tools.offer(['erase'])).toEqual({ tools: [], missing: ['erase'] });
    // The same source was found again: it goes on.
    expect(source.closed).toBe(0);
    await tools.close();
    expect(source.closed).toBe(1);
  });
});
