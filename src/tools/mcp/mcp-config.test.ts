import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ToolConfigError } from '../policy/tool-policy.ts';
import { planLaunch } from './launch.ts';
import { type McpServerConfig, parseMcpConfig } from './mcp-config.ts';
import { mcpToolName } from './tool-name.ts';

function problemsOf(text: string): readonly string[] {
  try {
    parseMcpConfig(text, 'mcp.json');
  } catch (error) {
    if (error instanceof ToolConfigError) return error.problems;
    throw error;
  }
  return [];
}

function first(server: object): McpServerConfig {
  const [config] = parseMcpConfig(JSON.stringify({ mcpServers: { one: server } }), 'mcp.json');
  if (config === undefined) throw new Error('no server');
  return config;
}

describe('mcp.json', () => {
  it('may have comments, trailing commas, and the key of VS Code', () => {
    const text = `{
      // one of ours
      "servers": {
        "files": { "command": "npx", "args": ["-y", "a//b", "/*c*/", "d,]",], "type": "stdio", },
        /* over there */
        "web": { "url": "https://example.org/mcp", "type": "streamable-http", "enabled": false, "gallery": 1 },
      },
    }`;
    expect(parseMcpConfig(text, 'mcp.json')).toMatchObject([
      { name: 'files', transport: 'stdio', args: ['-y', 'a//b', '/*c*/', 'd,]'], isDisabled: false },
      { name: 'web', transport: 'http', isDisabled: true, unknownKeys: ['gallery'], timeoutMs: 60_000 },
    ]);
  });

  it('that is no JSON is told with its line, and without what stands there', () => {
    expect(problemsOf('{\n  "mcpServers": {\n    "a": { "command": secret-thing }\n  }\n}')).toEqual([
      expect.stringMatching(/^mcp\.json: line 3: /),
    ]);
    expect(problemsOf('{\n  "mcpServers": {\n    "a": { "command": secret-thing }\n  }\n}')[0]).not.toContain(
      'secret',
    );
    expect(problemsOf('{\n"mcpServers": {')).toEqual([expect.stringMatching(/^mcp\.json: line 2: /)]);
    expect(problemsOf('[]')).toEqual(['mcp.json: line 1: it must hold an object with "mcpServers".']);
  });

  it('tells all that is wrong at once, each with its line', () => {
    const text = `{ "mcpServers": {
      "a__b": { "command": "x" },
      "none": {},
      "both": { "command": "x", "url": "y" },
      "types": {
        "command": "x",
        "args": "-y",
        "env": { "A": 1 },
        "timeoutSeconds": 0
      },
      "kind": { "url": "http://x", "type": "stdio" }
    } }`;
    expect(problemsOf(text)).toEqual([
      'mcp.json: line 2: server "a__b": a name has 1 to 32 letters, digits, "_" and "-", and no "__".',
      'mcp.json: line 3: server "none": it needs "command" or "url".',
      'mcp.json: line 4: server "both": it has both "command" and "url".',
      'mcp.json: line 7: server "types": "args" must be a list of texts.',
      'mcp.json: line 8: server "types": "env" must be an object of texts.',
      'mcp.json: line 9: server "types": "timeoutSeconds" must be a number from 0.1 to 600.',
      'mcp.json: line 11: server "kind": "type" does not go with "url".',
    ]);
  });

  it('is read or refused, whatever it holds', () => {
    const value = fc.jsonValue();
    const server = fc.dictionary(
      fc.constantFrom('command', 'url', 'args', 'env', 'type', 'x', '__proto__'),
      value,
    );
    const file = fc.record({ mcpServers: fc.oneof(value, fc.dictionary(fc.string(), server)) });
    fc.assert(
      fc.property(
        fc.oneof(
          file.map((one) => JSON.stringify(one)),
          fc.string(),
        ),
        (text) => {
          problemsOf(text);
        },
      ),
    );
  });
});

describe('variables', () => {
  const plan = (server: object, environment: Record<string, string> = {}) =>
    planLaunch(first(server), { environment, environmentNames: [], workingFolder: '/data' });

  it('are looked up everywhere, and not shown', () => {
    const found = plan(
      {
        command: '${BIN:-/usr/bin/node}',
        args: ['${env:ARG}', '${A}${A}'],
        env: { TOKEN: 'Bearer ${KEY}' },
        cwd: '${HOME}/x',
      },
      { ARG: 'argument', A: 'aa', KEY: 'sesame', HOME: '/home/me', PATH: '/bin', OTHER: 'other' },
    );
    expect(found).toMatchObject({
      fault: null,
      target: 'node',
      launch: { command: '/usr/bin/node', args: ['argument', 'aaaa'], cwd: '/home/me/x' },
    });
    expect(found.launch?.env).toEqual({ PATH: '/bin', HOME: '/home/me', TOKEN: 'Bearer sesame' });
    expect(found.redact('said sesame, Bearer sesame, argument')).toBe('said ***, ***, ***');
  });

  it('that are not set stop the server, by their name', () => {
    expect(plan({ command: 'x', env: { A: '${NOT_THERE}' } })).toMatchObject({
      launch: null,
      fault: 'the variable NOT_THERE is not set',
    });
    expect(plan({ command: 'x', args: ['${input:key}'] }).fault).toContain('input');
    for (const name of ['MOCHI_API_KEYS', 'MOCHI_DATABASE_URL']) {
      const { fault } = plan({ command: 'x', args: [`\${${name}}`] }, { [name]: 'k' });
      expect(fault).toContain('not set');
    }
    expect(plan({ url: '${WHERE}' }, { WHERE: 'file:///x' }).fault).toContain('no http or https address');
  });

  it('of an address are hidden but for the origin', () => {
    expect(plan({ url: 'https://u:p@example.org:8443/a/${T}?k=${T}' }, { T: 'sesame' })).toMatchObject({
      target: 'https://example.org:8443',
    });
  });
});

it('names of tools depend on nothing but the names of server and tool, and fit', () => {
  expect(mcpToolName('git', 'read.file')).toBe('mcp__git__read_file');
  fc.assert(
    fc.property(
      fc.stringMatching(/^[A-Za-z0-9-]{1,32}$/),
      fc.string({ minLength: 1, maxLength: 200 }),
      (server, tool) => {
        expect(mcpToolName(server, tool)).toMatch(/^mcp__[A-Za-z0-9_-]{1,59}$/);
      },
    ),
  );
  const long = 'x'.repeat(80);
  expect(mcpToolName('a', `${long}1`)).not.toBe(mcpToolName('a', `${long}2`));
});
