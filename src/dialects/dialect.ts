// What a dialect is, as a plain value: the API of another program, answered by turns of ours. It translates and never
// runs anything; paths, keys, heads, pauses and readers that leave are `http/`'s, once for all of them.
import type { Static, TSchema } from 'typebox';
import type { Approvals } from '../approvals/approvals.ts';
import type { LiveTurns } from '../chat/live-turns.ts';
import type { WatchableTurn } from '../chat/watch/live-turn.ts';
import type { ToldEvent } from '../chat/watch/turn-log.ts';
import type { DisconnectPolicy } from '../contract/chat.ts';
import type { MochiError } from '../contract/errors.ts';
import type { ModelPulls } from '../models/model-pulls.ts';
import type { SessionDeps } from '../sessions/session-deps.ts';

/** As MOCHI_DIALECTS names them. */
export type DialectName = 'openai-chat' | 'openai-responses' | 'ollama' | 'ai-sdk' | 'anthropic';

export interface Dialect {
  /** Those of MOCHI_DIALECTS that bring it: any of them. */
  readonly names: readonly [DialectName, ...DialectName[]];
  /** Of its routes in the OpenAPI document. */
  readonly tag: { readonly name: string; readonly description: string };
  /** Whether everything below `/s/{session}` is there, too. */
  readonly namesSessions: boolean;
  readonly routes: readonly DialectRoute[];
  /** Whether errors of a path are told in its shape, also where nothing is found. The first of the list that says so. */
  owns(path: string): boolean;
  tellError(error: MochiError, request: { readonly id: string }): ToldError;
}

/** An error as the clients of a dialect read it. */
export interface ToldError {
  readonly status: number;
  /** JSON, or a text as it is. */
  readonly body: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface DialectRoute {
  /** GET answers HEAD, too. */
  readonly method: 'GET' | 'HEAD' | 'POST' | 'DELETE';
  /** `:name` for a part, and `*` at the end for any rest. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  /** Of a JSON body, whatever its content-type; `bytes`: a stream of any length; missing: none is read. */
  readonly body?: TSchema | 'bytes';
  /** Of its answer, for the document: schema, or its media type where it is no JSON. */
  readonly answer: TSchema | string;
  /** Other statuses of answers that are no errors, and what they say. */
  readonly alsoAnswers?: Readonly<Record<number, string>>;
  /** It is in no document. */
  readonly isHidden?: boolean;
  /** It is answered by the model: for the document. */
  readonly isTurn?: boolean;
  handle(deps: DialectDeps, asked: Asked): Promise<DialectAnswer>;
}

/** A route with its body typed by its schema. */
export function route<Body extends TSchema>(
  described: Omit<DialectRoute, 'handle' | 'body'> & {
    readonly body: Body;
    handle(deps: DialectDeps, asked: Asked<Static<Body>>): Promise<DialectAnswer>;
  },
): DialectRoute {
  const { handle } = described;
  // The body was validated by the schema of the route.
  return { ...described, handle: (deps, asked) => handle(deps, asked as Asked<Static<Body>>) };
}

/** What handlers may touch. */
export interface DialectDeps extends SessionDeps {
  readonly approvals: Pick<Approvals, 'decide'>;
  readonly pulls: Pick<ModelPulls, 'join'>;
  readonly turns: Pick<
    LiveTurns,
    'change' | 'start' | 'pass' | 'open' | 'describe' | 'cancel' | 'holderOf' | 'delete' | 'engineWork'
  >;
  /** Names that clients insist on, and what they mean: see `models.ts`. */
  readonly modelAliases: readonly ModelAlias[];
  /** Days; 0: for good. */
  readonly unlistedDays: number;
}

export interface ModelAlias {
  /** A `*` at the end stands for any rest. */
  readonly name: string;
  readonly model: string;
}

/** A request after validation. */
export interface Asked<Body = unknown> {
  readonly requestId: string;
  readonly body: Body;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** The name in `x-mochi-session`, else that of the path `/s/{session}`; null: none. What it means: `place.ts`. */
  readonly session: string | null;
  /** Of the API key; of nothing where there are no keys. Histories of one key never match those of another. */
  readonly keyDigest: string;
  readonly idempotencyKey: string | null;
  /** The request repeats one whose turn is stored: this is the turn. Null: it is new. */
  readonly joined: WatchableTurn | null;
  /** Of `x-mochi-on-busy`. */
  readonly onBusy: 'queue' | 'reject' | 'interrupt';
  /** Aborted when the client has left. */
  readonly signal: AbortSignal;
}

/** What a handler answers; the rest is the room's that mounts it. */
export type DialectAnswer = JsonAnswer | TextAnswer | LinesAnswer | BytesAnswer | TurnAnswer;

export interface JsonAnswer {
  readonly as: 'json';
  readonly body: unknown;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TextAnswer {
  readonly as: 'text';
  readonly body: string;
  readonly status?: number;
}

/** Lines of JSON that come one by one, about no turn. What throws before the first is a true status. */
export interface LinesAnswer {
  readonly as: 'lines';
  readonly lines: AsyncIterable<unknown>;
  /** Of a failure after the first line. */
  tellError(error: MochiError): unknown;
}

/** Handed through from the engine. */
interface BytesAnswer {
  readonly as: 'bytes';
  readonly status: number;
  readonly contentType: string | null;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface TurnAnswer {
  readonly as: 'turn';
  readonly turn: WatchableTurn;
  /** Told in the head: the session and where the turn can be watched. A passing turn is cancelled when its client leaves. */
  readonly isStored: boolean;
  readonly told: ToldStream | ToldWhole;
  /** Missing: a stored turn is cancelled by leaving its stream, and goes on without its plain client. */
  readonly onDisconnect?: DisconnectPolicy;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A stream of what the turn tells. */
export interface ToldStream {
  readonly how: 'sse' | 'ndjson';
  readonly writer: EventWriter;
  /** The events after this one; missing: all. */
  readonly after?: number;
  /** Its head goes out before there is content, so that a failure is told in the stream. */
  readonly isImmediate?: boolean;
}

/** One piece of JSON when the turn has ended. */
export interface ToldWhole {
  readonly how: 'whole';
  readonly reader: AnswerReader;
}

/** What goes out: a server-sent event, or a line of JSON. */
export interface Frame {
  /** Of a server-sent event; missing: it has no name. */
  readonly event?: string;
  /** A text goes as it is (`[DONE]`, or JSON on one line), all else as JSON. */
  readonly data: unknown;
}

/** Events → frames: a fold with a small state, made for one reader. Pure but for that. */
export interface EventWriter {
  /** After a write: nothing comes any more, though the turn goes on. What it waits for comes with another request. */
  readonly isOver?: boolean;
  /** What an event adds. Called in order, from the first event of the turn or from a snapshot on. */
  write(told: ToldEvent): readonly Frame[];
  /** What breaks a long silence; missing, or null: a comment. */
  silence?(): Frame | null;
}

/** The same fold to its end: the plain answer. */
export interface AnswerReader {
  read(told: ToldEvent): void;
  /** Once the turn is complete. */
  answer(): unknown;
}
