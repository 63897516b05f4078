// A server to throw things at, with something in it to hit, and an eye on its database.
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect } from 'vitest';
import type { RequestBody } from '../fake-ollama/chat-request.ts';
import { type ChatScript, text } from '../fake-ollama/chat-script.ts';
import { defaultModels } from '../fake-ollama/fake-model.ts';
import { faultsOf, readStore } from '../support/read-store.ts';
import { startTestServer, type TestServer, type TestServerOptions } from '../support/test-server.ts';
import { expectSane } from './judge.ts';
import { exchange, toBytes, type WireAnswer, type WireRequest } from './wire.ts';

/** Ids that exist. */
interface Place {
  readonly session_id: string;
  readonly turn_id: string;
  /** A user message; also message 0 of the path. */
  readonly message_id: string;
}

export interface World {
  readonly server: TestServer;
  /** A session with a question and its answer; another one when the last was deleted or has grown old. */
  place(): Promise<Place>;
  /** Sends, holds the answer against the rules, and sees to it that a refused request wrote nothing. */
  attempt(request: WireRequest): Promise<WireAnswer>;
  /** Alive, nothing half done; then closes. */
  close(): Promise<void>;
}

/** With these a client can promise more than it sends. */
const FRAMING = new Set(['content-length', 'transfer-encoding', 'expect']);
/** Requests after which a session is replaced, so that its history stays short. */
const MAX_USES = 30;

export async function openWorld(options: TestServerOptions = {}): Promise<World> {
  const server = await startTestServer(options);
  server.ollama.setDefault(answerInFormat);
  const database = new Sqlite(join(server.dataDir, 'mochi.db'), { readonly: true });
  const exists = database.prepare('select 1 from sessions where id = ?');
  let current: Place | null = null;
  let uses = 0;

  async function place(): Promise<Place> {
    // A model can be deleted like anything else.
    server.ollama.setModels(defaultModels);
    uses += 1;
    if (current !== null && uses < MAX_USES && exists.get(current.session_id) !== undefined) return current;
    uses = 0;
    const sessionId = await server.createSession();
    const { body } = await server.chat(sessionId, { message: 'Hello' });
    const [question] = await server.messages(sessionId);
    current = { session_id: sessionId, turn_id: body.turn_id, message_id: question.message_id };
    return current;
  }

  async function attempt(request: WireRequest): Promise<WireAnswer> {
    const { url } = server;
    const isHead = request.method === 'HEAD';
    const before = fingerprint(database);
    const givesUp = request.headers?.some(([name]) => FRAMING.has(name.toLowerCase())) ?? false;
    const [answer, ...more] = await exchange(url, toBytes(request, new URL(url).host), { isHead, givesUp });
    if (answer === undefined)
      throw new Error(`${request.method} ${request.target}: closed without an answer`);
    expect(more).toEqual([]);
    // An answer of the model that is not what the request asked for is nobody's fault but the model's.
    const allowed = isFormatted(request) ? ['invalid_structured_output'] : [];
    await expectSane(request, answer, { url, allowed });
    if (answer.status >= 400 && answer.status < 500) expect(fingerprint(database)).toEqual(before);
    return answer;
  }

  async function close(): Promise<void> {
    expect((await server.get('/livez')).status).toBe(200);
    expect(faultsOf(await readStore(server.dataDir))).toEqual([]);
    // A member named __proto__ that was assigned somewhere would show here.
    expect({}).not.toHaveProperty('polluted');
    database.close();
    await server.close();
  }

  return { server, place, attempt, close };
}

/** SQLite counts the commits of the other connections: equal numbers mean that nobody wrote. */
function fingerprint(database: Sqlite.Database): unknown {
  return database.pragma('data_version');
}

function answerInFormat(body: RequestBody): ChatScript {
  return body.format === undefined
    ? text('The capital of France is', ' Paris', '.')
    : text('{"a":[1],"b":{},"summary":"Paris.","topics":[]}');
}

function isFormatted({ body }: WireRequest): boolean {
  return body?.includes('"format"') ?? false;
}
