import { resolve } from 'node:path';
import { Command } from 'commander';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Config, cliOptions, loadConfig } from './config.ts';

type Sources = NonNullable<Parameters<typeof loadConfig>[0]>;
type Key = keyof Config;

/** As given, as loaded, and (where any text is not fine) not as expected. */
const examples: { readonly [K in Key]: { good: string; value: Config[K]; bad: string } } = {
  host: { good: 'LOCALHOST', value: 'localhost', bad: 'http://localhost' },
  port: { good: '0', value: 0, bad: '65536' },
  ollamaHost: { good: 'gpu:1234/', value: 'http://gpu:1234', bad: 'ftp://gpu' },
  engine: { good: 'Embedded', value: 'embedded', bad: 'llama' },
  defaultModel: { good: ' llama3.2 ', value: 'llama3.2', bad: 'two words' },
  modelHub: { good: 'https://hub.example/', value: 'https://hub.example', bad: 'ftp://hub.example' },
  downloadsEnabled: { good: 'no', value: false, bad: 'never' },
  engineUnloadSeconds: { good: '60', value: 60, bad: '0' },
  dataDir: { good: '/data', value: '/data', bad: '' },
  databaseUrl: {
    good: 'postgres://me:p%40ss@db.example:5433/chats?sslmode=verify-full',
    value: 'postgres://me:p%40ss@db.example:5433/chats?sslmode=verify-full',
    bad: 'mysql://me:secret@db.example/chats',
  },
  databasePool: { good: '25', value: 25, bad: '1' },
  instanceUrl: {
    good: 'http://10.0.0.5:8000/',
    value: 'http://10.0.0.5:8000',
    bad: 'http://10.0.0.5:8000/api',
  },
  sessionsDir: { good: '/old', value: '/old', bad: '' },
  systemPromptsDir: { good: '/prompts', value: '/prompts', bad: '' },
  toolsDir: { good: '/tools', value: '/tools', bad: '' },
  toolPolicy: { good: '/etc/policy.json', value: '/etc/policy.json', bad: '' },
  mcpConfig: { good: '/etc/mcp.json', value: '/etc/mcp.json', bad: '' },
  agentsDir: { good: '/agents', value: '/agents', bad: '' },
  python: { good: '/opt/python 3/bin/python3', value: '/opt/python 3/bin/python3', bad: '' },
  toolEnv: { good: 'WEATHER_KEY, b', value: ['WEATHER_KEY', 'b'], bad: 'WEATHER_KEY=abc' },
  builtinTools: { good: 'calculator, current_time', value: ['calculator', 'current_time'], bad: 'a b' },
  filesDir: { good: '/files', value: '/files', bad: '' },
  fetchAllow: {
    good: 'Wiki.Example, 10.1.0.0/16, ::1',
    value: ['wiki.example', '10.1.0.0/16', '::1'],
    bad: '10.1.0.0/33',
  },
  toolTimeoutSeconds: { good: '0.5', value: 0.5, bad: '0' },
  toolMaxOutputBytes: { good: '1024', value: 1024, bad: '1023' },
  toolResultChars: { good: '500', value: 500, bad: '499' },
  toolMemoryMb: { good: '256', value: 256, bad: '127' },
  maxToolProcesses: { good: '1', value: 1, bad: '0' },
  maxParallelTools: { good: '1', value: 1, bad: '0' },
  toolCallRescue: { good: 'false', value: false, bad: 'maybe' },
  confirmTimeoutSeconds: { good: '0', value: 0, bad: '-1' },
  agentChatsDir: { good: '/old/agents', value: '/old/agents', bad: '' },
  planningPromptPath: { good: '/plan.md', value: '/plan.md', bad: '' },
  executionPromptPath: { good: '/work.md', value: '/work.md', bad: '' },
  maxAgentIterations: { good: '1', value: 1, bad: '0' },
  agentTimeoutSeconds: { good: '0', value: 0, bad: '-1' },
  agentPlanApproval: { good: 'Always', value: 'always', bad: 'sometimes' },
  dialects: { good: 'Ollama, openai-chat', value: ['ollama', 'openai-chat'], bad: 'grpc' },
  modelAliases: {
    good: 'gpt-4o-mini=qwen3:8b, claude-* = coder',
    value: [
      { name: 'gpt-4o-mini', model: 'qwen3:8b' },
      { name: 'claude-*', model: 'coder' },
    ],
    bad: 'a*b=c',
  },
  unlistedDays: { good: '0', value: 0, bad: '-1' },
  corsOrigins: { good: 'https://a.example', value: ['https://a.example'], bad: 'https://a.example/path' },
  allowedHosts: { good: 'Chat.Example:80, [::2]:8000', value: ['chat.example', '::2'], bad: 'a b' },
  apiKeys: { good: 'one-key, another', value: ['one-key', 'another'], bad: 'hush hush' },
  allowUnauthenticated: { good: 'Yes', value: true, bad: 'perhaps' },
  logLevel: { good: 'Warning', value: 'warn', bad: 'constructor' },
  logFormat: { good: 'JSON', value: 'json', bad: 'xml' },
  sqliteSync: { good: 'Commit', value: 'commit', bad: 'never' },
  maxBodyBytes: { good: '1', value: 1, bad: '1073741825' },
  webEnabled: { good: 'false', value: false, bad: 'maybe' },
  requestTimeoutSeconds: { good: '0.5', value: 0.5, bad: '-1' },
  maxConcurrentTurns: { good: '10000', value: 10_000, bad: '0' },
  maxQueuedTurns: { good: '7', value: 7, bad: '1.5' },
  maxToolIterations: { good: '3', value: 3, bad: '1e3' },
  engineParallel: { good: '4', value: 4, bad: '0' },
  engineInfoTimeoutSeconds: { good: '0.5', value: 0.5, bad: '0' },
  engineConnectTimeoutSeconds: { good: '.5', value: 0.5, bad: '-1' },
  firstTokenTimeoutSeconds: { good: '86400', value: 86_400, bad: '86401' },
  engineStallSeconds: { good: '0', value: 0, bad: '-1' },
  idleTimeoutSeconds: { good: '90', value: 90, bad: 'Infinity' },
  shutdownGraceSeconds: { good: '2', value: 2, bad: '5s' },
  drainSeconds: { good: '0', value: 0, bad: '-1' },
  dynamicContextWindowEnabled: { good: 'off', value: false, bad: '2' },
  firstContextWindow: { good: '512', value: 512, bad: '255' },
  maxContextWindow: { good: '32768', value: 32_768, bad: '255' },
  summarizationEnabled: { good: 'no', value: false, bad: 'never' },
  titlesEnabled: { good: '0', value: false, bad: 'null' },
  summaryMinBillions: { good: '0.5', value: 0.5, bad: '-1' },
};
const keys = Object.keys(examples) as Key[]; // the type above allows no other keys
const flagged = keys.filter((key) => key !== 'apiKeys' && key !== 'databaseUrl');

