// The law of the fold: any cutting of the stream gives the same view. Cut, repeated, with a snapshot in the place of
// what is gone, and in chunks that end anywhere; by the vectors, which clients in other languages share.
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyFold, foldEvent, toSnapshot } from '../../src/chat/watch/fold-turn.ts';
import { createMochi, EMPTY_TURN, foldTurn, type TurnEvent, type TurnView } from '../../src/client/index.ts';
import { readEvents } from '../../src/client/read-events.ts';

const folder = new URL('../client-vectors/', import.meta.url);

interface Step {
  readonly event: TurnEvent;
  /** What is shown after it. */
  readonly view: TurnView;
}

const vectors = readdirSync(folder).map((name) => {
  const lines = readFileSync(new URL(name, folder), 'utf8').trimEnd().split('\n');
  return { name, steps: lines.map((line): Step => JSON.parse(line)) };
});
const eventsOf = (steps: readonly Step[]) => steps.map(({ event }) => event);

function viewsOf(events: readonly TurnEvent[], from: TurnView = EMPTY_TURN): TurnView[] {
  let view = from;
  return events.map((event) => (view = foldTurn(view, event)));
}

/** What a server that has forgotten the first `count` events tells instead. */
function snapshotOf(events: readonly TurnEvent[], count: number): TurnEvent {
  const fold = emptyFold();
  for (const { id: _id, ...event } of events.slice(0, count)) foldEvent(fold, event);
  const [start] = events;
  if (start?.event !== 'turn_start') throw new Error('A turn begins with its start.');
  const { turn_id, session_id } = start.data;
  const id = events[count - 1]?.id ?? 0;
  const turn = { turn_id, session_id, created_at: '2026-02-15T09:49:38.310281Z', last_event_id: id };
  return { id, event: 'snapshot', data: JSON.parse(JSON.stringify(toSnapshot(fold, turn))) };
}

/** Of a snapshot: all but how far the moment is. */
function lasting({
  phase: _phase,
  position: _position,
  estimateMs: _estimate,
  toolCalls,
  ...view
}: TurnView) {
  return { ...view, toolCalls: toolCalls.map(({ agent: _agent, ...call }) => ({ ...call, progress: null })) };
}

/** Of a snapshot at the end: all but what agents did before it, which no snapshot tells. */
function withoutSteps(view: TurnView): TurnView {
  return { ...view, toolCalls: view.toolCalls.map(({ agent: _agent, ...call }) => call) };
}

function toBytes(events: readonly TurnEvent[], lineEnd = '\n'): Uint8Array {
  const frames = events.map(({ id, event, data }) =>
    [`id: ${id}`, `event: ${event}`, `data: ${JSON.stringify(data)}`, '', ''].join(lineEnd),
  );
  return new TextEncoder().encode([`: ping${lineEnd}${lineEnd}`, ...frames].join(''));
}

