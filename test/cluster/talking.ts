// Clients of several servers as the documentation wants them: they send to whichever server, repeat with the same key until
// they are told the end, and note what they were refused with. And who looks into the database meanwhile.
import { randomInt } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { Client } from 'pg';
import { expect } from 'vitest';
import type { ClusterServer } from './world.ts';

interface Said {
  readonly sessionId: string;
  readonly message: string;
  readonly turnId: string;
  readonly state: string;
}

export interface Talked {
  /** Every message, each with the end that its client was told. */
  readonly said: readonly Said[];
  /** Status, code and `retry-after` of every answer that was no answer. */
  readonly refused: readonly string[];
  /** How often a connection could not be made, or ended without the end of the turn. */
  readonly cut: number;
}

/** @param pick to whom the next request goes */
export async function talk(
  sessionId: string,
  pick: () => ClusterServer,
  isOver: () => boolean,
): Promise<Talked> {
  const said: Said[] = [];
  const refused: string[] = [];
  let cut = 0;
  for (let count = 0; !isOver(); count += 1) {
    const message = `${sessionId}-${count}`;
    for (let end: Said | null = null; end === null; ) {
      try {
        const body = { message, on_busy: 'queue', on_disconnect: 'continue' };
        const headers = { 'idempotency-key': message };
        const stream = await pick().stream(`/chat/${sessionId}/stream`, body, headers);
        if (stream.status !== 200) {
          refused.push(`${stream.status} retry-after ${stream.headers.get('retry-after')}`);
          stream.abort();
          // No repeat helps.
          if (stream.status < 500) return { said, refused, cut };
          await setTimeout(20);
          continue;
        }
        for await (const { event, data } of stream.events) {
          if (event === 'done') end = { sessionId, message, turnId: data.turn_id, state: data.state };
        }
        if (end === null) cut += 1;
        else said.push(end);
      } catch {
        cut += 1;
        await setTimeout(20);
      }
    }
  }
  return { said, refused, cut };
}

/** Who reads beside them. @returns statuses that were none of 200, with `retry-after` */
export async function read(
  sessionId: string,
  pick: () => ClusterServer,
  isOver: () => boolean,
): Promise<string[]> {
  const refused: string[] = [];
  while (!isOver()) {
    try {
      const { status, headers } = await pick().get(`/sessions/${sessionId}/messages`);
      if (status !== 200) refused.push(`${status} retry-after ${headers.get('retry-after')}`);
    } catch {
      // Nobody is there.
    }
    await setTimeout(randomInt(30));
  }
  return refused;
}

export interface Looked {
  readonly looks: number;
  /** Sessions in which more than one turn was at work, and ends that were not what they had been. */
  readonly faults: readonly string[];
}

/** Looks into the rows again and again: one turn of a session runs at a time, and an end is the end. */
export async function look(url: string, isOver: () => boolean): Promise<Looked> {
  const faults: string[] = [];
  const ends = new Map<string, string>();
  let looks = 0;
  while (!isOver()) {
    const client = new Client({ connectionString: url });
    client.on('error', () => undefined);
    try {
      await client.connect();
      for (; !isOver(); looks += 1) {
        const { rows } = await client.query(
          `select session_id, string_agg(id || ' ' || state || ' of ' || coalesce(owner, 'nobody'), ', ') as them
           from turns where state in ('running', 'waiting') group by session_id having count(*) > 1`,
        );
        for (const { session_id: id, them } of rows) faults.push(`${id}: ${them}`);
        const { rows: ended } = await client.query(
          'select id, state, finished_at, error from turns where finished_at is not null',
        );
        for (const { id, ...end } of ended) {
          const before = ends.get(id) ?? JSON.stringify(end);
          ends.set(id, JSON.stringify(end));
          if (before !== JSON.stringify(end)) faults.push(`${id}: ${before} became ${JSON.stringify(end)}`);
        }
        await setTimeout(5);
      }
    } catch {
      await setTimeout(50);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
  return { looks, faults };
}

/** All that was said is there, each once, as a turn of its own with the end that was told; and every session goes on. */
export async function expectWhole(server: ClusterServer, talks: readonly Talked[]): Promise<void> {
  for (const { said } of talks) {
    const [{ sessionId } = { sessionId: '' }] = said;
    const contents = (await server.messages(sessionId))
      .filter(({ role }) => role === 'user')
      .map(({ content }) => content);
    expect(contents).toEqual(said.map(({ message }) => message));
    const { body } = await server.get(`/sessions/${sessionId}/turns?limit=500`);
    const turns = body.turns.map(
      ({ turn_id: turnId, state }: Record<string, string>) => `${turnId} ${state}`,
    );
    expect(turns.toReversed()).toEqual(said.map(({ turnId, state }) => `${turnId} ${state}`));
    await goOn(() => server, sessionId);
  }
}

/** One more message. Whoever is refused with 503 asks again, as it is told to: a server may have lost its lease just now. @returns the answer */
export async function goOn(pick: () => ClusterServer, sessionId: string): Promise<string> {
  for (;;) {
    const { status, body } = await pick().post(`/chat/${sessionId}`, { message: 'And now?' });
    if (status !== 503) {
      expect(status).toBe(200);
      return body.message.content;
    }
    await setTimeout(200);
  }
}

/** On a connection of its own. */
export async function ask(url: string, question: string, values: string[] = []): Promise<any[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(question, values)).rows;
  } finally {
    await client.end();
  }
}

/** One of them, whichever. */
export function anyOf<T>(them: readonly T[]): T {
  const one = them[randomInt(them.length)];
  if (one === undefined) throw new Error('There is none.');
  return one;
}
