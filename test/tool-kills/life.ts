// The server of one data folder over all its lives.
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient, type TestClient } from '../support/test-client.ts';
import { writeTools } from './ledger-tool.ts';

const PROGRAM = fileURLToPath(new URL('./killable-server.ts', import.meta.url));

/** What every other program of this machine is told is none of its business. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MOCHI_')));
}

/** What a data folder begins with. */
export interface House {
  prepare(dataDir: string): void;
  /** Whether the server has found it. */
  isFound(client: TestClient): Promise<boolean>;
}

const TOOLS: House = {
  prepare: (dataDir) => writeTools(dataDir),
  isFound: async (client) => 'write' in (await client.get('/tools')).body.tools,
};

/** Has a lifetime: until `close`. */
export class Life {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'mochi-tool-kills-'));
  readonly client: TestClient = createClient(() => this.#url);
  readonly #ollamaUrl: string;
  readonly #house: House;
  #child: ChildProcess | null = null;
  #ended: Promise<string> = Promise.resolve('');
  #url = '';
  kills = 0;

  constructor(ollamaUrl: string, house: House = TOOLS) {
    this.#ollamaUrl = ollamaUrl;
    this.#house = house;
    house.prepare(this.dataDir);
  }

  /**
   * @param point where it is to be killed before it serves; empty: nowhere
   * @returns whether it serves; else it was killed
   */
  async start(point = ''): Promise<boolean> {
    const child = fork(PROGRAM, [this.#ollamaUrl, this.dataDir], {
      silent: true,
      execArgv: [],
      env: { ...plainEnvironment(), KILL_AT: point },
    });
    this.#child = child;
    let said = '';
    const ready = Promise.withResolvers<boolean>();
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        const url = /ready at (\S+)\n/.exec(said)?.[1];
        if (url === undefined) return;
        this.#url = url;
        ready.resolve(true);
      });
    }
    this.#ended = new Promise((resolve) => {
      child.once('close', (status, signal) => {
        ready.resolve(false);
        if (signal === 'SIGKILL') this.kills += 1;
        resolve(signal === 'SIGKILL' ? '' : `ended with ${status}: ${said}`);
      });
    });
    if ((await ready.promise) && (await this.#hasTools())) return true;
    await this.expectKilled();
    return false;
  }

  /** A turn that begins before they are found does without. @returns false: it was killed meanwhile */
  async #hasTools(): Promise<boolean> {
    for (;;) {
      try {
        if (await this.#house.isFound(this.client)) return true;
      } catch {
        return false;
      }
    }
  }

  /** From now on it is killed there; empty: nowhere. @returns whether it runs still */
  async arm(point: string): Promise<boolean> {
    const child = this.#child;
    if (child === null || !child.connected) return false;
    const armed = new Promise<boolean>((resolve) => {
      child.once('message', () => resolve(true));
      child.once('close', () => resolve(false));
      child.send(point || 'nowhere', (error) => {
        if (error !== null) resolve(false);
      });
    });
    return armed;
  }

  /** @throws Error when it ended in another way */
  async expectKilled(): Promise<void> {
    const fault = await this.#ended;
    if (fault !== '') throw new Error(fault);
  }

  async close(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#ended;
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}
