// The client for Python, against a real server and the network that fails in front of it, and the example of its docs.
// Says loudly where python3 or the packages that it needs cannot be had. `-- --write` makes anew what is made: the types
// after a change of openapi.json, and the client that blocks.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startWorld } from '../test/client/runtimes/world.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const client = join(root, 'clients/python');
/** Of those that work on it. */
const PACKAGES = ['httpx==0.28.1', 'datamodel-code-generator==0.89.0', 'mypy==2.4.1'];
const PATIENCE_MS = 300_000;

const home = join(root, 'node_modules/.cache/mochi-python');
const python = join(home, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');

const problem = prepare();
if (problem === null) process.exitCode = (await check()) ? 0 : 1;
else {
  const line = '='.repeat(100);
  process.stdout.write(
    `${line}\nSKIPPED: the client for Python. It cannot be tried here:\n${problem}\n${line}\n`,
  );
}

/** @returns why it cannot be tried; null when it can */
function prepare(): string | null {
  const mark = join(home, '.packages');
  if (existsSync(mark) && readFileSync(mark, 'utf8') === PACKAGES.join()) return null;
  const version = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 10))']);
  if (version.status !== 0) return 'There is no python3 of version 3.10 or later.';
  mkdirSync(home, { recursive: true });
  for (const [file, ...args] of [
    ['python3', '-m', 'venv', home],
    [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PACKAGES],
  ]) {
    const { status, stderr } = spawnSync(file ?? '', args, { encoding: 'utf8', timeout: PATIENCE_MS });
    if (status !== 0) return stderr.trim().split('\n').slice(-3).join('\n');
  }
  writeFileSync(mark, PACKAGES.join());
  return null;
}

/** @returns whether all is as it should be */
async function check(): Promise<boolean> {
  const world = await startWorld();
  const example = join(home, 'example.py');
  const page = readFileSync(join(root, 'docs/clients.md'), 'utf8');
  writeFileSync(example, /^```python\n([^]*?)^```$/m.exec(page)?.[1] ?? 'raise SystemExit("no example")');
  const env = {
    PYTHONPATH: join(client, 'src'),
    MOCHI_DIRECT: world.direct,
    MOCHI_FLAKY: world.flaky,
    MOCHI_URL: world.direct,
  };
  try {
    const mode = process.argv.includes('--write') ? [] : ['--check'];
    const ends = [
      await run(['make_sync.py', ...mode], env),
      await run(['make_types.py', ...mode], env),
      await run(['-m', 'mypy'], env),
      await run(['-W', 'error', '-m', 'unittest', 'discover', '-s', 'tests'], env),
      await run([example, 'pace 5'], env, /^t0 t1 t2 t3 t4 \n\d+ \+ \d+ of \d+ tokens\n$/),
    ];
    return ends.every((isFine) => isFine);
  } finally {
    await world.close();
  }
}

/** @param expected of what it prints. @returns whether it ended well */
async function run(args: readonly string[], env: Record<string, string>, expected = /^/): Promise<boolean> {
  const child = spawn(python, args, {
    cwd: client,
    env: { ...process.env, ...env, PYTHONDONTWRITEBYTECODE: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    process.stdout.write(text);
  });
  const [status] = await once(child, 'close');
  const isFine = status === 0 && expected.test(output);
  if (!isFine) process.stdout.write(`FAILED: python ${args.join(' ')}\n`);
  return isFine;
}
