// Where the registry comes from: sources are looked for beside the ones in use, and swapped when they are ready.

import { type RegisteredSource, registerSource, sourceText } from './register-source.ts';
import { buildRegistry, EMPTY_REGISTRY, type Registry } from './registry.ts';
import type { ToolProblem, ToolSource } from './tool.ts';

/** For sources; those that take longer come when they come. */
const PATIENCE_MS = 10_000;

/** What was found at one time. */
interface Generation {
  sources: readonly ToolSource[];
  readonly registered: RegisteredSource[];
  /** Other than they were when they described themselves, before that was taken in. */
  readonly changed: Set<ToolSource>;
  readonly problems: ToolProblem[];
  /** Everything is there, or has had its time. Never rejects. */
  ready: Promise<void>;
  /** What is not there has had its time. */
  isLate: boolean;
  /** Another one has taken its place. */
  isOver: boolean;
}

/** All sources there are. @param changed to be told of one that has other tools than it described */
export type Discover = (changed: (source: ToolSource) => void) => Promise<readonly ToolSource[]>;

/** Has a lifetime: that of the sources. */
export class Discovery {
  readonly #discover: Discover;
  #current: Generation | null = null;
  /** Looked for beside it. */
  #next: Generation | null = null;
  #updates: Promise<void> = Promise.resolve();
  #registry: Registry = EMPTY_REGISTRY;
  #reloading: Promise<void> = Promise.resolve();
  /** Runs under way, of sources that are in use or were. */
  readonly #runs = new Map<ToolSource, number>();
  /** Replaced, and closed when their last run has ended. */
  readonly #retired = new Set<ToolSource>();
  #isClosed = false;

  constructor(discover: Discover) {
    this.#discover = discover;
  }

  get registry(): Registry {
    return this.#registry;
  }

  start(): void {
    this.#current ??= this.#look();
  }

  /** Never throws; waits until ten seconds after the beginning at most. */
  async ready(): Promise<void> {
    this.start();
    await this.#current?.ready;
  }

  /** One after the other: each begins with what the operator has now. */
  async reload(): Promise<void> {
    const turn = this.#reloading.then(() => this.#replace());
    this.#reloading = turn.catch(() => undefined);
    await turn;
  }

  /** Runs something of a source that must not be closed meanwhile. */
  async use<T>(source: ToolSource, run: () => Promise<T>): Promise<T> {
    this.#runs.set(source, (this.#runs.get(source) ?? 0) + 1);
    try {
      return await run();
    } finally {
      const left = (this.#runs.get(source) ?? 1) - 1;
      if (left > 0) this.#runs.set(source, left);
      else this.#runs.delete(source);
      if (left === 0 && this.#retired.has(source)) await this.#closeSource(source);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const all = new Set([...(this.#current?.sources ?? []), ...this.#retired]);
    await Promise.all([...all].map((source) => this.#closeSource(source)));
  }

  async #replace(): Promise<void> {
    const before = this.#current;
    const next = this.#look();
    this.#next = next;
    await next.ready;
    this.#next = null;
    if (this.#isClosed) return this.#closeAll(next.sources);
    this.#current = next;
    this.#show(next);
    if (before === null) return;
    before.isOver = true;
    const kept = new Set(next.sources);
    await Promise.all(
      before.sources.filter((source) => !kept.has(source)).map((source) => this.#retire(source)),
    );
  }

  #look(): Generation {
    const generation: Generation = {
      sources: [],
      registered: [],
      changed: new Set(),
      problems: [],
      ready: Promise.resolve(),
      isLate: false,
      isOver: false,
    };
    generation.ready = atMost(this.#fill(generation)).then((isLate) => {
      generation.isLate = isLate;
      if (isLate && generation === this.#current) this.#show(generation);
    });
    return generation;
  }

  async #fill(generation: Generation): Promise<void> {
    try {
      generation.sources = await this.#discover((source) => this.#update(source));
    } catch (error) {
      const message = `They could not be looked for: ${error instanceof Error ? error.message : String(error)}`;
      generation.problems.push({ source: 'tools', message });
    }
    if (generation.isOver || this.#isClosed) return this.#closeAll(generation.sources);
    await Promise.all(
      generation.sources.map(async (source) => {
        let found = await registerSource(source);
        while (generation.changed.delete(source)) found = await registerSource(source);
        generation.registered.push(found);
        // What is not in use yet is shown as a whole; of what is, late ones join.
        if (generation === this.#current) this.#show(generation);
      }),
    );
    if (generation === this.#current) this.#show(generation);
  }

  /** One after the other, so that the last word counts. */
  #update(source: ToolSource): void {
    this.#updates = this.#updates.then(async () => {
      for (const generation of [this.#current, this.#next]) {
        if (generation === null) continue;
        const index = generation.registered.findIndex((found) => found.source === source);
        if (index < 0) generation.changed.add(source);
        else generation.registered[index] = await registerSource(source);
        if (generation === this.#current && index >= 0) this.#show(generation);
      }
    });
  }

  #show(generation: Generation): void {
    const { registered, problems } = generation;
    const built = buildRegistry(registered);
    this.#registry = { ...built, problems: [...problems, ...built.problems, ...awayOf(generation)] };
  }

  async #retire(source: ToolSource): Promise<void> {
    if (this.#runs.has(source)) this.#retired.add(source);
    else await this.#closeSource(source);
  }

  async #closeAll(sources: readonly ToolSource[]): Promise<void> {
    await Promise.all(sources.map((source) => this.#closeSource(source)));
  }

  async #closeSource(source: ToolSource): Promise<void> {
    this.#retired.delete(source);
    await source.close();
  }
}

/** What is waited for no longer; until it says itself what is wrong, or comes after all. */
function awayOf({ isLate, sources, registered }: Generation): readonly ToolProblem[] {
  const message = `It was not ready within ${PATIENCE_MS / 1000} s.`;
  return sources
    .filter((source) => isLate && !registered.some((found) => found.source === source))
    .map(({ name }) => ({ source: sourceText(name), message }));
}

/** @returns whether it took longer */
async function atMost(waited: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS, true);
  });
  const isLate = await Promise.race([waited.then(() => false), late]);
  clearTimeout(timer);
  return isLate;
}
