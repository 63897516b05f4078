// Who may run: one turn at a time per session, in the order of arrival, and a bounded number in all. One that waits for a
// person holds its session and no slot.
import type { EnterOptions, Place, TurnLines } from './place.ts';
import { refuseWhenFull } from './refuse-when-full.ts';

export interface TurnLimits {
  /** Turns that run at once. */
  readonly maxRunning: number;
  /** Turns that wait, over all sessions. */
  readonly maxQueued: number;
}

/** Sessions next for a slot that are told of every move; those behind them hear of it when they come so far. */
const MAX_TOLD = 16;

type Wait = Pick<Place, 'position' | 'isForPerson'>;

const NO_WAIT: Wait = { position: 0, isForPerson: false };

interface Lines {
  readonly limits: TurnLimits;
  /** By session; who holds it is the first. */
  readonly bySession: Map<string, Waiting[]>;
  /** The first turns of their sessions that wait for a slot. */
  readonly firsts: Waiting[];
  running: number;
  /** Turns in all lines, the running ones included; not those that wait for a person. */
  total: number;
}

type Arrival = Pick<Waiting, 'turnId' | 'sessionId' | 'takesSlot' | 'isPaused'>;

/** Has a lifetime: from when it joins the line until it leaves it. */
class Waiting implements Place {
  readonly #lines: Lines;
  /** Null for a change. */
  turnId: string | null;
  readonly sessionId: string;
  readonly onMove: EnterOptions['onMove'];
  takesSlot: boolean;
  isReady = false;
  isPaused: boolean;
  readonly isAtFront: boolean;
  /** Others are before it that are in no line here. */
  isAside = false;
  /** Those and all others, where it is aside. */
  before = 0;
  /** It has run before, and wants to go on. */
  isReturning = false;
  /** What it knows of its wait. */
  told: Wait = NO_WAIT;
  /** For whoever waits; renewed when it returns. */
  #entrance: PromiseWithResolvers<void> | null = null;
  #blocked: PromiseWithResolvers<void> | null = null;

  constructor(lines: Lines, arrival: Arrival, { onMove, atFront = false }: EnterOptions) {
    this.#lines = lines;
    this.turnId = arrival.turnId;
    this.sessionId = arrival.sessionId;
    this.takesSlot = arrival.takesSlot;
    this.isPaused = arrival.isPaused;
    this.onMove = onMove;
    this.isAtFront = atFront;
  }

