// The engine of the soak: answers as the first word of the question says, and fails in every way that is known.
import type { RequestBody } from '../test/fake-ollama/chat-request.ts';
import {
  type ChatScript,
  httpAnswer,
  httpError,
  mute,
  sequence,
  text,
  tokens,
  toolCalls,
} from '../test/fake-ollama/chat-script.ts';
import { type FakeOllama, startFakeOllama } from '../test/fake-ollama/fake-ollama.ts';
import type { Fault } from '../test/fake-ollama/fault.ts';
import { htmlAnswer } from '../test/fake-ollama/http-answer.ts';
import {
  cutAfter,
  destroyAfter,
  errorAfter,
  everyMs,
  hangAfter,
  lineAfter,
  noFinalNewline,
  script,
  split,
} from '../test/fake-ollama/script-modifiers.ts';
import { createRandom, type Random } from './random.ts';

/** Refuses a history that strict templates refuse: each one that the server sends is checked. */
export const MODEL = {
  name: 'strict:latest',
  capabilities: ['completion', 'tools'],
  strictTemplate: true,
  contextLength: 1_048_576,
};

interface Kind {
  readonly script: (random: Random, toolRounds: number) => ChatScript;
  /** What a turn of this kind may fail with of itself. */
  readonly fails: readonly string[];
  /** Among a thousand turns. */
  readonly weight: number;
}

const paced = (random: Random) => script(tokens(random.below(24) + 1), everyMs(random.below(4)));
const three = script(text('one ', 'two ', 'three '), everyMs(2));

/** By the first word of the question. */
export const KINDS: Readonly<Record<string, Kind>> = {
  plain: { script: paced, fails: [], weight: 450 },
  slow: { script: (random) => script(tokens(20 + random.below(20)), everyMs(25)), fails: [], weight: 40 },
  flood: { script: () => tokens(300), fails: [], weight: 30 },
  bytes: {
    script: (random) => script(text('Grüße, ', '世界 ', '🙂'), split('byte'), everyMs(random.below(3))),
    fails: [],
    weight: 40,
  },
  pieces: {
    script: (random) => script(paced(random), split(random.below(60) + 2), noFinalNewline()),
    fails: [],
    weight: 60,
  },
  tool: { script: callTools, fails: [], weight: 90 },
  drop: {
    script: (random) => script(three, destroyAfter(random.below(3) + 1)),
    fails: ['incomplete_response'],
    weight: 40,
  },
  refuse: { script: () => script(three, destroyAfter(0)), fails: ['ollama_unreachable'], weight: 20 },
  cut: {
    script: (random) => script(three, cutAfter(random.below(3))),
    fails: ['incomplete_response'],
    weight: 40,
  },
  status: {
    script: (random) => httpError(random.pick([500, 429, 400]), 'the model broke'),
    fails: ['ollama_error'],
    weight: 20,
  },
  busy: { script: () => httpError(503, 'server busy'), fails: ['engine_busy'], weight: 10 },
  page: {
    script: (random) => httpAnswer(htmlAnswer(random.pick([502, 200]))),
    fails: ['ollama_error'],
    weight: 20,
  },
  line: {
    script: (random) => script(three, errorAfter(random.below(3) + 1, 'the runner broke')),
    fails: ['ollama_error'],
    weight: 30,
  },
  garbage: {
    script: (random) => script(three, lineAfter(random.below(3), '<html>')),
    fails: ['ollama_error'],
    weight: 20,
  },
  hang: {
    script: (random) => script(three, hangAfter(random.below(3) + 1)),
    fails: ['engine_timeout'],
    weight: 5,
  },
  mute: { script: () => mute(), fails: ['engine_timeout'], weight: 5 },
  /** Never ends by itself: for those who leave or cancel. */
  endless: {
    script: () => script(tokens(8), everyMs(2), hangAfter(8)),
    fails: ['engine_timeout'],
    weight: 0,
  },
};

function kindOf(name: string): Kind {
  const kind = KINDS[name];
  if (kind === undefined) throw new Error(`The question is of no kind: ${name}`);
  return kind;
}

/** Everything that an engine can be to blame for. */
export const ENGINE_FAULTS: readonly string[] = [
  ...new Set(Object.values(KINDS).flatMap(({ fails }) => fails)),
];

const CHOICES = Object.entries(KINDS).flatMap(([name, { weight }]) =>
  Array.from({ length: weight }, () => name),
);

export function pickKind(random: Random): string {
  return random.pick(CHOICES);
}

export interface SoakEngine {
  readonly ollama: FakeOllama;
  /** How often each kind of answer was asked for. */
  readonly asked: ReadonlyMap<string, number>;
  /** Whether the whole engine was broken at some time since an instant of `performance.now()`. */
  wasBrokenSince(time: number): boolean;
  /** Breaks whole endpoints now and then, and takes the engine away for a moment, until it is stopped. */
  startSabotage(): { stop(): Promise<void> };
}

export async function startSoakEngine(seed: number): Promise<SoakEngine> {
  const random = createRandom(seed);
  const ollama = await startFakeOllama({ models: [MODEL] });
  const asked = new Map<string, number>();
  let brokenUntil = Number.NEGATIVE_INFINITY;
  let isBroken = false;

  ollama.setDefault(({ messages = [] }: RequestBody) => {
    const last = messages.findLastIndex(({ role }) => role === 'user');
    const name = /^\w+/.exec(messages[last]?.content ?? '')?.[0] ?? '';
    asked.set(name, (asked.get(name) ?? 0) + 1);
    // What was asked is not looked at again, and would be the largest thing in memory.
    ollama.requests.length = 0;
    const rounds = messages.slice(last).filter(({ tool_calls: calls }) => calls !== undefined).length;
    return kindOf(name).script(random, rounds);
  });

  async function breakFor(ms: number, begin: () => unknown, end: () => unknown): Promise<void> {
    isBroken = true;
    await begin();
    await delay(ms);
    await end();
    brokenUntil = performance.now();
    isBroken = false;
  }

  async function sabotage(): Promise<void> {
    if (random.oneIn(4)) return breakFor(300, ollama.stop, ollama.restart);
    const path = random.pick(['/api/chat', '/api/tags', '/api/show', '*']);
    const fault = random.pick<Fault>(['mute', 'refuse', 'error500', 'html', 'drop']);
    await breakFor(
      200,
      () => ollama.fault(path, fault),
      () => ollama.fault(path, null),
    );
  }

  return {
    ollama,
    asked,
    wasBrokenSince: (time) => isBroken || brokenUntil >= time,
    startSabotage() {
      const stopped = new AbortController();
      const done = (async () => {
        while (!stopped.signal.aborted) {
          await sabotage();
          await delay(1500 + random.below(1500));
        }
      })();
      return {
        stop() {
          stopped.abort();
          return done;
        },
      };
    },
  };
}

/** Up to three rounds of calls to a tool that is not there, then an answer. */
function callTools(random: Random, rounds: number): ChatScript {
  if (rounds >= 3) return paced(random);
  const calls = Array.from({ length: random.below(3) + 1 }, (_, at) => ({
    name: 'look',
    args: { rounds, at },
  }));
  return script(sequence(tokens(random.below(3)), toolCalls(calls)), everyMs(2));
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
