// Looks into a running server through its inspector: what cannot be seen from outside, and a collection of garbage
// before memory is compared.
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

export interface Inspector {
  /** Before the server is started: what makes it listen to the inspector. */
  readonly env: Readonly<Record<string, string>>;
  /** Once it runs. */
  connect(): Promise<Inspected>;
}

export interface Inspected {
  /** Bytes in use on the heap and outside of it, after all garbage was collected. */
  collect(): Promise<number>;
  startLoopDelay(): Promise<void>;
  /**
   * The event loop's delay since the start, in milliseconds. `held`: the most that its thread computed before timers
   * had a turn, which other programs of the machine do not lengthen.
   */
  stopLoopDelay(): Promise<Readonly<Record<'p50' | 'p99' | 'max' | 'held', number>>>;
  /** What keeps the process busy: sockets, timers and so on, by name. */
  resources(): Promise<Readonly<Record<string, number>>>;
  close(): void;
}

export async function createInspector(): Promise<Inspector> {
  const port = await freePort();
  return { env: { NODE_OPTIONS: `--inspect=127.0.0.1:${port}` }, connect: () => connect(port) };
}

async function connect(port: number): Promise<Inspected> {
  const response = await fetch(`http://127.0.0.1:${port}/json/list`);
  const [target] = (await response.json()) as { readonly webSocketDebuggerUrl: string }[];
  const socket = new WebSocket(target?.webSocketDebuggerUrl ?? '');
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', reject, { once: true });
  });
  let lastId = 0;

  // biome-ignore lint/suspicious/noExplicitAny: answers have as many shapes as there are methods.
  function send(method: string, params: object = {}): Promise<any> {
    lastId += 1;
    const id = lastId;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const onMessage = ({ data }: MessageEvent) => {
      const answer = JSON.parse(String(data));
      if (answer.id !== id) return;
      socket.removeEventListener('message', onMessage);
      if (answer.error) reject(new Error(`${method}: ${JSON.stringify(answer.error)}`));
      else resolve(answer.result);
    };
    socket.addEventListener('message', onMessage);
    socket.send(JSON.stringify({ id, method, params }));
    return promise;
  }

  async function evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await send('Runtime.evaluate', { expression, returnByValue: true });
    if (exceptionDetails) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return result.value;
  }

  return {
    async collect() {
      await send('HeapProfiler.collectGarbage');
      const used = await evaluate('(({ heapUsed, external }) => heapUsed + external)(process.memoryUsage())');
      return Number(used);
    },
    async startLoopDelay() {
      await evaluate(`
        globalThis.benchLoopDelay = process.getBuiltinModule('node:perf_hooks').monitorEventLoopDelay({ resolution: 5 });
        benchLoopDelay.enable();
        globalThis.benchHeld = { last: process.threadCpuUsage(), most: 0 };
        benchHeld.timer = setInterval(() => {
          const now = process.threadCpuUsage();
          const micros = now.user + now.system - benchHeld.last.user - benchHeld.last.system;
          benchHeld.most = Math.max(benchHeld.most, micros / 1000);
          benchHeld.last = now;
        }, 1);
        void 0;
      `);
    },
    async stopLoopDelay() {
      const delay = await evaluate(`
        benchLoopDelay.disable();
        clearInterval(benchHeld.timer);
        ({ held: benchHeld.most, p50: benchLoopDelay.percentile(50), p99: benchLoopDelay.percentile(99), max: benchLoopDelay.max });
      `);
      const { p50, p99, max, held } = delay as Record<'p50' | 'p99' | 'max' | 'held', number>; // what the expression says
      // The histogram counts from one sample to the next: 5 ms when nothing delays them.
      const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - 5);
      return { p50: late(p50), p99: late(p99), max: late(max), held };
    },
    async resources() {
      const names = (await evaluate('process.getActiveResourcesInfo()')) as string[]; // documented as such
      return Object.fromEntries(Object.entries(Object.groupBy(names, (name) => name)).map(count));
    },
    close: () => socket.close(),
  };
}

function count([name, all = []]: readonly [string, readonly string[] | undefined]): [string, number] {
  return [name, all.length];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a host and a port were given
  server.close();
  await once(server, 'close');
  return port;
}
