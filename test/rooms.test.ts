// The stairs of docs/architecture.md: a room imports only the rooms in its brackets. Every import in src/ is read.
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';

/** The floors, from the cellar up: a room may import those named, which all lie below it. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  kit: [],
  contract: [],
  // For browsers, too: nothing of the server, nothing of Node.
  client: [],
  // For the page, too.
  markdown: [],
  config: ['kit'],
  engines: ['contract', 'kit'],
  store: ['contract', 'kit', 'version'],
  window: ['contract', 'kit'],
  models: ['contract', 'kit'],
  events: ['contract', 'kit', 'store'],
  cluster: ['kit', 'store'],
  tools: ['contract', 'kit'],
  approvals: ['contract', 'kit', 'store', 'tools'],
  agents: ['contract', 'kit', 'tools'],
  sessions: ['contract', 'kit', 'store'],
  transfer: ['contract', 'kit', 'store', 'sessions'],
  summaries: ['contract', 'kit', 'store', 'window'],
  chat: ['contract', 'kit', 'store', 'window', 'tools', 'approvals', 'agents', 'sessions', 'summaries'],
  dialects: ['contract', 'kit', 'store', 'models', 'approvals', 'sessions', 'chat'],
  http: [
    'contract',
    'kit',
    'store',
    'window',
    'models',
    'events',
    'tools',
    'approvals',
    'agents',
    'sessions',
    'transfer',
    'summaries',
    'chat',
    'dialects',
  ],
};

/** The floors of chat, from the lowest up, and which of the others each may import. */
const CHAT_FLOORS: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  watch: ['shared'],
  line: ['shared'],
  prompt: ['shared'],
  step: ['shared', 'watch', 'prompt'],
  root: ['shared', 'watch', 'line', 'prompt', 'step'],
};

/** Files beside the floors that all of them share. */
const SHARED_BY_FLOORS = new Set([
  'src/chat/answer-wishes.ts',
  'src/chat/passing-request.ts',
  'src/chat/turn-deps.ts',
  'src/chat/turn-request.ts',
]);

/** Rooms that a server has no use for. */
const FOR_CLIENTS = new Set(['client', 'markdown']);

/** Files that stand in no room, and what each may import. */
const ENTRIES: Readonly<Record<string, readonly string[]>> = {
  version: [],
  server: ['version', ...Object.keys(ROOMS).filter((room) => !FOR_CLIENTS.has(room))],
  // Commands beside a running server read and write the store themselves.
  cli: [
    'version',
    'kit',
    'contract',
    'client',
    'markdown',
    'config',
    'server',
    'transfer',
    'store',
    'tools',
    'agents',
    'chat',
    'engines',
  ],
  main: ['version', 'contract', 'cli'],
  bin: ['version', 'kit', 'cli', 'main'],
  'require-node': ['kit'],
  // What users of the package import: the function, and types.
  index: ['version', 'require-node', 'kit', 'contract', 'config', 'server'],
};

const ALLOWED: Readonly<Record<string, readonly string[]>> = { ...ROOMS, ...ENTRIES };

interface SourceFile {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
}

/** `file → import` of everything that the table does not allow. */
function findViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const from = roomOf(path);
    const allowed = ALLOWED[from];
    if (allowed === undefined) return [`${path}: ${from} is no room`];
    return listTargets(path, text)
      .filter((target) => roomOf(target) !== from && !allowed.includes(roomOf(target)))
      .map((target) => `${path} → ${target}`);
  });
}

/** `file → import` of everything in chat that climbs from one of its floors to a higher one. */
function findClimbs(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const from = floorOf(path);
    if (from === null) return [];
    const allowed = CHAT_FLOORS[from];
    if (allowed === undefined) return [`${path}: ${from} is no floor`];
    return listTargets(path, text)
      .filter((target) => {
        const floor = floorOf(target);
        return floor !== null && floor !== from && !allowed.includes(floor);
      })
      .map((target) => `${path} → ${target}`);
  });
}

/** `src/chat/step/draft.ts` is on step, `src/chat/run-turn.ts` on the root; null: not in chat. */
function floorOf(path: string): string | null {
  if (!path.startsWith('src/chat/')) return null;
  if (SHARED_BY_FLOORS.has(path)) return 'shared';
  const [first = '', ...below] = path.slice('src/chat/'.length).split('/');
  return below.length === 0 ? 'root' : first;
}

