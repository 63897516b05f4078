// Names of tools as small models write them.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { resolveName } from './resolve-name.ts';

const named = (...names: string[]) => names.map((name) => ({ name }));

it.each([
  ['read_file', 'read_file', false],
  ['Read-File', 'read_file', true],
  ['readFile', 'read_file', true],
  ['mcp__fs__read_file', 'read_file', true],
])('%s means %s', (asked, meant, isRepaired) => {
  expect(resolveName(asked, named('read_file', 'write_file'))).toEqual({ tool: { name: meant }, isRepaired });
});

it('finds the tool of an MCP server without its prefix, unless another one is meant as well', () => {
  expect(resolveName('search', named('mcp__a__search', 'x'))).toMatchObject({
    tool: { name: 'mcp__a__search' },
  });
  expect(resolveName('search', named('mcp__a__search', 'mcp__b__search'))).toMatchObject({ tool: null });
});

it('prefers the exact one to those that look alike', () => {
  expect(resolveName('a_b', named('A-B', 'a_b'))).toEqual({ tool: { name: 'a_b' }, isRepaired: false });
});

it('names the three closest of what there is', () => {
  const offered = named('get_time', 'get_weather', 'delete_all', 'get_whether');
  expect(resolveName('get_weathr', offered)).toEqual({
    tool: null,
    closest: ['get_weather', 'get_whether', 'get_time'],
  });
  expect(resolveName('x', [])).toEqual({ tool: null, closest: [] });
});

it('takes any text for a name, and finds only what is offered', () => {
  fc.assert(
    fc.property(
      fc.string({ maxLength: 300 }),
      fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)),
      (asked, names) => {
        const resolved = resolveName(asked, named(...names));
        if (resolved.tool !== null) expect(names).toContain(resolved.tool.name);
        else for (const name of resolved.closest) expect(names).toContain(name);
      },
    ),
  );
});