const variable = (key: string) => `MOCHI_${key.replace(/[A-Z]/g, '_$&').toUpperCase()}`;
const flag = (key: string) => `--${key.replace(/[A-Z]/g, '-$&').toLowerCase()}`;

function load(sources: Sources) {
  const loaded = loadConfig({ env: {}, ...sources });
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  return loaded;
}

function problemsOf(sources: Sources): readonly string[] {
  const loaded = loadConfig({ env: {}, ...sources });
  return loaded.ok ? [] : loaded.problems;
}

test('defaults', () => {
  expect(load({}).config).toEqual({
    host: '127.0.0.1',
    port: 8000,
    ollamaHost: 'http://localhost:11434',
    engine: 'auto',
    defaultModel: null,
    modelHub: 'https://huggingface.co',
    downloadsEnabled: true,
    engineUnloadSeconds: 300,
    dataDir: process.cwd(),
    databaseUrl: null,
    databasePool: 10,
    instanceUrl: null,
    sessionsDir: resolve('chat_sessions'),
    systemPromptsDir: resolve('system_prompts'),
    toolsDir: resolve('tools'),
    toolPolicy: resolve('tool-policy.json'),
    mcpConfig: resolve('mcp.json'),
    agentsDir: resolve('agents'),
    python: 'python3',
    toolEnv: [],
    builtinTools: [],
    filesDir: null,
    fetchAllow: [],
    toolTimeoutSeconds: 60,
    toolMaxOutputBytes: 1_048_576,
    toolResultChars: 16_000,
    toolMemoryMb: 512,
    maxToolProcesses: 16,
    maxParallelTools: 4,
    toolCallRescue: true,
    confirmTimeoutSeconds: 0,
    agentChatsDir: resolve('agents/agent_chats'),
    planningPromptPath: resolve('docs/agents/agent_prompt_planning.md'),
    executionPromptPath: resolve('docs/agents/agent_prompt_execution.md'),
    maxAgentIterations: 50,
    agentTimeoutSeconds: 1800,
    agentPlanApproval: 'by_agent',
    dialects: ['openai-chat', 'openai-responses', 'ollama', 'ai-sdk', 'anthropic'],
    modelAliases: [],
    unlistedDays: 30,
    corsOrigins: null,
    allowedHosts: [],
    apiKeys: [],
    allowUnauthenticated: false,
    logLevel: 'info',
    logFormat: 'auto',
    sqliteSync: 'shared',
    maxBodyBytes: 10_485_760,
    webEnabled: true,
    requestTimeoutSeconds: 300,
    maxConcurrentTurns: 64,
    maxQueuedTurns: 512,
    maxToolIterations: 50,
    engineParallel: null,
    engineInfoTimeoutSeconds: 5,
    engineConnectTimeoutSeconds: 5,
    firstTokenTimeoutSeconds: 600,
    engineStallSeconds: 30,
    idleTimeoutSeconds: 120,
    shutdownGraceSeconds: 10,
    drainSeconds: 0,
    dynamicContextWindowEnabled: true,
    firstContextWindow: 8192,
    maxContextWindow: null,
    summarizationEnabled: true,
    titlesEnabled: true,
    summaryMinBillions: 1,
  } satisfies Config);
});

