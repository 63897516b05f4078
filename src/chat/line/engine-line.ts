// Who may ask the engine. It answers a few chats of one model at once and lets the others wait, without a word; our own
// beyond that wait here instead, where they can be told their place and lose no time that is meant for the engine.
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
  /** The answer has begun. */
  begin(): void;
  /** The answer is complete. @param waitedMs how long the engine let it wait; null: it does not say */
  note(waitedMs: number | null): void;
  /** Once; safe to call in any state. */
  leave(): void;
}

export interface EngineLine {
  /** @param weights what the engine loads: names that share them share its attention */
  enter(weights: string, options: EnterOptions): EnginePlace;
}

interface Call {
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
  readonly letIn: () => void;
  readonly onMove: (position: number) => void;
}

interface Line {
  readonly clock: () => number;
  readonly parallelism: Parallelism;
  /** With the engine. */
  readonly asking: Set<Call>;
  readonly waiting: Call[];
}

export function createEngineLine({ parallel, clock }: EngineLineOptions): EngineLine {
  const lines = new Map<string, Line>();

  function lineOf(weights: string, known: number | null): Line {
    const line = lines.get(weights) ?? {
      clock,
      parallelism: createParallelism({ fixed: parallel ?? known, clock }),
      asking: new Set<Call>(),
      waiting: [],
    };
    lines.set(weights, line);
    return line;
  }

  return {
    enter(weights, { parallel: known, onMove }) {
      const line = lineOf(weights, known);
      const { promise, resolve } = Promise.withResolvers<void>();
      const call: Call = {
        isReady: false,
        hasBegun: false,
        ahead: new Set(),
        aheadAtFirst: 0,
        sentAt: 0,
        firstEndAt: null,
        told: line.waiting.length,
        onServed: null,
        letIn: resolve,
        onMove,
      };
      line.waiting.push(call);
      admit(line);
      return toPlace(line, call, promise);
    },
  };
}

function toPlace(line: Line, call: Call, ready: Promise<void>): EnginePlace {
  return {
    get isReady() {
      return call.isReady;
    },
    get position() {
      return Math.max(line.waiting.indexOf(call), 0);
    },
    ready,
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
    leave: () => leave(line, call),
  };
}

function isBehind({ parallelism }: Line, { ahead }: Call): boolean {
  return ahead.size >= parallelism.least();
}

/** Lets in as many as the engine answers at once. */
function admit({ parallelism, asking, waiting, clock }: Line): void {
  while (waiting.length > 0 && asking.size < parallelism.most()) {
    const call = waiting.shift();
    if (call === undefined) return;
    for (const other of asking) call.ahead.add(other);
    call.aheadAtFirst = asking.size;
    call.sentAt = clock();
    call.isReady = true;
    asking.add(call);
    call.letIn();
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
  if (line.asking.delete(call)) {
    for (const other of line.asking) pass(line, other, call);
  }
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
