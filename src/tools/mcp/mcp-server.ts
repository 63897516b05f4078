// One MCP server, from its start to its end: connected, asked for its tools, started again within bounds, called.
import type { Tool } from '@modelcontextprotocol/client';
import type { McpServer as McpServerInfo } from '../../contract/mcp.ts';
import type { ToolOutcome, ToolSource, ToolSourceState } from '../tool.ts';
import { callTool, failedBefore } from './call-tool.ts';
import { type ConnectDeps, connect, listTools, type McpConnection } from './connect.ts';
import { type DescribedTools, describeTools, type McpTool, NO_TOOLS } from './described-tools.ts';
import type { LaunchPlan } from './launch.ts';
import type { McpServerConfig } from './mcp-config.ts';
import { isRefusal, McpFault, wordsOf } from './mcp-faults.ts';
import { createRestarts } from './restarts.ts';
import { showServer } from './server-info.ts';

export interface McpServerDeps extends Pick<ConnectDeps, 'keeper' | 'version'> {
  /** Not too many start at once. */
  readonly inLine: <T>(start: () => Promise<T>) => Promise<T>;
  readonly maxOutputBytes: number;
  readonly restartScale: number;
  readonly restMs: number;
  /** What it has is another. */
  readonly onChange: (source: ToolSource) => void;
}

/** How long a call waits for a server that is being started again. Milliseconds. */
const READY_LIMIT_MS = 10_000;
const PING_LIMIT_MS = 5000;
const LIST_LIMIT_MS = 60_000;

/** Has a lifetime: until `close`. */
export class McpServer implements ToolSource {
  readonly name;
  readonly #config: McpServerConfig;
  readonly #plan: LaunchPlan;
  readonly #deps: McpServerDeps;
  readonly #restarts;
  #state: McpServerInfo['state'] = 'starting';
  #error: string | null = null;
  #connection: McpConnection | null = null;
  #has: DescribedTools = NO_TOOLS;
  #listed = '';
  #stderrTail: () => string = () => '';
  /** The attempt under way. Never rejects. */
  #attempt: Promise<void> | null = null;
  #first: Promise<void> | null = null;
  readonly #end = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #restartCount = 0;
  #lastHeard = 0;
  #isListing = false;
  #listAgain = false;
  #isClosed = false;

  constructor(config: McpServerConfig, plan: LaunchPlan, deps: McpServerDeps) {
    this.name = { kind: 'mcp', group: config.name } as const;
    this.#config = config;
    this.#plan = plan;
    this.#deps = deps;
    this.#restarts = createRestarts(deps.restartScale, () => performance.now());
    if (config.isDisabled) this.#state = 'disabled';
  }

  get info(): McpServerInfo {
    return showServer(this.#config, this.#plan, {
      client: this.#connection?.client,
      state: this.#state,
      tools: [...this.#has.tools.keys()],
      error: this.#error,
      stderrTail: this.#stderrTail(),
      restarts: this.#restartCount,
    });
  }

  get hasFailed(): boolean {
    return this.#state === 'failed' || this.#state === 'needs_auth';
  }

  /** Starts it, where that was not done; waits for its first attempt alone. */
  async describe(): Promise<ToolSourceState> {
    if (this.#state === 'disabled') return { tools: [], problems: [] };
    this.#first ??= this.#start();
    await this.#first;
    const unknown = this.#config.unknownKeys.map((key) => `${JSON.stringify(key)} means nothing here`);
    const faults = this.#error === null ? [] : [this.#error];
    return {
      tools: [...this.#has.tools.values()].map(({ described }) => described),
      problems: [...unknown, ...faults, ...this.#has.problems].map((message) => ({
        source: `mcp:${this.#config.name}`,
        message,
      })),
    };
  }