/** Each way that leads from a file back to itself, types included: the shortest one. */
function findCircles(files: readonly SourceFile[]): string[] {
  const imports = new Map(files.map(({ path, text }) => [path, listTargets(path, text)]));
  return files.flatMap(({ path: start }) => {
    const cameFrom = new Map<string, string>();
    const open = [start];
    for (let at = open.shift(); at !== undefined; at = open.shift()) {
      for (const next of imports.get(at) ?? []) {
        if (cameFrom.has(next)) continue;
        cameFrom.set(next, at);
        open.push(next);
      }
    }
    if (!cameFrom.has(start)) return [];
    const circle = [start];
    for (let at = cameFrom.get(start); at !== undefined && at !== start; at = cameFrom.get(at))
      circle.push(at);
    return [[...circle, start].toReversed().join(' → ')];
  });
}

function listTargets(path: string, text: string): string[] {
  return listImports(text).map((specifier) => posix.join(posix.dirname(path), specifier));
}

/** `src/chat/draft.ts` is in chat, `src/config.ts` and `src/config/settings.ts` are in config. */
function roomOf(path: string): string {
  if (!path.startsWith('src/')) return `outside (${path})`;
  return path.slice('src/'.length).split('/', 1)[0]?.replace(/\.ts$/, '') ?? '';
}

/** The relative imports of a file: of values and of types, re-exports, dynamic ones. */
function listImports(text: string): string[] {
  return listSpecifiers(text).filter((specifier) => specifier.startsWith('.'));
}

/** Names of packages and of Node's own modules that a file imports. */
function listPackages(text: string): string[] {
  return listSpecifiers(text).filter((specifier) => !specifier.startsWith('.'));
}

