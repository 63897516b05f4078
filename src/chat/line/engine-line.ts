// Limits how many chats of one model are sent to the engine at once. Those beyond its parallelism would wait inside the
// engine without a word; here they are queued, told their position, and their deadlines do not run yet.
import { createParallelism, type Parallelism } from './parallelism.ts';

export interface EngineLineOptions {
  /** Chats of one model that the engine answers at once; null: to be learned. */
  readonly parallel: number | null;
  /** In milliseconds. */
  readonly clock: () => number;
}

interface EnterOptions {
  /** As many as the engine is known to answer at once; null: to be learned. */
  readonly parallel: number | null;
  /** Told when the number of calls before it changes, until the engine may be asked. */
  readonly onMove: (position: number) => void;
}

/** One model call, from its arrival to its end. */
export interface EnginePlace {
  /** Whether the engine may be asked now. */
  readonly isReady: boolean;
  /** Our calls that wait before it. */
  readonly position: number;
  /** Resolves when the engine may be asked. */
  readonly ready: Promise<void>;
  /** Whether the engine may first have to end other calls of ours. */
  readonly isBehind: boolean;
  /** Calls this once it is behind no other call any more: at once where it is not. */
  whenServed(tell: () => void): void;
  /** Aborted when the engine is found to have lost its requests. */
  readonly signal: AbortSignal;
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

interface Call {
  /** In the order of which they came. */
  readonly arrival: number;
  isReady: boolean;
  hasBegun: boolean;
  /** Calls of ours that were with the engine when this one was sent, and have not ended since. */
  readonly ahead: Set<Call>;
  /** How many there were, when, and when the first of them ended. */
  aheadAtFirst: number;
  sentAt: number;
  firstEndAt: number | null;
  told: number;
  onServed: (() => void) | null;
  /** Renewed when it returns to the line. */
  entrance: PromiseWithResolvers<void>;
  abort: AbortController;
  readonly left: PromiseWithResolvers<void>[];
  readonly onMove: (position: number) => void;
}

interface Line {
  readonly clock: () => number;
  readonly parallelism: Parallelism;
  /** With the engine. */
  readonly asking: Set<Call>;
  readonly waiting: Call[];
  isRestarting: boolean;
}

export function createEngineLine({ parallel, clock }: EngineLineOptions): EngineLine {
  const lines = new Map<string, Line>();
  let arrivals = 0;

  function lineOf(weights: string, known: number | null): Line {
    const line = lines.get(weights) ?? {
      clock,
      parallelism: createParallelism({ fixed: parallel ?? known, clock }),
      asking: new Set<Call>(),
      waiting: [],
      isRestarting: false,
    };
    lines.set(weights, line);
    return line;
  }

  return {
    enter(weights, { parallel: known, onMove }) {
      const line = lineOf(weights, known);
      const call: Call = {
        arrival: (arrivals += 1),
        isReady: false,
        hasBegun: false,
        ahead: new Set(),
        aheadAtFirst: 0,
        sentAt: 0,
        firstEndAt: null,
        told: line.waiting.length,
        onServed: null,
        entrance: Promise.withResolvers(),
        abort: new AbortController(),
        left: [],
        onMove,
      };
      line.waiting.push(call);
      admit(line);
      return toPlace(line, call);
    },
  };
}

function toPlace(line: Line, call: Call): EnginePlace {
  return {
    get isReady() {
      return call.isReady;
    },
    get position() {
      return Math.max(line.waiting.indexOf(call), 0);
    },
    get ready() {
      return call.entrance.promise;
    },
    get signal() {
      return call.abort.signal;
    },
    get isBehind() {
      return isBehind(line, call);
    },
    whenServed(tellServed) {
      call.onServed = tellServed;
      if (!isBehind(line, call)) serve(call);
    },
    begin: () => begin(line, call),
    note(waitedMs) {
      if (waitedMs === null || call.firstEndAt === null) return;
      const silence = call.firstEndAt - call.sentAt;
      line.parallelism.noteWait({ ahead: call.aheadAtFirst, waitedMs, silence });
      admit(line);
    },
    stall: (restart) => stall(line, restart),
    returnToLine: () => returnToLine(line, call),
    leave: () => leave(line, call),
  };
}

function isBehind({ parallelism }: Line, { ahead }: Call): boolean {
  return ahead.size >= parallelism.least();
}

/** Lets in as many as the engine answers at once. */
function admit(line: Line): void {
  const { parallelism, asking, waiting, clock } = line;
  while (!line.isRestarting && waiting.length > 0 && asking.size < parallelism.most()) {
    const call = waiting.shift();
    if (call === undefined) return;
    for (const other of asking) call.ahead.add(other);
    call.aheadAtFirst = asking.size;
    call.sentAt = clock();
    call.isReady = true;
    asking.add(call);
    call.entrance.resolve();
  }
  for (const [position, call] of waiting.entries()) tell(call, position);
}

function begin({ parallelism, asking }: Line, call: Call): void {
  call.hasBegun = true;
  parallelism.noteAtOnce([...asking].filter(({ hasBegun }) => hasBegun).length);
}

function leave(line: Line, call: Call): void {
  const index = line.waiting.indexOf(call);
  if (index !== -1) line.waiting.splice(index, 1);
  stopAsking(line, call);
  admit(line);
}

function stopAsking(line: Line, call: Call): void {
  if (!line.asking.delete(call)) return;
  for (const other of line.asking) pass(line, other, call);
  for (const { resolve } of call.left.splice(0)) resolve();
}

function stall(line: Line, restart: () => Promise<void>): boolean {
  if (line.isRestarting || [...line.asking].some(({ hasBegun }) => hasBegun)) return false;
  line.isRestarting = true;
  const reason = new Error('The engine has lost its requests.');
  const left = [...line.asking].map((call) => {
    const gone = Promise.withResolvers<void>();
    call.left.push(gone);
    call.abort.abort(reason);
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

function returnToLine(line: Line, call: Call): void {
  call.isReady = false;
  call.ahead.clear();
  call.firstEndAt = null;
  call.onServed = null;
  call.entrance = Promise.withResolvers();
  call.abort = new AbortController();
  const later = line.waiting.findIndex(({ arrival }) => arrival > call.arrival);
  line.waiting.splice(later === -1 ? line.waiting.length : later, 0, call);
  call.told = line.waiting.indexOf(call);
  stopAsking(line, call);
  admit(line);
}

/** A call that was sent before it has ended. */
function pass(line: Line, call: Call, ended: Call): void {
  if (!call.ahead.delete(ended) || call.hasBegun) return;
  call.firstEndAt ??= line.clock();
  if (!isBehind(line, call)) serve(call);
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
