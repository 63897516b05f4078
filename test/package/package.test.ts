// What is published: its files, and that they run where only they are.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand, spawnServer } from '../support/spawned-server.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** What `npm run build` and `npm pack` look at. */
const SOURCES = [
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'openapi.json',
  'package-lock.json',
  'package.json',
  'scripts',
  'src',
  'tsconfig.build.json',
  'tsconfig.json',
  'web',
];

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[], cwd: string): Run {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  return { status, stdout, stderr };
}

function npm(args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = run('npm', args, cwd);
  if (status !== 0) throw new Error(`npm ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

describe('the package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mochi-package-'));
  // Built beside the checkout, so that nothing in it changes while others use it.
  const checkout = join(folder, 'checkout');
  const installed = join(folder, 'node_modules', 'mochi-server');
  const bin = join(installed, 'dist', 'bin.js');
  let files: string[];
  let manifest: {
    name: string;
    version: string;
    bin: Record<string, string>;
    engines: { node: string };
    dependencies: Record<string, string>;
  };

  beforeAll(() => {
    for (const path of SOURCES) {
      if (existsSync(join(root, path))) cpSync(join(root, path), join(checkout, path), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));
    npm(['run', 'build'], checkout);
    run(process.execPath, ['scripts/shrinkwrap.ts'], checkout);
    const [packed] = JSON.parse(npm(['pack', '--json', '--ignore-scripts'], checkout));
    files = packed.files.map(({ path }: { path: string }) => path);
    expect(run('tar', ['-xzf', join(checkout, packed.filename), '-C', folder], folder).status).toBe(0);
    cpSync(join(folder, 'package'), installed, { recursive: true });
    manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    // What npm would lay beside it: what it names, and nothing that only development needs.
    mkdirSync(join(installed, 'node_modules'));
    for (const name of Object.keys(manifest.dependencies)) {
      symlinkSync(join(root, 'node_modules', name), join(installed, 'node_modules', name));
    }
  }, 300_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  it('holds what it needs and what explains it', () => {
    expect(files).toEqual(
      expect.arrayContaining([
        'CHANGELOG.md',
        'LICENSE',
        'README.md',
        'dist/bin.js',
        'dist/index.d.ts',
        'dist/index.js',
        'dist/licenses.md',
        'dist/tools/groups/python/host.py',
        'dist/tools/groups/python/mochi_host/tools.py',
        // Programs of their own, started by their names.
        'dist/engines/embedded/child.js',
        'dist/store/erase-deleted.js',
        'dist/tools/groups/worker.js',
        'npm-shrinkwrap.json',
        'openapi.json',
        'package.json',
      ]),
    );
  });

  it('pins what it is installed with: the versions of the lock file, and nothing that only development needs', () => {
    const read = (path: string): Record<string, { version: string; dev?: boolean }> =>
      JSON.parse(readFileSync(path, 'utf8')).packages;
    const { '': _root, ...pinned } = read(join(installed, 'npm-shrinkwrap.json'));
    const locked = read(join(root, 'package-lock.json'));
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    for (const name of Object.keys(dependencies)) expect(pinned).toHaveProperty([`node_modules/${name}`]);
    for (const [path, { version }] of Object.entries(pinned)) {
      expect([path, version, locked[path]?.dev ?? false]).toEqual([path, locked[path]?.version, false]);
    }
    expect(Object.keys(pinned).filter((path) => /\/node-(bin-)?(darwin|linux|win)/.test(path))).toEqual([]);
  });

  it('holds neither sources nor tests', () => {
    const strangers = files.filter(
      (path) =>
        /\.test\.|(?<!\.d)\.ts$|\.pyc$|^(src|test|bench|scripts|docs)\//.test(path) ||
        !/^dist\/|^[^/]+$/.test(path),
    );
    expect(strangers).toEqual([]);
    // The page is one of the things that are built.
    expect(files).toContain('dist/web/index.html');
  });

  it('names in its code no file that it does not hold', () => {
    const code = /(?:from|import|import\(|require\()\s*["'`](\.[^"'`\s]+\.c?js)["'`]/g;
    // What lies beside a source is found from where that would be.
    const beside = /new URL\(["'`](\.[^"'`]+)["'`],\s*new URL\(["'`](\.[^"'`]+)["'`],import\.meta\.url\)/g;
    const named = files
      .filter((file) => /^dist\/(?!web\/|docs\/).*\.c?js$/.test(file))
      .flatMap((path) => {
        const text = readFileSync(join(installed, path), 'utf8');
        return [...text.matchAll(code), ...text.matchAll(beside)].map(([, to = '', from = '.']) =>
          // The kind of the file is that of the source: `.js` here.
          join(path, '..', from, from === '.' ? '' : '..', to.replace(/\$\{\w+\}$/, '.js')),
        );
      });
    expect(named.length).toBeGreaterThan(100);
    expect(named).toEqual(
      expect.arrayContaining([
        'dist/tools/groups/python/host.py',
        'openapi.json',
        'package.json',
        'dist/web/',
      ]),
    );
    const missing = named.filter((path) => !existsSync(join(installed, path)) && !path.includes('.cache'));
    expect(missing).toEqual([]);
  });

  it('tells the licence of everything that it holds', () => {
    const text = readFileSync(join(installed, 'dist', 'licenses.md'), 'utf8');
    for (const name of ['fastify', 'kysely', 'undici', 'typebox', '@modelcontextprotocol/client']) {
      expect(text).toMatch(new RegExp(`^## ${name} - \\d+\\.\\d+\\.\\d+ \\([A-Z].+\\)$`, 'm'));
    }
    expect(text).toContain('Permission is hereby granted');
  });

  it('can be imported: a server in a program of somebody else', () => {
    const program = `
      import { createLog, createServer, loadConfig, MochiError } from 'mochi-server';
      const loaded = loadConfig({ flags: { port: '0', dataDir: ${JSON.stringify(join(folder, 'imported'))} }, env: {} });
      const server = await createServer(loaded.config, createLog({ level: 'fatal', format: 'json' }));
      const url = await server.listen();
      const { status } = await fetch(url + '/api/v1/sessions');
      await server.close();
      console.log(status, MochiError.name);`;
    expect(run(process.execPath, ['--input-type=module', '--eval', program], folder)).toEqual({
      status: 0,
      stdout: '200 MochiError\n',
      stderr: '',
    });
  });

  it('runs tools of both kinds from where it is installed, which import its types from there', async () => {
    const tools = join(folder, 'tools');
    for (const [path, text] of [
      [
        'native/index.mts',
        `import { defineTool } from 'mochi-server/tools';
        export const hello = defineTool({ description: 'H.', execute: () => 'hello' });`,
      ],
      ['snake/__init__.py', 'def hallo():\n    """H."""\n    return "hallo"\n'],
    ] as const) {
      mkdirSync(dirname(join(tools, path)), { recursive: true });
      writeFileSync(join(tools, path), text);
    }
    mkdirSync(join(folder, 'tool-data'));
    const ran = async (name: string) => {
      const flags = ['--port', '1', '--tools-dir', tools, '--data-dir', join(folder, 'tool-data')];
      const { status, stdout, stderr } = await runCommand(['tools', 'run', name, ...flags], { bin });
      return [status, stdout || stderr];
    };
    const hasPython = spawnSync('python3', ['--version']).status === 0;
    expect(await ran('hello')).toEqual([0, 'hello\n']);
    expect((await ran('hallo'))[0]).toBe(hasPython ? 0 : 1);
    // Where it is installed, and where the tools are, nothing is written.
    const written = [join(installed, 'dist'), tools].flatMap((path) =>
      readdirSync(path, { recursive: true, encoding: 'utf8' }),
    );
    expect(written.filter((path) => path.includes('__pycache__'))).toEqual([]);
  });

  it('says in one line that a Node is too old, before anything breaks on it', () => {
    const older = `data:text/javascript,${encodeURIComponent(
      `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });`,
    )}`;
    const program = `await import('mochi-server').catch((error) => console.log(error.stack));`;
    expect(
      run(process.execPath, ['--import', older, '--input-type=module', '--eval', program], folder),
    ).toEqual({
      status: 0,
      stdout: 'mochi-server needs Node 22.19 or newer; this is 20.20.2.\n',
      stderr: '',
    });
  });

  it('has types that need none of Node and of no package but the schema library', () => {
    const packages = new Set<string>();
    const seen = new Set<string>();
    const open = [join(installed, 'dist', 'index.d.ts')];
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      if (seen.has(path)) continue;
      seen.add(path);
      const text = readFileSync(path, 'utf8');
      expect([path, /reference types|\bNodeJS\.|\bBuffer\b/.test(text)]).toEqual([path, false]);
      for (const [, from = ''] of text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']/g)) {
        if (from.startsWith('.')) open.push(join(path, '..', from.replace(/\.[jt]s$/, '.d.ts')));
        else packages.add(from);
      }
    }
    expect(seen.size).toBeGreaterThan(10);
    expect([...packages]).toEqual(['typebox']);
  });

  it('has types that a program compiles against', () => {
    const program = `
      import { type Config, createServer, loadConfig, type Message, type TurnEvent } from 'mochi-server';
      import { defineTool } from 'mochi-server/tools';
      export const tool = defineTool<{ readonly city: string }>({
        description: 'D.',
        execute: ({ city }, { signal, progress }) => (signal.aborted ? progress('no') : city.length),
      });
      const loaded = loadConfig();
      if (!loaded.ok) throw new Error(loaded.problems.join());
      const config: Config = loaded.config;
      export const nameOf = (event: TurnEvent): string => event.event;
      export const textOf = (message: Message): string => message.content;
      export const wrong: number = config.host;
      export { createServer };`;
    const file = join(folder, 'program.ts');
    run(
      process.execPath,
      ['-e', `fs.writeFileSync(${JSON.stringify(file)}, ${JSON.stringify(program)})`],
      folder,
    );
    const flags = [
      '--ignoreConfig',
      '--noEmit',
      '--skipLibCheck',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2024',
    ];
    const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules', '@types')];
    const { stdout } = run(join(root, 'node_modules', '.bin', 'tsc'), [...flags, ...types, file], folder);
    const errors = stdout.split('\n').filter((line) => line.includes('error TS'));
    expect(errors).toEqual([expect.stringMatching(/program\.ts.*TS2322.*'string'.*'number'/)]);
  });

  it('brings a command that starts and answers', async () => {
    expect(manifest.bin).toEqual({ 'mochi-server': 'dist/bin.js' });
    expect(readFileSync(bin, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect(await runCommand(['--version'], { bin })).toMatchObject({
      status: 0,
      stdout: `mochi-server ${manifest.version}\n`,
    });
    const server = await spawnServer({
      dataDir: join(folder, 'data'),
      ollamaHost: 'http://127.0.0.1:1',
      bin,
    });
    expect(await server.get('/livez')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect((await server.get('/openapi.json')).body.info.version).toBe(manifest.version);
    expect((await server.get('/docs')).status).toBe(200);
    expect(await server.kill('SIGTERM')).toMatchObject({ status: 0 });
  });

  it('reads few files at its start, and none of those that most starts do without', async () => {
    const noted = join(folder, 'modules.json');
    const server = await spawnServer({
      dataDir: join(folder, 'counted'),
      ollamaHost: 'http://127.0.0.1:1',
      bin,
      env: { NODE_OPTIONS: `--import=${join(root, 'test/support/note-modules.ts')}`, LOADED_MODULES: noted },
    });
    expect((await server.get('/livez')).status).toBe(200);
    await server.kill('SIGTERM');
    const modules: string[] = JSON.parse(readFileSync(noted, 'utf8'));
    expect(modules.filter((url) => url.includes('better-sqlite3')).length).toBeGreaterThan(0);
    expect(modules.length).toBeLessThanOrEqual(60);
    const sources = modules.flatMap((url): string[] => {
      const map = `${fileURLToPath(url)}.map`;
      return existsSync(map) ? JSON.parse(readFileSync(map, 'utf8')).sources : [];
    });
    expect(sources.filter((path) => /\/fastify\//.test(path)).length).toBeGreaterThan(10);
    const late = /\/(@fastify\/swagger|@modelcontextprotocol|ajv|pino-pretty|re2js|yaml)\/|embedded-engine/;
    expect(sources.filter((path) => late.test(path))).toEqual([]);
  });

  /** A Node older than `engines` on this machine; not the one that the repository brings. */
  function findOldNode(): string | undefined {
    const folders = (process.env['PATH'] ?? '')
      .split(delimiter)
      .filter((path) => !path.includes('node_modules'));
    return folders
      .map((path) => join(path, 'node'))
      .find((node) => {
        const [major = 0, minor = 0] = run(node, ['-p', 'process.versions.node'], folder)
          .stdout?.split('.')
          .map(Number) ?? [99];
        return major > 0 && (major < 22 || (major === 22 && minor < 19));
      });
  }

  it('says in one line that a Node is too old', () => {
    expect(manifest.engines.node).toBe('>=22.19');
    const said = (version: string) => ({
      status: 2,
      stdout: '',
      stderr: `mochi-server needs Node 22.19 or newer; this is ${version}.\n`,
    });
    for (const version of ['0.10.48', '18.20.8', '20.19.0', '22.18.0']) {
      // The same file on a Node that gives itself out for another.
      const program = `
        Object.defineProperty(process.versions, 'node', { value: '${version}' });
        await import(${JSON.stringify(pathToFileURL(bin).href)});`;
      expect(run(process.execPath, ['--input-type=module', '--eval', program], folder)).toEqual(
        said(version),
      );
    }
    const oldNode = findOldNode();
    if (oldNode === undefined) return;
    const version = run(oldNode, ['-p', 'process.versions.node'], folder).stdout.trim();
    expect(run(oldNode, [bin, '--port', '0'], folder)).toEqual(said(version));
  });
});