function listSpecifiers(text: string): string[] {
  const code = text.replaceAll(/^\s*(\/\/|\/?\*).*$/gm, '');
  const imports = code.matchAll(/(?:\bfrom|\bimport|\bimport\s*\(|\brequire\s*\()\s*['"`]([^'"`\n]+)['"`]/g);
  return [...imports].map(([, specifier = '']) => specifier);
}

function readSources(): SourceFile[] {
  const root = new URL('../', import.meta.url);
  return (
    readdirSync(new URL('src/', root), { recursive: true, withFileTypes: true })
      // Tests beside the files are not part of the house: they may put rooms together.
      .filter(
        (entry) => entry.isFile() && /\.[cm]?[jt]s$/.test(entry.name) && !entry.name.endsWith('.test.ts'),
      )
      .map((entry) => {
        const path = `src/${posix.relative(new URL('src/', root).pathname, posix.join(entry.parentPath, entry.name))}`;
        return { path, text: readFileSync(new URL(path, root), 'utf8') };
      })
  );
}

describe('the rooms of src/', () => {
  const sources = readSources();

  it('import only what the table allows', () => {
    expect(findViolations(sources)).toEqual([]);
  });

  it('stand in no circle, types included', () => {
    expect(findCircles(sources)).toEqual([]);
  });

  it('are all read', () => {
    const rooms = new Set(sources.map(({ path }) => roomOf(path)));
    expect([...rooms].filter((room) => !(room in ALLOWED))).toEqual([]);
    for (const room of [
      'contract',
      'kit',
      'config',
      'engines',
      'store',
      'window',
      'sessions',
      'transfer',
      'summaries',
      'chat',
      'http',
    ]) {
      expect(rooms).toContain(room);
    }
    const imports = sources.flatMap(({ text }) => listImports(text));
    expect(imports.length).toBeGreaterThan(200);
    for (const name of ['server', 'main', 'bin', 'index']) {
      const entry = sources.find(({ path }) => path === `src/${name}.ts`);
      expect([name, listImports(entry?.text ?? '').length > 0]).toEqual([name, true]);
    }
  });

  it('import files with their names: every relative import is there', () => {
    const paths = new Set(sources.map(({ path }) => path));
    const missing = sources.flatMap(({ path, text }) =>
      listTargets(path, text)
        .filter((target) => !paths.has(target))
        .map((target) => `${path} → ${target}`),
    );
    expect(missing).toEqual([]);
  });
});

describe('the floors of chat', () => {
  const sources = readSources();

  it('import only lower ones', () => {
    expect(findClimbs(sources)).toEqual([]);
  });

  it('are all there, and so is what they share', () => {
    const floors = new Set(sources.map(({ path }) => floorOf(path)).filter((floor) => floor !== null));
    expect([...floors].sort()).toEqual(Object.keys(CHAT_FLOORS).sort());
    const paths = sources.map(({ path }) => path);
    expect([...SHARED_BY_FLOORS].filter((path) => !paths.includes(path))).toEqual([]);
  });
});

describe('single rooms', () => {
  const sources = readSources();
  const inRoom = (room: string) => sources.filter(({ path }) => roomOf(path) === room);

  it('the contract uses the schema library and nothing else', () => {
    expect(new Set(inRoom('contract').flatMap(({ text }) => listPackages(text)))).toEqual(
      new Set(['typebox']),
    );
  });

  it('the client needs no package but React for its hooks, and nothing that some runtime lacks', () => {
    const packages = inRoom('client').flatMap(({ path, text }) =>
      listPackages(text).map((name) => `${path} → ${name}`),
    );
    expect(packages).toEqual(['src/client/react.ts → react']);
    const missing =
      /\b(TextDecoderStream|randomUUID|EventSource\(|withResolvers|AbortSignal\.(any|timeout)|process|Buffer)\b/;
    const code = inRoom('client').map(({ path, text }) => [
      path,
      missing.exec(text.replaceAll(/^\s*(\/\/|\/?\*).*$/gm, ''))?.[0],
    ]);
    expect(code.filter(([, found]) => found !== undefined)).toEqual([]);
  });

  it('the window is pure: no package, no file, no clock', () => {
    expect(inRoom('window').flatMap(({ text }) => listPackages(text))).toEqual([]);
    for (const { text } of inRoom('window')) expect(text).not.toMatch(/\bDate\b|\bperformance\b|\bprocess\b/);
  });

  it('one file of the command line writes to the terminal', () => {
    const writers = [...inRoom('cli'), ...inRoom('main')].filter(({ text }) =>
      /\bstd(out|err)\.write\b|\bconsole\./.test(text),
    );
    expect(writers.map(({ path }) => path)).toEqual(['src/cli/terminal.ts']);
  });

  it('http does not see how the store is opened or what its tables are', () => {
    const hidden = /^src\/store\/(open-store|sqlite|database|data-folder-lock|migrations\/.*)\.ts$/;
    const seen = inRoom('http').flatMap(({ path, text }) => listTargets(path, text));
    expect(seen.filter((target) => hidden.test(target))).toEqual([]);
  });
});

describe.each([
  ['the table of rooms', ROOMS],
  ['the table of floors', CHAT_FLOORS],
])('%s', (_name, table) => {
  it('has no way up: each imports only those above it in the list', () => {
    // Below all: it imports nothing.
    const order = ['version', ...Object.keys(table)];
    for (const [index, [room, allowed]] of Object.entries(table).entries()) {
      const below = order.slice(0, index + 1);
      expect([room, allowed.filter((other) => !below.includes(other))]).toEqual([room, []]);
    }
  });
});

describe('the check', () => {
  const violationsOf = (path: string, text: string) => findViolations([{ path, text }]);

  it.each([
    ['a value', `import { runTurn } from '../chat/run-turn.ts';`],
    ['a type', `import type { LiveTurn } from '../chat/watch/live-turn.ts';`],
    ['many lines', `import {\n  a,\n  b,\n} from "../chat/run-turn.ts";`],
    ['a side effect', `import '../chat/run-turn.ts';`],
    ['a re-export', `export * from '../chat/run-turn.ts';`],
    ['a named re-export', `export { runTurn } from '../chat/run-turn.ts';`],
    ['a dynamic import', `const chat = await import('../chat/run-turn.ts');`],
    ['a dynamic import over lines', 'const chat = await import(\n  `../chat/run-turn.ts`,\n);'],
    ['an inline type', `let turn: import('../chat/watch/live-turn.ts').LiveTurn;`],
    ['a way round', `import { runTurn } from '../../src/chat/run-turn.ts';`],
  ])('catches %s from the wrong room', (_what, text) => {
    expect(violationsOf('src/store/messages.ts', text)).toEqual([
      expect.stringMatching(/^src\/store\/messages\.ts → src\/chat\/(run-turn|watch\/live-turn)\.ts$/),
    ]);
  });

  it.each([
    ['src/store/sessions.ts', '../sessions/require.ts'],
    ['src/engines/ollama/models.ts', '../../store/sessions.ts'],
    ['src/contract/message.ts', '../kit/ids.ts'],
    ['src/kit/log.ts', '../config.ts'],
    ['src/chat/run-turn.ts', '../engines/ollama/ollama-engine.ts'],
    ['src/chat/run-turn.ts', '../config.ts'],
    ['src/http/app.ts', '../config/settings.ts'],
    ['src/http/routes/models.ts', '../../engines/ollama/models.ts'],
    ['src/sessions/fork.ts', '../http/app.ts'],
    ['src/sessions/branches.ts', '../transfer/import-sessions.ts'],
    ['src/transfer/jsonl/import.ts', '../../chat/recover-turns.ts'],
    ['src/chat/run-turn.ts', '../server.ts'],
    ['src/http/document.ts', '../version.ts'],
    ['src/main.ts', './http/app.ts'],
    ['src/bin.ts', './server.ts'],
    ['src/client/send.ts', '../contract/errors.ts'],
    ['src/server.ts', './client/index.ts'],
    ['src/index.ts', './store/sessions.ts'],
    ['src/store/sqlite.ts', '../../test/support/test-server.ts'],
  ])('refuses %s importing %s', (path, specifier) => {
    expect(violationsOf(path, `import { a } from '${specifier}';`)).toHaveLength(1);
  });

  it.each([
    ['src/store/messages.ts', '../contract/message.ts'],
    ['src/store/migrations/m001.ts', '../messages.ts'],
    ['src/config.ts', './config/settings.ts'],
    ['src/config/settings.ts', '../kit/loopback.ts'],
    ['src/http/routes/chat.ts', '../../chat/live-turns.ts'],
    ['src/server.ts', './engines/ollama/ollama-engine.ts'],
    ['src/main.ts', './cli/import.ts'],
    ['src/cli/import.ts', '../transfer/import-sessions.ts'],
    ['src/transfer/original/settings.ts', '../../sessions/metadata.ts'],
    ['src/bin.ts', './main.ts'],
    ['src/cli/chat.ts', '../client/index.ts'],
  ])('allows %s to import %s', (path, specifier) => {
    expect(violationsOf(path, `import { a } from '${specifier}';`)).toEqual([]);
  });

  it.each([
    ['src/chat/watch/replay-turn.ts', '../step/settle-round.ts'],
    ['src/chat/prompt/plan-prompt.ts', '../step/draft.ts'],
    ['src/chat/step/call-model.ts', '../run-turn.ts'],
    ['src/chat/step/draft.ts', '../line/turn-lines.ts'],
    ['src/chat/turn-deps.ts', './step/checkpoints.ts'],
    ['src/chat/attic/dust.ts', './more-dust.ts'],
  ])('refuses that %s climbs to %s', (path, specifier) => {
    expect(findClimbs([{ path, text: `import type { A } from '${specifier}';` }])).toHaveLength(1);
  });

  it.each([
    ['src/chat/run-turn.ts', './step/call-model.ts'],
    ['src/chat/step/call-model.ts', '../prompt/plan-prompt.ts'],
    ['src/chat/step/call-model.ts', '../turn-deps.ts'],
    ['src/chat/step/call-model.ts', './draft.ts'],
    ['src/http/frames.ts', '../chat/watch/turn-log.ts'],
  ])('lets %s import %s', (path, specifier) => {
    expect(findClimbs([{ path, text: `import { a } from '${specifier}';` }])).toEqual([]);
  });

  it('sees a circle of types, and who is not in it', () => {
    const circle = [
      { path: 'src/kit/a.ts', text: `import { b } from './b.ts';` },
      { path: 'src/kit/b.ts', text: `import type { C } from './c.ts';` },
      { path: 'src/kit/c.ts', text: `export type C = import('./b.ts').B;` },
    ];
    expect(findCircles(circle)).toEqual([
      'src/kit/b.ts → src/kit/c.ts → src/kit/b.ts',
      'src/kit/c.ts → src/kit/b.ts → src/kit/c.ts',
    ]);
    expect(findCircles(circle.slice(0, 2))).toEqual([]);
  });

  it('names a folder that is no room', () => {
    expect(violationsOf('src/utils/misc.ts', '')).toEqual(['src/utils/misc.ts: utils is no room']);
  });

  it('does not take a comment for an import', () => {
    expect(violationsOf('src/kit/ids.ts', "// import { a } from '../chat/run-turn.ts';")).toEqual([]);
  });
});
