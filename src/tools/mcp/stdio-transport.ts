// A server in a process of ours: its own group, which goes when we go; one message a line, none of them too long.
import { type ChildProcess, spawn } from 'node:child_process';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { splitLines } from '../../kit/split-lines.ts';
import type { Keeper } from '../groups/keeper.ts';
import type { McpLaunch } from './launch.ts';

const MAX_LINE_BYTES = 10 * 1024 * 1024;
/** Lines that are no messages, of a server that greets people before it speaks to us. */
const MAX_RUBBISH = 100;
/** How long it may take to end, after the end of its stdin and after SIGTERM. Milliseconds. */
const END_LIMIT_MS = 1000;
/** What is on its way when a process ends arrives at once. Milliseconds. */
const DRAIN_LIMIT_MS = 300;
const MAX_TAIL_BYTES = 8 * 1024;

export interface StdioDeps {
  readonly keeper: Keeper;
  /** @throws when the line is no message */
  readonly parse: (line: string) => JSONRPCMessage;
}

/** Has a lifetime: that of the process. */
export class StdioTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  /** Resolves with how, when the process and all that it has started are gone: "exit code 3". */
  readonly ended: Promise<string>;
  readonly #launch: McpLaunch;
  readonly #deps: StdioDeps;
  readonly #end: (how: string) => void;
  #child: ChildProcess | null = null;
  #reason: string | null = null;
  #tail = Buffer.alloc(0);

  constructor(launch: McpLaunch, deps: StdioDeps) {
    this.#launch = launch;
    this.#deps = deps;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.ended = promise;
    this.#end = resolve;
  }

  /** The end of what it wrote for people. */
  get stderrTail(): string {
    return this.#tail.toString('utf8').toWellFormed();
  }

  /** @throws what `spawn` says, such as ENOENT */
  async start(): Promise<void> {
    const { command, args, env, cwd } = this.#launch;
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: 'pipe',
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    child.stdin.on('error', () => undefined);
    child.stderr.on('data', (chunk: Buffer) => this.#keepTail(chunk)).on('error', () => undefined);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    child.once('spawn', resolve);
    child.once('error', reject);
    await promise;
    this.#child = child;
    const group = child.pid;
    if (group !== undefined) this.#deps.keeper.watch(group);
    const read = this.#read(child);
    child.once('exit', (code, signal) => {
      const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
      void this.#finish(child, how, read);
    });
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#child?.stdin;
    if (!stdin?.writable) {
      throw Object.assign(new Error('The process of the server has ended'), { code: 'NOT_CONNECTED' });
    }
    await new Promise<void>((resolve, reject) => {
      stdin.write(`${JSON.stringify(message)}\n`, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Asks it to end; then it has to. */
  async close(): Promise<void> {
    const child = this.#child;
    if (child === null) {
      this.onclose?.();
      return;
    }
    child.stdin?.end();
    const timers = [
      setTimeout(signalGroup, END_LIMIT_MS, child, 'SIGTERM'),
      setTimeout(signalGroup, 2 * END_LIMIT_MS, child, 'SIGKILL'),
    ];
    await this.ended;
    for (const timer of timers) clearTimeout(timer);
  }

  /** @param reason what `ended` tells */
  kill(reason: string): void {
    this.#reason ??= reason;
    if (this.#child !== null) signalGroup(this.#child, 'SIGKILL');
  }

  async #read({ stdout }: ChildProcess): Promise<void> {
    if (stdout === null) return;
    let rubbish = 0;
    try {
      for await (const { bytes } of splitLines(stdout, MAX_LINE_BYTES)) {
        if (bytes === null) return this.kill('it sent a message of more than 10 MB');
        const message = this.#parse(bytes);
        if (message !== null) this.onmessage?.(message);
        else if (bytes.length > 0) rubbish += 1;
        if (rubbish > MAX_RUBBISH) return this.kill('what it writes are no MCP messages');
      }
    } catch (error) {
      // Torn down while it was read.
      this.onerror?.(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #parse(bytes: Buffer): JSONRPCMessage | null {
    try {
      return this.#deps.parse(bytes.toString('utf8'));
    } catch {
      return null;
    }
  }

  async #finish(child: ChildProcess, how: string, read: Promise<void>): Promise<void> {
    // What it has left behind is of its group.
    signalGroup(child, 'SIGKILL');
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, DRAIN_LIMIT_MS);
    await Promise.race([read, late]);
    clearTimeout(timer);
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
    if (child.pid !== undefined) this.#deps.keeper.release(child.pid);
    this.#end(this.#reason ?? how);
    this.onclose?.();
  }

  #keepTail(chunk: Buffer): void {
    const all = Buffer.concat([this.#tail, chunk.subarray(-MAX_TAIL_BYTES)]);
    this.#tail = Buffer.from(all.subarray(-MAX_TAIL_BYTES));
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // Nobody is left.
  }
}
