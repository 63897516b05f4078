// Limits how many chats of one model are sent to the engine at once. Those beyond its parallelism would wait inside the
// engine without a word; here they are queued, told their position, and their deadlines do not run yet.
import type { LineSlots, WaitingCalls } from './line-slots.ts';
import { createParallelism, type Parallelism } from './parallelism.ts';
import type { SharedSlots } from './shared-slots.ts';

export interface EngineLineOptions {
  /** Chats of one model that the engine answers at once; null: to be learned. */
  readonly parallel: number | null;
  /** In milliseconds. */
  readonly clock: () => number;
  /** Where other servers ask the same engine; null: they are none, or each learns for itself. */
  readonly shared?: SharedSlots | null;
}

interface EnterOptions {
  /** As many as the engine itself says that it answers at once: it is this server's own. Null: it says nothing. */
  readonly parallel: number | null;
  /** Told when the number of calls before it changes, until the engine may be asked. */
  readonly onMove: (position: number) => void;
}

/** One model call, from its arrival to its end. */
export interface EnginePlace {
  /** Whether the engine may be asked now. */
  readonly isReady: boolean;
  /** Resolves when it is known whether it has to wait: others may have calls with the engine. */
  readonly known: Promise<void>;
  /** Our calls that wait before it. */
  readonly position: number;
  /** Resolves when the engine may be asked. */
  readonly ready: Promise<void>;
  /** Whether the engine may first have to end other calls of ours. */
  readonly isBehind: boolean;
  /** Calls this once it is behind no other call any more: at once where it is not. */
  whenServed(tell: () => void): void;
  /** Ends the call: aborted when the engine is found to have lost its requests, or by whoever has the place. */
  readonly signal: AbortSignal;
  /** The engine was found to have lost its requests, since the place was last in line. */
  readonly isLost: boolean;
  /** Nobody wants the answer any more. */
  abort(reason: unknown): void;
  /** The answer has begun. */
  begin(): void;
  /** The answer is complete. @param waitedMs how long the engine let it wait; null: it does not say */
  note(waitedMs: number | null): void;
  /**
   * The engine should have answered by now. Where it answers no other call either, all are taken back, and it is
   * restarted once they are; who is let in is let in after that.
   * @returns whether it is restarted
   */
  stall(restart: () => Promise<void>): boolean;
  /** Its request was taken back: it waits anew, before those that came later. */
  returnToLine(): void;
  /** Once; safe to call in any state. */
  leave(): void;
}

export interface EngineLine {
  /** @param weights what the engine loads: names that share them share its attention */
  enter(weights: string, options: EnterOptions): EnginePlace;
}

interface Line {
  readonly clock: () => number;
  readonly parallelism: Parallelism;
  /** With the engine, in the order in which they were sent. */
  readonly asking: Set<Call>;
  readonly waiting: Call[];
  /** How many were sent. */
  sent: number;
  isRestarting: boolean;
  /** Null: nobody else asks the engine. */
  slots: LineSlots | null;
}

/** Has a lifetime: that of its model call. */
class Call implements EnginePlace {
  readonly #line: Line;
  /** In the order of which they came. */
  readonly arrival: number;
  readonly arrivedAt: number;
  readonly onMove: (position: number) => void;
  isReady = false;
  hasBegun = false;
  isLost = false;
  /** The how-manieth that was sent. */
  order = 0;
  /** Calls of ours that were with the engine when this one was sent, and have not ended since. */
  ahead = 0;
  /** How many there were, when, and when the first of them ended. */
  aheadAtFirst = 0;
  sentAt = 0;
  firstEndAt: number | null = null;
  told: number;
  onServed: (() => void) | null = null;
  /** For whoever waits; renewed when it returns to the line. */
  entrance: PromiseWithResolvers<void> | null = null;
  left: PromiseWithResolvers<void>[] | null = null;
  #abort: AbortController | null = null;

  constructor(line: Line, arrival: number, onMove: (position: number) => void) {
    this.#line = line;
    this.arrival = arrival;
    this.arrivedAt = line.clock();
    this.told = line.waiting.length;
    this.onMove = onMove;
  }

