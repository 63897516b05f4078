// The lines of sessions, and a place in one.

export interface EnterOptions {
  /** Next after the turn that runs, before all that wait: in the place that the running one gives up for it. */
  readonly atFront?: boolean;
  /** Told when other turns come to be ahead, or the one that runs begins or ends to wait for a person; until it may run. */
  readonly onMove?: (position: number, isForPerson: boolean) => void;
}

/** A place in the line of a session. */
export interface Place {
  /** Whether it may run now. */
  readonly isReady: boolean;
  /** Turns ahead of it in its session; for the first of its session: sessions that wait longer for a slot; aside: what it was told. */
  readonly position: number;
  /** The turn that holds its session waits for a person. */
  readonly isForPerson: boolean;
  /** Resolves when it may run. */
  readonly ready: Promise<void>;
  /** It waits for a person: its slot is free for others, its session is not. */
  pause(): void;
  /** It wants to go on: it is next for a slot, before all that have not begun. @returns resolves when it may */
  resume(): Promise<void>;
  /** It has come before those that wait: it takes the place that the running one gives up for it. */
  readonly isAtFront: boolean;
  /** See `stepAside`. */
  readonly isAside: boolean;
  /** Others are before it that are in no line here: it holds nobody, and has no slot. @param before how many are before it in all */
  stepAside(before: number): void;
  /** Nobody is before it any more that is in no line here: it is next. */
  stepIn(): void;
  /** It goes on in another process: nobody behind it has a turn in this one. */
  suspend(): void;
  /** Resolves when its turn will not come in this process. */
  readonly blocked: Promise<void>;
  /** The turn has ended in line: it keeps its place, for what is left to do there, but is no turn to anybody. */
  retire(): void;
  /** Lets the next one in. Once; safe to call in any state. */
  leave(): void;
}

export interface TurnLines {
  /** A turn joins the line. @throws MochiError session_busy or overloaded when a line is full */
  enter(sessionId: string, turnId: string, options?: EnterOptions): Place;
  /** A turn of an earlier run of the server that waits for a person. */
  enterPaused(sessionId: string, turnId: string): Place;
  /** A run of an agent joins the line of its chat: its slot is that of the turn that started it. */
  enterRun(sessionId: string, turnId: string): Place;
  /** A change of the session that must not meet a turn joins the line: it takes no slot and is never refused. */
  enterChange(sessionId: string): Place;
  /** The turns of a session, the holder first. */
  turnsOf(sessionId: string): readonly string[];
  /** Whether the turn that holds a session waits for a person. */
  isPaused(sessionId: string): boolean;
}