describe('each setting', () => {
  test.each(keys)('%s from its variable', (key) => {
    const { good, value, bad } = examples[key];
    expect(load({ env: { [variable(key)]: ` ${good} ` } }).config[key]).toEqual(value);
    expect(load({ env: { [variable(key)]: '' } }).config[key]).toEqual(load({}).config[key]);
    if (bad === '') return;
    const problems = problemsOf({ env: { [variable(key)]: bad } });
    expect(problems).toEqual([expect.stringMatching(`^${variable(key)} must be .+\\.$`)]);
  });

  test.each(flagged)('%s from its flag, over its variable', (key) => {
    const { good, value, bad } = examples[key];
    // Not even a bad variable matters under a flag.
    const env = { [variable(key)]: bad };
    expect(load({ env, flags: { [key]: good } }).config[key]).toEqual(value);
    const problems = problemsOf({ flags: { [key]: bad } });
    expect(problems).toEqual([expect.stringMatching(`^${flag(key)} must be .+\\.$`)]);
  });
});

test('secrets come from the environment only', () => {
  const { config } = load({ flags: { apiKeys: 'key', databaseUrl: 'postgres://h/d' } });
  expect([config.apiKeys, config.databaseUrl]).toEqual([[], null]);
});

test.each([
  ['postgresql://h/d', true],
  ['postgres://me@h/d', true],
  ['postgres:///d?host=/var/run/postgresql', true],
  ['postgres://me:p%23w%2F@[::1]:5432/d', true],
  ['postgres://h', false],
  ['postgres:///d', false],
  ['host=h dbname=d', false],
  ['postgres://me:p w@h/d', false],
  ['postgres://me:12#w@h/d', false],
  ['postgres://me:12/w@h/d', false],
  ['postgres://me:100%@h/d', false],
])('a URL of a database: %s', (text, isGood) => {
  const problems = problemsOf({ env: { MOCHI_DATABASE_URL: text } });
  expect(problems.join()).toMatch(isGood ? /^$/ : /^MOCHI_DATABASE_URL must be a URL such as /);
  if (!isGood) expect(problems.join()).not.toContain(text);
});

test('an empty flag is a problem, unlike an empty variable', () => {
  for (const key of flagged) expect(problemsOf({ flags: { [key]: '' } })).toHaveLength(1);
});