  get position(): number {
    return Math.max(this.#line.waiting.indexOf(this), 0);
  }

  get known(): Promise<void> {
    const { slots } = this.#line;
    if (this.isReady || slots === null || waitingCalls(this.#line) === null) return Promise.resolve();
    return slots.looked;
  }

  get ready(): Promise<void> {
    if (this.isReady) return Promise.resolve();
    this.entrance ??= Promise.withResolvers();
    return this.entrance.promise;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  get isBehind(): boolean {
    return this.ahead >= this.#line.parallelism.least();
  }

  whenServed(tellServed: () => void): void {
    this.onServed = tellServed;
    if (!this.isBehind) serve(this);
  }

  begin(): void {
    const { parallelism, asking } = this.#line;
    this.hasBegun = true;
    let begun = 0;
    for (const call of asking) if (call.hasBegun) begun += 1;
    parallelism.noteAtOnce(begun);
  }

  note(waitedMs: number | null): void {
    if (waitedMs === null || this.firstEndAt === null) return;
    const silence = this.firstEndAt - this.sentAt;
    this.#line.parallelism.noteWait({ ahead: this.aheadAtFirst, waitedMs, silence });
    admit(this.#line);
  }

  stall(restart: () => Promise<void>): boolean {
    return stall(this.#line, restart);
  }

  abort(reason: unknown): void {
    this.#abort ??= new AbortController();
    this.#abort.abort(reason);
  }

  returnToLine(): void {
    const { waiting } = this.#line;
    this.isReady = false;
    this.isLost = false;
    this.ahead = 0;
    this.firstEndAt = null;
    this.onServed = null;
    this.entrance = null;
    this.#abort = null;
    const later = waiting.findIndex(({ arrival }) => arrival > this.arrival);
    waiting.splice(later === -1 ? waiting.length : later, 0, this);
    this.told = waiting.indexOf(this);
    stopAsking(this.#line, this);
    admit(this.#line);
  }

  leave(): void {
    const { waiting } = this.#line;
    const index = waiting.indexOf(this);
    if (index !== -1) waiting.splice(index, 1);
    stopAsking(this.#line, this);
    admit(this.#line);
  }
}

export function createEngineLine({ parallel, clock, shared = null }: EngineLineOptions): EngineLine {
  const lines = new Map<string, Line>();
  let arrivals = 0;

  function lineOf(weights: string, known: number | null): Line {
    const found = lines.get(weights);
    if (found !== undefined) return found;
    const line: Line = {
      clock,
      parallelism: createParallelism({ fixed: parallel ?? known, clock }),
      asking: new Set<Call>(),
      waiting: [],
      sent: 0,
      isRestarting: false,
      slots: null,
    };
    // An engine that says how many it answers is in this process.
    if (shared !== null && known === null) {
      const doors = { waiting: () => waitingCalls(line), onFree: () => admit(line) };
      line.slots = shared.open(weights, doors);
    }
    lines.set(weights, line);
    return line;
  }

  return {
    enter(weights, { parallel: known, onMove }) {
      const line = lineOf(weights, known);
      const call = new Call(line, (arrivals += 1), onMove);
      line.waiting.push(call);
      admit(line);
      return call;
    },
  };
}

/** Lets in as many as the engine answers at once. */
function admit(line: Line): void {
  const { asking, waiting, clock } = line;
  while (waitingCalls(line) !== null && (line.slots?.take() ?? true)) {
    const call = waiting.shift();
    if (call === undefined) return;
    call.order = line.sent += 1;
    call.ahead = asking.size;
    call.aheadAtFirst = asking.size;
    call.sentAt = clock();
    call.isReady = true;
    asking.add(call);
    call.entrance?.resolve();
  }
  for (const [position, call] of waiting.entries()) tell(call, position);
}

/** Those that this server could send. */
function waitingCalls({ isRestarting, waiting, asking, parallelism }: Line): WaitingCalls | null {
  const [first] = waiting;
  const room = parallelism.most() - asking.size;
  if (first === undefined || isRestarting || room <= 0) return null;
  return { count: Math.min(waiting.length, room), since: first.arrivedAt };
}

function stopAsking(line: Line, call: Call): void {
  if (!line.asking.delete(call)) return;
  line.slots?.release();
  for (const other of line.asking) if (other.order > call.order) pass(line, other);
  for (const { resolve } of call.left ?? []) resolve();
  call.left = null;
}

function stall(line: Line, restart: () => Promise<void>): boolean {
  if (line.isRestarting || [...line.asking].some(({ hasBegun }) => hasBegun)) return false;
  line.isRestarting = true;
  const reason = new Error('The engine has lost its requests.');
  const left = [...line.asking].map((call) => {
    const gone = Promise.withResolvers<void>();
    call.left = [...(call.left ?? []), gone];
    call.isLost = true;
    call.abort(reason);
    return gone.promise;
  });
  void Promise.all(left)
    .then(restart)
    // Whoever is let in then finds out how it is.
    .catch(() => undefined)
    .then(() => {
      line.isRestarting = false;
      admit(line);
    });
  return true;
}

/** A call that was sent before it has ended. */
function pass({ clock }: Line, call: Call): void {
  call.ahead -= 1;
  if (call.hasBegun) return;
  call.firstEndAt ??= clock();
  if (!call.isBehind) serve(call);
}

function serve(call: Call): void {
  const { onServed } = call;
  call.onServed = null;
  onServed?.();
}

function tell(call: Call, position: number): void {
  if (call.told === position) return;
  call.told = position;
  call.onMove(position);
}