  get position(): number {
    return this.isAside ? this.before : waitOf(this.#lines, this).position;
  }

  get isForPerson(): boolean {
    return waitOf(this.#lines, this).isForPerson;
  }

  get ready(): Promise<void> {
    if (this.isReady) return Promise.resolve();
    this.#entrance ??= Promise.withResolvers();
    return this.#entrance.promise;
  }

  get blocked(): Promise<void> {
    this.#blocked ??= Promise.withResolvers();
    return this.#blocked.promise;
  }

  /** Its turn has come. */
  letIn(): void {
    this.isReady = true;
    this.isReturning = false;
    this.#entrance?.resolve();
    this.#entrance = null;
  }

  /** Its turn will not come in this process. */
  block(): void {
    this.#blocked ??= Promise.withResolvers();
    this.#blocked.resolve();
  }

  pause(): void {
    pause(this.#lines, this);
  }

  resume(): Promise<void> {
    resume(this.#lines, this);
    return this.ready;
  }

  stepAside(before: number): void {
    this.before = before;
    stepAside(this.#lines, this);
  }

  stepIn(): void {
    stepIn(this.#lines, this);
  }

  suspend(): void {
    for (const other of this.#lines.bySession.get(this.sessionId) ?? []) if (other !== this) other.block();
  }

  retire(): void {
    retire(this.#lines, this);
  }

  leave(): void {
    leave(this.#lines, this);
  }
}

/**
 * A turn is ready when it is first in its session and a slot is free. Slots go to ready sessions in the order
 * in which their turn became first, so that one busy session cannot starve the others.
 */
export function createTurnLines(limits: TurnLimits): TurnLines {
  const lines: Lines = { limits, bySession: new Map(), firsts: [], running: 0, total: 0 };
  const lineOf = (sessionId: string) => lines.bySession.get(sessionId) ?? [];
  return {
    enter: (sessionId, turnId, options = {}) => enter(lines, { sessionId, turnId }, options),
    enterPaused: (sessionId, turnId) =>
      join(lines, { turnId, sessionId, takesSlot: true, isPaused: true }, {}),
    enterRun: (sessionId, turnId) =>
      join(lines, { turnId, sessionId, takesSlot: false, isPaused: false }, {}),
    enterChange: (sessionId) =>
      join(lines, { turnId: null, sessionId, takesSlot: false, isPaused: false }, {}),
    turnsOf: (sessionId) => lineOf(sessionId).flatMap(({ turnId }) => turnId ?? []),
    isPaused: (sessionId) => lineOf(sessionId)[0]?.isPaused === true,
  };
}

function enter(
  lines: Lines,
  { sessionId, turnId }: { readonly sessionId: string; readonly turnId: string },
  options: EnterOptions,
): Place {
  const { total, running } = lines;
  const { maxRunning, maxQueued } = lines.limits;
  const line = lines.bySession.get(sessionId) ?? [];
  const isFull = total - running >= maxQueued && (line.length > 0 || running >= maxRunning);
  refuseWhenFull(sessionId, line, { isFull, queued: total - running, atFront: options.atFront === true });
  lines.total += 1;
  return join(lines, { turnId, sessionId, takesSlot: true, isPaused: false }, options);
}

function join(lines: Lines, arrival: Arrival, options: EnterOptions): Place {
  const entry = new Waiting(lines, arrival, options);
  const others = lines.bySession.get(entry.sessionId) ?? [];
  const inLine = others.filter(({ isAside }) => !isAside).length;
  const position = entry.isAtFront ? Math.min(1, inLine) : inLine;
  // As long as it needs to be: most are alone.
  const line = others.toSpliced(position, 0, entry);
  lines.bySession.set(entry.sessionId, line);
  if (position === 0 && !entry.isPaused) becomeFirst(lines, entry);
  admit(lines);
  entry.told = waitOf(lines, entry);
  tellMoves(line, lines.firsts);
  return entry;
}

function admit(lines: Lines): void {
  while (lines.running < lines.limits.maxRunning) {
    const next = lines.firsts.shift();
    if (next === undefined) return;
    lines.running += 1;
    next.letIn();
  }
}

function becomeFirst({ firsts }: Lines, entry: Waiting): void {
  if (entry.takesSlot) firsts.push(entry);
  else entry.letIn();
}

function pause(lines: Lines, entry: Waiting): void {
  if (!entry.isReady || !entry.takesSlot) return;
  entry.isReady = false;
  entry.isPaused = true;
  lines.total -= 1;
  lines.running -= 1;
  admit(lines);
  tellMoves(lines.bySession.get(entry.sessionId) ?? [], lines.firsts);
}

function resume(lines: Lines, entry: Waiting): void {
  if (!entry.isPaused) return;
  const { firsts } = lines;
  entry.isPaused = false;
  entry.isReturning = true;
  lines.total += 1;
  const others = firsts.findIndex(({ isReturning }) => !isReturning);
  firsts.splice(others === -1 ? firsts.length : others, 0, entry);
  admit(lines);
  entry.told = waitOf(lines, entry);
  tellMoves(lines.bySession.get(entry.sessionId) ?? [], firsts);
}

function leave(lines: Lines, entry: Waiting): void {
  const line = lines.bySession.get(entry.sessionId) ?? [];
  const index = line.indexOf(entry);
  if (index === -1) return;
  line.splice(index, 1);
  if (entry.takesSlot && !entry.isPaused) {
    lines.total -= 1;
    if (entry.isReady) lines.running -= 1;
  }
  remove(lines.firsts, entry);
  const [first] = line;
  if (first === undefined) lines.bySession.delete(entry.sessionId);
  else if (index === 0 && !first.isAside) becomeFirst(lines, first);
  admit(lines);
  tellMoves(line, lines.firsts);
}

/** Behind all that are in line; nobody waits for it. */
function stepAside(lines: Lines, entry: Waiting): void {
  const line = lines.bySession.get(entry.sessionId) ?? [];
  const index = line.indexOf(entry);
  if (index === -1 || entry.isAside) return;
  if (entry.isReady && entry.takesSlot) lines.running -= 1;
  entry.isReady = false;
  entry.isAside = true;
  line.splice(index, 1);
  line.push(entry);
  remove(lines.firsts, entry);
  const [first] = line;
  if (index === 0 && first !== undefined && !first.isAside) becomeFirst(lines, first);
  admit(lines);
}

/** Next after whoever holds the session. */
function stepIn(lines: Lines, entry: Waiting): void {
  if (!entry.isAside) return;
  const line = lines.bySession.get(entry.sessionId) ?? [];
  remove(line, entry);
  entry.isAside = false;
  const position = line[0] === undefined || line[0].isAside ? 0 : 1;
  line.splice(position, 0, entry);
  if (position === 0) becomeFirst(lines, entry);
  admit(lines);
}

function retire(lines: Lines, entry: Waiting): void {
  if (entry.isReady || !entry.takesSlot) return;
  entry.turnId = null;
  entry.takesSlot = false;
  lines.total -= 1;
  if (remove(lines.firsts, entry)) entry.letIn();
}

function waitOf({ bySession, firsts }: Lines, entry: Waiting): Wait {
  const line = bySession.get(entry.sessionId) ?? [];
  const index = line.indexOf(entry);
  const position = index > 0 ? index : Math.max(firsts.indexOf(entry), 0);
  return { position, isForPerson: index > 0 && line[0]?.isPaused === true };
}

/** @returns whether it was there */
function remove(list: Waiting[], entry: Waiting): boolean {
  const index = list.indexOf(entry);
  if (index !== -1) list.splice(index, 1);
  return index !== -1;
}

/** After a change of this line, and perhaps of who is first in a session and waits for a slot. */
function tellMoves(line: readonly Waiting[], firsts: readonly Waiting[]): void {
  const isForPerson = line[0]?.isPaused === true;
  for (const [position, entry] of line.entries()) {
    // Whoever stands aside is told by others.
    if (position > 0 && !entry.isAside) tell(entry, { position, isForPerson });
  }
  for (const [position, entry] of firsts.slice(0, MAX_TOLD).entries()) {
    tell(entry, { position, isForPerson: false });
  }
}

function tell(entry: Waiting, wait: Wait): void {
  if (entry.told.position === wait.position && entry.told.isForPerson === wait.isForPerson) return;
  entry.told = wait;
  entry.onMove?.(wait.position, wait.isForPerson);
}
