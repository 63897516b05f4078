// The stairs of docs/architecture.md: a room imports only the rooms in its brackets. Every import in src/ is read.
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';

/** The floors, from the cellar up: a room may import those named, which all lie below it. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  kit: [],
  contract: [],
  config: ['kit'],
  engines: ['contract', 'kit'],
  store: ['contract', 'kit'],
  window: ['contract', 'kit'],
  tools: ['contract', 'kit'],
  sessions: ['contract', 'kit', 'store'],
  summaries: ['contract', 'kit', 'store', 'window'],
  chat: ['contract', 'kit', 'store', 'window', 'tools', 'sessions', 'summaries'],
  agents: ['contract', 'kit', 'store', 'window', 'tools', 'sessions', 'summaries', 'chat'],
  http: ['contract', 'kit', 'store', 'window', 'tools', 'sessions', 'summaries', 'chat', 'agents'],
};

/** Files that stand in no room, and what each may import. */
const ENTRIES: Readonly<Record<string, readonly string[]>> = {
  version: [],
  server: ['version', ...Object.keys(ROOMS)],
  // Commands beside a running server read and write the store themselves.
  cli: ['version', 'kit', 'contract', 'config', 'server', 'sessions', 'store', 'chat', 'engines'],
  main: ['version', 'contract', 'cli'],
  bin: ['version', 'cli', 'main'],
  // What users of the package import: the function, and types.
  index: ['version', 'kit', 'contract', 'config', 'server'],
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
    return listImports(text)
      .map((specifier) => posix.join(posix.dirname(path), specifier))
      .filter((target) => roomOf(target) !== from && !allowed.includes(roomOf(target)))
      .map((target) => `${path} → ${target}`);
  });
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
      listImports(text)
        .map((specifier) => posix.join(posix.dirname(path), specifier))
        .filter((target) => !paths.has(target))
        .map((target) => `${path} → ${target}`),
    );
    expect(missing).toEqual([]);
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

  it('the window is pure: no package, no file, no clock', () => {
    expect(inRoom('window').flatMap(({ text }) => listPackages(text))).toEqual([]);
    for (const { text } of inRoom('window')) expect(text).not.toMatch(/\bDate\b|\bperformance\b|\bprocess\b/);
  });

  it('http does not see how the store is opened or what its tables are', () => {
    const hidden = /^src\/store\/(open-store|sqlite|database|data-folder-lock|migrations\/.*)\.ts$/;
    const seen = inRoom('http').flatMap(({ path, text }) =>
      listImports(text).map((specifier) => posix.join(posix.dirname(path), specifier)),
    );
    expect(seen.filter((target) => hidden.test(target))).toEqual([]);
  });
});

describe('the table', () => {
  it('has no way up: a room imports only those above it in the list', () => {
    const order = Object.keys(ROOMS);
    for (const [index, [room, allowed]] of Object.entries(ROOMS).entries()) {
      const below = order.slice(0, index);
      expect([room, allowed.filter((other) => !below.includes(other))]).toEqual([room, []]);
    }
  });
});

describe('the check', () => {
  const violationsOf = (path: string, text: string) => findViolations([{ path, text }]);

  it.each([
    ['a value', `import { runTurn } from '../chat/run-turn.ts';`],
    ['a type', `import type { LiveTurn } from '../chat/live-turn.ts';`],
    ['many lines', `import {\n  a,\n  b,\n} from "../chat/run-turn.ts";`],
    ['a side effect', `import '../chat/run-turn.ts';`],
    ['a re-export', `export * from '../chat/run-turn.ts';`],
    ['a named re-export', `export { runTurn } from '../chat/run-turn.ts';`],
    ['a dynamic import', `const chat = await import('../chat/run-turn.ts');`],
    ['a dynamic import over lines', 'const chat = await import(\n  `../chat/run-turn.ts`,\n);'],
    ['an inline type', `let turn: import('../chat/live-turn.ts').LiveTurn;`],
    ['a way round', `import { runTurn } from '../../src/chat/run-turn.ts';`],
  ])('catches %s from the wrong room', (_what, text) => {
    expect(violationsOf('src/store/messages.ts', text)).toEqual([
      expect.stringMatching(/^src\/store\/messages\.ts → src\/chat\/(run|live)-turn\.ts$/),
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
    ['src/chat/run-turn.ts', '../server.ts'],
    ['src/http/document.ts', '../version.ts'],
    ['src/main.ts', './http/app.ts'],
    ['src/bin.ts', './server.ts'],
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
    ['src/cli/import.ts', '../sessions/import-sessions.ts'],
    ['src/bin.ts', './main.ts'],
  ])('allows %s to import %s', (path, specifier) => {
    expect(violationsOf(path, `import { a } from '${specifier}';`)).toEqual([]);
  });

  it('names a folder that is no room', () => {
    expect(violationsOf('src/utils/misc.ts', '')).toEqual(['src/utils/misc.ts: utils is no room']);
  });

  it('does not take a comment for an import', () => {
    expect(violationsOf('src/kit/ids.ts', "// import { a } from '../chat/run-turn.ts';")).toEqual([]);
  });
});
