// Holds openapi.json against a public linter and three generators of clients, as a project that uses it would: in a
// folder of its own, with their newest tried versions, none of which is a dependency of ours. No warning is let pass.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGES = [
  '@redocly/cli@2.77.0',
  'openapi-typescript@7.13.0',
  '@hey-api/openapi-ts@0.99.0',
  'typescript@5.9.3',
];
const PYTHON_GENERATOR = 'openapi-python-client==0.29.1';
/** It knows JSON and files; lines of JSON are a file to it. */
const PYTHON_CONFIG =
  'post_hooks: []\ncontent_type_overrides:\n  application/x-ndjson: application/octet-stream\n';
const TYPES = [
  '--noEmit',
  '--strict',
  '--skipLibCheck',
  '--target',
  'es2022',
  '--module',
  'esnext',
  '--moduleResolution',
  'bundler',
];

const folder = mkdtempSync(join(tmpdir(), 'mochi-openapi-clients-'));
try {
  copyFileSync(fileURLToPath(new URL('../openapi.json', import.meta.url)), join(folder, 'openapi.json'));
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  run('npm', ['install', '--no-audit', '--no-fund', '--silent', ...PACKAGES]);
  checkLinter();
  checkGenerator('openapi-typescript', ['openapi-typescript', 'openapi.json', '-o', 'types.ts'], 'types.ts');
  checkGenerator(
    'openapi-ts',
    ['openapi-ts', '-i', 'openapi.json', '-o', 'client', '--no-log-file'],
    'client/index.ts',
  );
  checkPython();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function checkLinter(): void {
  const { totals, problems } = JSON.parse(npx(['redocly', 'lint', 'openapi.json', '--format=json']));
  if (totals.errors + totals.warnings > 0) fail('redocly', JSON.stringify(problems, null, 2));
  say('redocly lint: no error, no warning');
}

/** Generates, and compiles what came. */
function checkGenerator(name: string, command: readonly string[], entry: string): void {
  const output = npx(command);
  if (/\bwarn/i.test(output)) fail(name, output);
  npx(['tsc', ...TYPES, entry]);
  say(`${name}: generates, and its output compiles`);
}

function checkPython(): void {
  const python = spawnSync('python3', ['--version'], { encoding: 'utf8' });
  if (python.status !== 0) {
    say('openapi-python-client: SKIPPED, there is no python3 here');
    return;
  }
  writeFileSync(join(folder, 'python.yaml'), PYTHON_CONFIG);
  run('python3', ['-m', 'venv', 'python']);
  const bin = join(folder, 'python', 'bin');
  run(join(bin, 'pip'), ['install', '--quiet', '--disable-pip-version-check', PYTHON_GENERATOR]);
  const args = [
    'generate',
    '--path',
    'openapi.json',
    '--meta',
    'none',
    '--config',
    'python.yaml',
    '--output-path',
    'mochi',
  ];
  const output = run(join(bin, 'openapi-python-client'), args);
  if (/warning|unsupported/i.test(output)) fail('openapi-python-client', output);
  run(join(bin, 'python'), ['-m', 'compileall', '-q', 'mochi']);
  run(join(bin, 'python'), ['-c', 'from mochi.api.chat import chat, stream_chat']);
  say('openapi-python-client: generates, and its output can be imported');
}

function npx(args: readonly string[]): string {
  return run('npx', ['--no-install', ...args]);
}

/** @returns what it printed. @throws Error when it fails */
function run(command: string, args: readonly string[]): string {
  const env = {
    ...process.env,
    REDOCLY_TELEMETRY: 'off',
    REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true',
    NO_COLOR: '1',
  };
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: folder, encoding: 'utf8', env });
  if (status !== 0) fail(`${command} ${args.join(' ')}`, `${error ?? ''}${stdout}${stderr}`);
  return command === 'npx' && args.includes('--format=json') ? stdout : `${stdout}${stderr}`;
}

function fail(what: string, output: string): never {
  throw new Error(`${what}:\n${output}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