  /** Now, however often it has failed. Never throws. */
  async restart(): Promise<void> {
    if (this.#isClosed || this.#state === 'disabled') return;
    this.#restarts.reset();
    this.#restartCount += 1;
    await this.#attempt;
    clearTimeout(this.#timer);
    await this.#drop();
    await this.#start();
    this.#changed();
  }

  async run(...[toolName, args, context]: Parameters<ToolSource['run']>): Promise<ToolOutcome> {
    const known = this.#has.tools.get(toolName);
    if (known === undefined) return failedBefore(`The tool ${toolName} is no longer there.`);
    const call = {
      args,
      server: this.#config.name,
      tool: known.tool,
      timeoutMs: this.#config.timeoutMs,
      readOnly: known.described.readOnly,
      maxOutputBytes: this.#deps.maxOutputBytes,
    };
    // A second time only when the first was not taken.
    for (let turn = 0; turn < 2; turn += 1) {
      const connection = await this.#usable(context.signal);
      if (connection === null || !this.#isSame(known, toolName)) break;
      const outcome = await callTool(connection, call, context);
      if (outcome !== null) {
        this.#lastHeard = performance.now();
        return outcome;
      }
      await this.#giveUp(connection, 'it could not be spoken to');
    }
    if (context.signal.aborted) return failedBefore('The call was cancelled before the tool began');
    if (!this.#isSame(known, toolName)) {
      return failedBefore(`The tool ${toolName} has changed meanwhile and was not run.`);
    }
    const why = this.#error ?? 'it did not take the call';
    return failedBefore(`The server ${this.#config.name} cannot be used (${why}); the tool did not run.`);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#end.abort();
    await this.#drop();
    await this.#attempt;
  }

  #isSame({ tool }: McpTool, name: string): boolean {
    return JSON.stringify(this.#has.tools.get(name)?.tool) === JSON.stringify(tool);
  }

  /** @returns a connection that a call may be sent over; null: there is none */
  async #usable(signal: AbortSignal): Promise<McpConnection | null> {
    if (this.#isClosed) return null;
    const isProcess = this.#config.transport === 'stdio';
    const before = this.#connection;
    if (before !== null && !(await this.#isAlive(before))) {
      await this.#giveUp(before, 'it did not answer a ping');
    }
    if (this.#connection === null && !isProcess) {
      await this.#start();
      this.#changed();
    }
    const until = performance.now() + READY_LIMIT_MS;
    while (this.#connection === null && this.#state === 'starting' && performance.now() < until) {
      if (signal.aborted) return null;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return this.#connection;
  }

  async #isAlive({ client }: McpConnection): Promise<boolean> {
    if (client.getProtocolEra() === 'modern' || performance.now() - this.#lastHeard < this.#deps.restMs)
      return true;
    try {
      await client.ping({ timeout: PING_LIMIT_MS });
    } catch (error) {
      // One that knows no ping has answered.
      return isRefusal(error);
    }
    return true;
  }

  #start(): Promise<void> {
    // Who asks while it is being started gets the same.
    this.#attempt ??= this.#deps
      .inLine(() => this.#try())
      .finally(() => {
        this.#attempt = null;
      });
    return this.#attempt;
  }

  async #try(): Promise<void> {
    if (this.#isClosed || this.#connection !== null) return;
    this.#state = 'starting';
    const { launch, fault } = this.#plan;
    if (launch === null) return this.#fail(fault ?? 'it cannot be started');
    try {
      const connection = await connect(this.#config, launch, {
        ...this.#deps,
        signal: this.#end.signal,
        onToolsChanged: () => void this.#relist(),
        onTransport: (tail) => {
          this.#stderrTail = tail;
        },
      });
      if (this.#isClosed) return await connection.close();
      this.#connection = connection;
      this.#take(connection.tools);
      this.#lastHeard = performance.now();
      this.#state = 'ready';
      this.#error = null;
      void connection.ended?.then((how) => this.#lost(connection, how));
    } catch (error) {
      const isFault = error instanceof McpFault;
      const words = this.#plan.redact(wordsOf(error).split('\n')[0] ?? '');
      if (isFault && error.kind === 'ended') this.#again(words);
      else this.#fail(words, isFault && error.kind === 'auth' ? 'needs_auth' : 'failed');
    }
  }

  #lost(connection: McpConnection, how: string): void {
    if (this.#connection !== connection) return;
    this.#connection = null;
    if (!this.#isClosed) this.#again(`its process ended (${how})`);
  }

  /** Its tools stay meanwhile: a call waits for it. */
  #again(why: string): void {
    this.#error = why;
    const delay = this.#restarts.next();
    if (delay === null) return this.#fail(`${why}, as it did each time before`);
    this.#state = 'starting';
    this.#timer = setTimeout(() => {
      this.#restartCount += 1;
      void this.#start().then(() => this.#changed());
    }, delay);
    this.#timer.unref();
  }

  #fail(why: string, state: 'failed' | 'needs_auth' = 'failed'): void {
    this.#error = why;
    this.#state = state;
    // One over HTTP is tried anew by the next call of a tool that is known.
    if (this.#config.transport === 'stdio') this.#has = NO_TOOLS;
    this.#changed();
  }

  #take(listed: readonly Tool[]): void {
    this.#listed = JSON.stringify(listed);
    this.#has = describeTools(listed, this.#config);
  }

  /** Of two lists that come at once the later one counts. */
  async #relist(): Promise<void> {
    this.#listAgain = true;
    if (this.#isListing) return;
    this.#isListing = true;
    try {
      while (this.#listAgain) {
        this.#listAgain = false;
        const connection = this.#connection;
        if (connection === null) break;
        const listed = await listTools(connection.client, LIST_LIMIT_MS);
        if (this.#connection !== connection) break;
        // Some tell of a change with each call: what is the same is not read again.
        const isSame = JSON.stringify(listed) === this.#listed;
        this.#take(listed);
        if (!isSame) this.#changed();
      }
    } catch (error) {
      this.#error = this.#plan.redact(`its tools could not be listed again: ${wordsOf(error)}`);
    } finally {
      this.#isListing = false;
    }
  }

  /** It is of no use any more. Afterwards a process is being started again. */
  async #giveUp(connection: McpConnection, why: string): Promise<void> {
    if (connection.ended === null) return this.#drop(connection);
    connection.abandon(why);
    await connection.ended;
  }

  /** @param only nothing is done when another one has taken its place */
  async #drop(only?: McpConnection): Promise<void> {
    const connection = this.#connection;
    if (connection === null || (only !== undefined && only !== connection)) return;
    this.#connection = null;
    await connection.close();
  }

  #changed(): void {
    if (!this.#isClosed) this.#deps.onChange(this);
  }
}
