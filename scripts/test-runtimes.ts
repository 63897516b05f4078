// The client in other runtimes: `npm run test:runtimes -- bun deno workerd node=/path/of/another/node chromium`. They are
// looked for in the path, and not part of `npm test`: none of them comes without a download of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startWorld } from '../test/client/runtimes/world.ts';
import { bundleClient } from './bundle-client.ts';

const SPEC = { spec: 'test/client/runtimes/spec.ts' };

/** How each is started with a script. */
const SCRIPTS: Readonly<Record<string, (script: string) => string[]>> = {
  node: (script) => [script],
  bun: (script) => ['run', script],
  deno: (script) => ['run', '--allow-net', script],
};

const asked = process.argv.slice(2).map((argument) => {
  const [name = '', path = name] = argument.split('=');
  return { name, path };
});
if (asked.length === 0)
  throw new Error('Name runtimes: node, bun, deno, workerd, chromium; name=/path says where one is.');

const folder = await mkdtemp(join(tmpdir(), 'mochi-runtimes-'));
await bundleClient({ folder, isMinified: false, entries: SPEC });
const world = await startWorld();
const servers = JSON.stringify({ direct: world.direct, flaky: world.flaky });
async function asScript(name: string, path: string): Promise<string[]> {
  const toArguments = SCRIPTS[name];
  if (toArguments === undefined) throw new Error(`There is no runtime called ${name}.`);
  const script = join(folder, 'run.mjs');
  await writeFile(
    script,
    `import { runSpec } from './spec.js';\nconsole.log(JSON.stringify(await runSpec(${servers})));\n`,
  );
  const child = spawn(path, toArguments(script), { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (child.exitCode !== 0) throw new Error(`${name} ended with ${child.exitCode}.`);
  return JSON.parse(output);
}

const PAGE = `<!doctype html><script type="module">
import { runSpec } from './spec.js';
const tell = (done) => fetch('/done', { method: 'POST', body: JSON.stringify(done) });
const inWorker = () => new Promise((resolve, reject) => {
  const worker = new Worker('./worker.js', { type: 'module' });
  worker.onmessage = ({ data }) => ('error' in data ? reject(new Error(data.error)) : resolve(data.done));
  worker.onerror = (event) => reject(new Error(event.message));
});
try {
  const page = await runSpec(${servers});
  const worker = await inWorker();
  await tell([...page.map((line) => 'page: ' + line), ...worker.map((line) => 'worker: ' + line)]);
} catch (error) {
  await tell({ error: String(error?.stack ?? error) });
}
</script>`;
const WORKER = `import { runSpec } from './spec.js';
runSpec(${servers}).then((done) => postMessage({ done }), (error) => postMessage({ error: String(error.stack) }));`;

async function told(request: IncomingMessage): Promise<string[]> {
  return toDone(JSON.parse(Buffer.concat(await Array.fromAsync(request)).toString()));
}

function toDone(told: unknown): string[] {
  if (Array.isArray(told)) return told;
  throw new Error(Object(told).error);
}

const WORKERD_CONFIG = (port: number) => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "main", worker = .spec), (name = "internet", network = (allow = ["private"])) ],
  sockets = [ (name = "http", address = "127.0.0.1:${port}", http = (), service = "main") ],
);
const spec :Workerd.Worker = (
  modules = [
    (name = "worker", esModule = embed "worker.mjs"),
    (name = "spec.js", esModule = embed "spec.js"),
  ],
  compatibilityDate = "2026-01-01",
);
`;
const FETCH_HANDLER = `import { runSpec } from 'spec.js';
export default {
  async fetch() {
    try {
      return Response.json(await runSpec(${servers}));
    } catch (error) {
      return Response.json({ error: String(error?.stack ?? error) });
    }
  },
};
`;

async function inWorkerd(path: string): Promise<string[]> {
  const port = await freePort();
  await writeFile(join(folder, 'config.capnp'), WORKERD_CONFIG(port));
  await writeFile(join(folder, 'worker.mjs'), FETCH_HANDLER);
  const child = spawn(path, ['serve', 'config.capnp'], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  try {
    return toDone(await untilAnswer(`http://127.0.0.1:${port}/`, child));
  } finally {
    child.kill();
  }
}

async function untilAnswer(url: string, child: ChildProcess): Promise<unknown> {
  for (;;) {
    const response = await fetch(url).catch(() => null);
    if (response !== null) return response.json();
    if (child.exitCode !== null) throw new Error(`It ended with ${child.exitCode}.`);
    await delay(100);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

/** A page and a module worker of another origin than the server's. */
async function inBrowser(path: string): Promise<string[]> {
  const spec = await readFile(join(folder, 'spec.js'), 'utf8');
  const { promise, resolve, reject } = Promise.withResolvers<string[]>();
  const files: Record<string, [type: string, text: string]> = {
    '/': ['text/html', PAGE],
    '/spec.js': ['text/javascript', spec],
    '/worker.js': ['text/javascript', WORKER],
  };
  const pages = createServer((request, response) => {
    if (request.url === '/done') void told(request).then(resolve, reject);
    const [type, text] = files[request.url ?? ''] ?? ['text/plain', ''];
    response.writeHead(200, { 'content-type': type }).end(text);
  });
  await new Promise<void>((listening) => pages.listen(0, '127.0.0.1', listening));
  const { port } = pages.address() as AddressInfo;
  const flags = [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    `--user-data-dir=${join(folder, 'profile')}`,
  ];
  const browser = spawn(path, [...flags, `http://127.0.0.1:${port}/`], { stdio: 'ignore' });
  browser.once('error', reject);
  try {
    return await promise;
  } finally {
    const ended = new Promise((resolve) => browser.once('close', resolve));
    browser.kill();
    await ended;
    pages.closeAllConnections();
    pages.close();
  }
}

/** Those that run the spec where it was served to them. */
const IN_SERVERS: Readonly<Record<string, (path: string) => Promise<string[]>>> = {
  chromium: inBrowser,
  workerd: inWorkerd,
};

try {
  for (const { name, path } of asked) {
    const started = performance.now();
    const done = await (IN_SERVERS[name]?.(path) ?? asScript(name, path));
    for (const line of done) console.log(`${name}: ${line}`);
    console.log(`${name}: ${Math.round(performance.now() - started)} ms`);
  }
} finally {
  await world.close();
  await rm(folder, { recursive: true });
}