test('directories are absolute, and the others are inside that of the data', () => {
  const { config } = load({
    flags: { dataDir: 'data', filesDir: 'files', sessionsDir: 'old', systemPromptsDir: 'prompts' },
  });
  expect(config).toMatchObject({
    toolsDir: resolve('data/tools'),
    toolPolicy: resolve('data/tool-policy.json'),
    mcpConfig: resolve('data/mcp.json'),
    agentsDir: resolve('data/agents'),
    planningPromptPath: resolve('data/docs/agents/agent_prompt_planning.md'),
    filesDir: resolve('data/files'),
    dataDir: resolve('data'),
    sessionsDir: resolve('data/old'),
    systemPromptsDir: resolve('data/prompts'),
  });
});

test.each([
  ['localhost', 'http://localhost:11434'],
  ['gpu.lan:80', 'http://gpu.lan'],
  [':1234', 'http://127.0.0.1:1234'],
  ['0.0.0.0', 'http://127.0.0.1:11434'],
  ['http://0.0.0.0:11434', 'http://127.0.0.1:11434'],
  ['[::]:11434', 'http://[::1]:11434'],
  ['[::1]:11434', 'http://[::1]:11434'],
  ['[::1]', 'http://[::1]:11434'],
  ['::1', 'http://[::1]:11434'],
  ['gpu/ollama/', 'http://gpu:11434/ollama'],
  ['gpu:1/ollama', 'http://gpu:1/ollama'],
  ['ann:123@gpu', 'http://ann:123@gpu:11434'],
  ['http://gpu', 'http://gpu'],
  ['HTTP://GPU:80/', 'http://gpu'],
  ['https://ann:se%40cret@gpu.example/a/b//', 'https://ann:se%40cret@gpu.example/a/b'],
  ['https://gpu.example:8443', 'https://gpu.example:8443'],
])('Ollama at %s is %s', (given, url) => {
  expect(load({ env: { MOCHI_OLLAMA_HOST: given } }).config.ollamaHost).toBe(url);
});

test.each(['http://', 'gpu:port', 'gpu:99999', '/path', 'a b', 'http://a?b', 'gpu#1', 'file:///x', 'a:b:c'])(
  'Ollama is not at %s',
  (given) => {
    expect(problemsOf({ env: { MOCHI_OLLAMA_HOST: given } })).toHaveLength(1);
  },
);

test.each([
  ['*', '*'],
  ['["*"]', '*'],
  ['[]', []],
  ['["https://a.example", "http://b:8080"]', ['https://a.example', 'http://b:8080']],
  ['https://A.example:443/, tauri://localhost,', ['https://a.example', 'tauri://localhost']],
])('origins %s', (given, value) => {
  expect(load({ env: { MOCHI_CORS_ORIGINS: given } }).config.corsOrigins).toEqual(value);
});

test.each([
  ',',
  '[1]',
  '["a"',
  'a.example',
  'null',
  'file:///x',
  'https://*.a.example',
  'https://u:p@a',
  'https://a?b',
])('not origins: %s', (given) => {
  expect(problemsOf({ env: { MOCHI_CORS_ORIGINS: given } })).toHaveLength(1);
});

describe('listening beyond loopback', () => {
  test.each(['0.0.0.0', '::', '192.168.1.2', 'chat.example.com', '0'])('%s needs keys or consent', (host) => {
    expect(problemsOf({ flags: { host } })).toEqual([expect.stringContaining('--allow-unauthenticated')]);
    expect(problemsOf({ flags: { host }, env: { MOCHI_API_KEYS: 'k' } })).toEqual([]);
    expect(problemsOf({ flags: { host, allowUnauthenticated: true } })).toEqual([]);
  });

  test.each(['127.0.0.2', 'localhost', '::1', '[::1]'])('%s needs neither', (host) => {
    expect(problemsOf({ flags: { host } })).toEqual([]);
  });

  test('keys that cannot be read are the only problem', () => {
    const env = { MOCHI_HOST: '0.0.0.0', MOCHI_API_KEYS: ' , ' };
    expect(problemsOf({ env })).toEqual([expect.stringContaining('MOCHI_API_KEYS')]);
  });
});

test('all problems at once, in the order of the table', () => {
  const env = { MOCHI_IDLE_TIMEOUT_SECONDS: 'soon', MOCHI_LOG_LEVEL: 'loud', MOCHI_HOST: '0.0.0.0' };
  expect(problemsOf({ flags: { port: '80000' }, env })).toEqual([
    '--port must be a whole number from 0 to 65535.',
    'MOCHI_LOG_LEVEL must be DEBUG, INFO, WARNING, ERROR or CRITICAL.',
    'MOCHI_IDLE_TIMEOUT_SECONDS must be a number of seconds from 0.001 to 86400.',
    expect.stringMatching(/^--host \(MOCHI_HOST\) lets other machines in/),
  ]);
});