function streamOf(chunks: readonly Uint8Array[]): Response {
  const body = new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

async function framesOf(chunks: readonly Uint8Array[]): Promise<unknown[]> {
  return Array.fromAsync(readEvents(streamOf(chunks), { idleMs: 1000 }));
}

describe.each(vectors)('$name', ({ steps }) => {
  const events = eventsOf(steps);
  const views = steps.map(({ view }) => view);

  it('is folded as it says', () => {
    expect(viewsOf(events)).toEqual(views);
  });

  it('gives the same views where events come again, from anywhere', () => {
    for (const at of events.keys()) {
      const again = [...events.slice(0, at + 1), ...events.slice(Math.floor(at / 2))];
      expect(viewsOf(again).at(-1)).toEqual(views.at(-1));
    }
  });

  it('gives the same views where a snapshot stands for what is gone, seen before or not', () => {
    for (const at of events.keys()) {
      const rest = [snapshotOf(events, at + 1), ...events.slice(at + 1)];
      const expected = views.slice(at).map(lasting);
      expect(viewsOf(rest).map(lasting)).toEqual(expected);
      const seen = viewsOf(events.slice(0, Math.ceil(at / 2))).at(-1) ?? EMPTY_TURN;
      expect(viewsOf(rest, seen).map(lasting)).toEqual(expected);
      expect(viewsOf(rest).slice(-1).map(withoutSteps)).toEqual(views.slice(-1).map(withoutSteps));
    }
  });

  it('is read from bytes that are cut anywhere', async () => {
    for (const lineEnd of ['\n', '\r\n']) {
      const bytes = toBytes(events, lineEnd);
      const expected = await framesOf([bytes]);
      expect(expected).toEqual(events);
      expect(await framesOf(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(expected);
      const step = Math.ceil(bytes.length / 61);
      for (let at = 1; at < bytes.length; at += step) {
        expect(await framesOf([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(expected);
      }
    }
  });
});

describe('what is not known', () => {
  it('changes nothing, and is told to whoever asks', async () => {
    const [steps] = vectors.map((vector) => vector.steps);
    const events = eventsOf(steps ?? []);
    const strange = [{ id: 1.5, event: 'applause', data: { loud: true } } as unknown as TurnEvent];
    expect(foldTurn(viewsOf(events.slice(0, 1))[0] ?? EMPTY_TURN, strange[0] as TurnEvent)).toMatchObject({
      state: 'running',
    });
    const told: unknown[] = [];
    const whole = [
      ...events.slice(0, -1),
      { id: 900, event: 'applause', data: {} } as unknown as TurnEvent,
      { ...events.at(-1), id: 901 } as TurnEvent,
    ];
    const mochi = createMochi({
      fetch: async () => streamOf([toBytes(whole)]),
      onUnknown: (event) => told.push(event),
    });
    const seen = await Array.fromAsync(mochi.turns.watch('turn_1'));
    expect(seen).toHaveLength(events.length);
    expect(told).toEqual([{ id: 900, event: 'applause', data: {} }]);
  });

  it('a frame without a number is about the connection: it is not the end of the turn', async () => {
    const [steps] = vectors.map((vector) => vector.steps);
    const events = eventsOf(steps ?? []);
    const farewell = new TextEncoder().encode(
      'event: error\ndata: {"code":"turn_interrupted","message":"x","details":{"resumes":true}}\n\nevent: done\ndata: {"state":"waiting"}\n\n',
    );
    const answers = [[toBytes(events.slice(0, 2)), farewell], [toBytes(events.slice(2))]];
    const mochi = createMochi({ fetch: async () => streamOf(answers.shift() ?? []) });
    expect(await Array.fromAsync(mochi.turns.watch('turn_1'))).toEqual(events);
  });
});

/** One connection: from before what is asked for, to somewhere, in pieces; or a snapshot for what is gone. */
const connection = fc.record({
  back: fc.nat(3),
  length: fc.integer({ min: 1, max: 12 }),
  isForgotten: fc.boolean(),
  cuts: fc.array(fc.nat(400), { maxLength: 6 }),
  /** Of the last frame. */
  lost: fc.nat(30),
});

describe('a turn that is watched through any connections', () => {
  it('is seen whole, in order, and the same at the end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...vectors),
        fc.array(connection, { maxLength: 8 }),
        async ({ steps }, connections) => {
          const events = eventsOf(steps);
          const left = [...connections];
          const fetchStub = async (input: unknown) => {
            const after = Number(new URL(String(input)).searchParams.get('after') ?? 0);
            return streamOf(answer(events, after, left.shift()));
          };
          const mochi = createMochi({
            fetch: fetchStub,
            retry: { firstDelayMs: 0 },
            baseUrl: 'http://127.0.0.1:9',
          });
          const seen = await Array.fromAsync(mochi.turns.watch('turn_1'));
          expect(seen.map(({ id }) => id)).toEqual(
            [...new Set(seen.map(({ id }) => id))].sort((a, b) => a - b),
          );
          const last = steps.slice(-1).map(({ view }) => withoutSteps(view));
          expect(viewsOf(seen).slice(-1).map(withoutSteps)).toEqual(last);
        },
      ),
      { numRuns: 80 },
    );
  });
});

function answer(
  events: readonly TurnEvent[],
  after: number,
  planned: (typeof connection extends fc.Arbitrary<infer T> ? T : never) | undefined,
): Uint8Array[] {
  const seen = events.filter(({ id }) => id <= after).length;
  if (planned === undefined) return [toBytes(events.slice(seen))];
  const { back, length, isForgotten, cuts, lost } = planned;
  const start = Math.max(0, seen - back);
  const gone = Math.min(events.length - 1, seen + 2);
  const told = isForgotten
    ? [snapshotOf(events, gone), ...events.slice(gone, gone + length)]
    : events.slice(start, seen + length);
  const bytes = toBytes(told);
  const end = told.at(-1)?.event === 'done' ? bytes.length : bytes.length - lost;
  const places = [...new Set([...cuts.filter((at) => at < end), end])].sort((a, b) => a - b);
  return places.map((at, index) => bytes.subarray(places[index - 1] ?? 0, at));
}
