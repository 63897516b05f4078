// Who may run: one turn at a time per session, in the order of arrival, and a bounded number in all.
import { MochiError } from '../../contract/errors.ts';

export interface TurnLimits {
  /** Turns that run at once. */
  readonly maxRunning: number;
  /** Turns that wait, over all sessions. */
  readonly maxQueued: number;
}

interface EnterOptions {
  /** Next after the turn that runs, before all that wait: in the place that the running one gives up for it. */
  readonly atFront?: boolean;
  /** Told when other turns come to be ahead, once for each change, until it may run. */
  readonly onMove?: (position: number) => void;
}

/** A place in the line of a session. */
export interface Place {
  /** Whether it may run now. */
  readonly isReady: boolean;
  /** Turns ahead of it in its session; for the first of its session: sessions that wait longer for a slot. */
  readonly position: number;
  /** Resolves when it may run. */
  readonly ready: Promise<void>;
  /** The turn has ended in line: it keeps its place, for what is left to do there, but is no turn to anybody. */
  retire(): void;
  /** Lets the next one in. Once; safe to call in any state. */
  leave(): void;
}

export interface TurnLines {
  /** A turn joins the line. @throws MochiError session_busy or overloaded when a line is full */
  enter(sessionId: string, turnId: string, options?: EnterOptions): Place;
  /** A change of the session that must not meet a turn joins the line: it takes no slot and is never refused. */
  enterChange(sessionId: string): Place;
  /** The turns of a session, the holder first. */
  turnsOf(sessionId: string): readonly string[];
}

/** Turns that may wait behind the one that runs (API.md §4, on_busy). */
const MAX_SESSION_QUEUE = 8;
/** Sessions next for a slot that are told of every move; those behind them hear of it when they come so far. */
const MAX_TOLD = 16;

interface Waiting {
  /** Null for a change. */
  turnId: string | null;
  readonly sessionId: string;
  takesSlot: boolean;
  isReady: boolean;
  /** The position that it knows. */
  told: number;
  readonly letIn: () => void;
  readonly onMove: (position: number) => void;
}

/**
 * A turn is ready when it is first in its session and a slot is free. Slots go to ready sessions in the order
 * in which their turn became first, so that one busy session cannot starve the others.
 */
export function createTurnLines({ maxRunning, maxQueued }: TurnLimits): TurnLines {
  const lines = new Map<string, Waiting[]>();
  const firsts: Waiting[] = [];
  let running = 0;
  /** Turns in all lines, the running ones included. */
  let total = 0;

  function admit(): void {
    while (running < maxRunning) {
      const next = firsts.shift();
      if (next === undefined) return;
      running += 1;
      letIn(next);
    }
  }

  function becomeFirst(entry: Waiting): void {
    if (entry.takesSlot) firsts.push(entry);
    else letIn(entry);
  }

  function leave(entry: Waiting): void {
    const line = lines.get(entry.sessionId) ?? [];
    const index = line.indexOf(entry);
    if (index === -1) return;
    line.splice(index, 1);
    if (entry.takesSlot) {
      total -= 1;
      if (entry.isReady) running -= 1;
    }
    remove(firsts, entry);
    const [first] = line;
    if (first === undefined) lines.delete(entry.sessionId);
    else if (index === 0) becomeFirst(first);
    admit();
    tellMoves(line, firsts);
  }

  function retire(entry: Waiting): void {
    if (entry.isReady || !entry.takesSlot) return;
    entry.turnId = null;
    entry.takesSlot = false;
    total -= 1;
    if (remove(firsts, entry)) letIn(entry);
  }

  function positionOf(entry: Waiting): number {
    const index = lines.get(entry.sessionId)?.indexOf(entry) ?? 0;
    return index > 0 ? index : Math.max(firsts.indexOf(entry), 0);
  }

  function enter(sessionId: string, turnId: string, options: EnterOptions = {}): Place {
    const line = lines.get(sessionId) ?? [];
    const isFull = total - running >= maxQueued && (line.length > 0 || running >= maxRunning);
    refuseWhenFull(sessionId, line, { isFull, queued: total - running, atFront: options.atFront === true });
    total += 1;
    return join({ turnId, sessionId, takesSlot: true }, options);
  }

  function join(
    arrival: Pick<Waiting, 'turnId' | 'sessionId' | 'takesSlot'>,
    { atFront = false, onMove = () => undefined }: EnterOptions,
  ): Place {
    const { promise, resolve } = Promise.withResolvers<void>();
    const entry: Waiting = { ...arrival, isReady: false, told: 0, letIn: resolve, onMove };
    const line = lines.get(entry.sessionId) ?? [];
    const position = atFront ? Math.min(1, line.length) : line.length;
    line.splice(position, 0, entry);
    lines.set(entry.sessionId, line);
    if (position === 0) becomeFirst(entry);
    admit();
    entry.told = positionOf(entry);
    tellMoves(line, firsts);
    return toPlace(entry, promise, { positionOf, retire, leave });
  }

  return {
    enter,
    enterChange: (sessionId) => join({ turnId: null, sessionId, takesSlot: false }, {}),
    turnsOf: (sessionId) => (lines.get(sessionId) ?? []).flatMap(({ turnId }) => turnId ?? []),
  };
}

function toPlace(
  entry: Waiting,
  ready: Promise<void>,
  line: {
    readonly positionOf: (entry: Waiting) => number;
    readonly retire: (entry: Waiting) => void;
    readonly leave: (entry: Waiting) => void;
  },
): Place {
  return {
    get isReady() {
      return entry.isReady;
    },
    get position() {
      return line.positionOf(entry);
    },
    ready,
    retire: () => line.retire(entry),
    leave: () => line.leave(entry),
  };
}

/** Who takes the place of another needs none of its own. */
function refuseWhenFull(
  sessionId: string,
  line: readonly Waiting[],
  server: { readonly isFull: boolean; readonly queued: number; readonly atFront: boolean },
): void {
  const { isFull, queued, atFront } = server;
  const turns = line.filter(({ takesSlot }) => takesSlot);
  if (turns.length > MAX_SESSION_QUEUE + (atFront ? 1 : 0)) {
    throw lineFull(sessionId, turns[0]?.turnId ?? null);
  }
  if (isFull && !(atFront && turns.length > 0)) throw overloaded(queued);
}

/** @returns whether it was there */
function remove(list: Waiting[], entry: Waiting): boolean {
  const index = list.indexOf(entry);
  if (index !== -1) list.splice(index, 1);
  return index !== -1;
}

function letIn(entry: Waiting): void {
  entry.isReady = true;
  entry.letIn();
}

/** After a change of this line, and perhaps of who is first in a session and waits for a slot. */
function tellMoves(line: readonly Waiting[], firsts: readonly Waiting[]): void {
  for (const [position, entry] of line.entries()) {
    if (position > 0) tell(entry, position);
  }
  for (const [position, entry] of firsts.slice(0, MAX_TOLD).entries()) tell(entry, position);
}

function tell(entry: Waiting, position: number): void {
  if (entry.told === position) return;
  entry.told = position;
  entry.onMove(position);
}

function lineFull(sessionId: string, holder: string | null): MochiError {
  return new MochiError(
    'session_busy',
    `Session ${sessionId} is answering and ${MAX_SESSION_QUEUE} more messages wait. Wait for one of them to be answered, cancel one, or send on_busy: interrupt.`,
    { session_id: sessionId, turn_id: holder },
  );
}

function overloaded(queued: number): MochiError {
  return new MochiError('overloaded', 'Too many turns are waiting. Try again in a few seconds.', { queued });
}