test('no value is ever repeated', () => {
  const bad = 'http://ann:hush hush@[';
  const env = Object.fromEntries([...keys.map(variable), 'MOCHI_API_KEY'].map((name) => [name, bad]));
  const loaded = loadConfig({ env });
  // Any text will do as a path or a command.
  expect(problemsOf({ env })).toHaveLength(keys.length - 12);
  expect(JSON.stringify(loaded)).not.toMatch(/ann|hush/);
});

test('deeply frozen', () => {
  const env = { MOCHI_API_KEYS: 'a', MOCHI_CORS_ORIGINS: 'http://a' };
  const { config } = load({ env });
  expect([config, ...Object.values(config)].every(Object.isFrozen)).toBe(true);
});

test('quotes around a value are told, whether or not it could be read', () => {
  const warning = (name: string) =>
    `${name} has quotes around its value, which are taken as part of it: leave them out.`;
  const env = {
    MOCHI_API_KEYS: '"secret"',
    MOCHI_PORT: "'8000'",
    MOCHI_CORS_ORIGINS: '["https://a.example"]',
  };
  const loaded = loadConfig({ env });
  expect(loaded.warnings).toEqual([warning('MOCHI_PORT'), warning('MOCHI_API_KEYS')]);
  expect(loaded.ok).toBe(false);
  expect(JSON.stringify(loaded)).not.toContain('secret');
  expect(load({ env: { MOCHI_DATA_DIR: '"data"' } }).warnings).toEqual([warning('MOCHI_DATA_DIR')]);
});

test('warnings for variables without effect, also next to problems', () => {
  const env = {
    MOCHI_API_KEY: 'hush',
    MOCHI_HOTS: 'x',
    MOCHI_POORT: 'x',
    MOCHI_FLAVOUR: 'matcha',
    PATH: '/bin',
  };
  const warnings = [
    'MOCHI_API_KEY is not a setting; did you mean MOCHI_API_KEYS?',
    'MOCHI_HOTS is not a setting; did you mean MOCHI_HOST?',
    'MOCHI_POORT is not a setting; did you mean MOCHI_PORT?',
    'MOCHI_FLAVOUR is not a setting.',
  ];
  expect(load({ env }).warnings).toEqual(warnings);
  expect(loadConfig({ env, flags: { port: 'x' } }).warnings).toEqual(warnings);
});

describe('with commander', () => {
  function parse(...argv: string[]) {
    const command = new Command().exitOverride();
    for (const { flags, description } of cliOptions()) command.option(flags, description);
    return command.parse(argv, { from: 'user' });
  }

  test('every flag arrives under its key', () => {
    const argv = flagged.flatMap((key) =>
      key === 'allowUnauthenticated' ? [flag(key)] : [flag(key), examples[key].good],
    );
    const { config } = load({ flags: parse(...argv).opts() });
    for (const key of flagged) expect(config[key]).toEqual(examples[key].value);
  });

  test('flags that were not typed are not there', () => {
    expect(parse().opts()).toEqual({});
  });

  test('the help names every flag with its variable and default', () => {
    const help = parse().helpInformation().replace(/\s+/g, ' ');
    for (const key of flagged) expect(help).toContain(`(${variable(key)}`);
    expect(help).toContain(
      '--port <number> Port to listen on; 0 takes any free one (MOCHI_PORT, default 8000)',
    );
  });
});

test('no text makes it throw', () => {
  const good = Object.values(examples).map((example) => example.good);
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl(), fc.ipV6(), fc.constantFrom(...good));
  const some = (names: string[]) => fc.dictionary(fc.constantFrom(...names), text, { maxKeys: 4 });
  fc.assert(
    fc.property(
      some([...keys.map(variable), 'MOCHI_', 'MOCHI_HOS', '__proto__']),
      some(keys),
      (env, flags) => {
        const loaded = loadConfig({ env, flags });
        return loaded.ok ? Object.isFrozen(loaded.config) : loaded.problems.length > 0;
      },
    ),
    { numRuns: 1000 },
  );
});
