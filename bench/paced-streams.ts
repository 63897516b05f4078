// Many streams of 30 tokens a second: all the time, or all at once.
import { readStream, type StreamCall, type StreamTimes } from './load-client.ts';
import {
  cpuMicroseconds,
  type Program,
  type ServerKind,
  startFakeOllama,
  startRelay,
  startServer,
  temporaryFolder,
} from './processes.ts';
import { seed } from './seed.ts';
import { relayCall, serverCall } from './targets.ts';

const MODEL = 'paced';
const TOKEN_MS = 1000 / 30;

/** One of the two sides that are compared. */
export interface Side {
  readonly program: Program;
  /** The next call: on a fresh session, for the server. */
  readonly nextCall: () => StreamCall;
}

export interface Contest {
  readonly server: Side;
  readonly relay: Side;
  stop(): Promise<void>;
}

/** The server, the relay, and an engine whose answers have `tokens` tokens. */
export async function startContest(plan: {
  readonly kind: ServerKind;
  readonly tokens: number;
  /** How many calls the server will get. */
  readonly sessions: number;
  readonly env: Readonly<Record<string, string>>;
}): Promise<Contest> {
  const { kind, tokens, sessions, env } = plan;
  const dataDir = temporaryFolder();
  const [ids = []] = await seed(dataDir, [
    { model: `${MODEL}:latest`, sessions, messages: 0, hasTurns: false },
  ]);
  const ollama = await startFakeOllama(tokens);
  const [server, relay] = await Promise.all([
    startServer({ kind, dataDir, ollamaUrl: ollama.url, env }),
    startRelay(ollama.url, 'events'),
  ]);
  return {
    server: { program: server, nextCall: () => serverCall(server, ids.pop() ?? '', tokens) },
    relay: { program: relay, nextCall: () => relayCall(relay, MODEL, tokens) },
    async stop() {
      await Promise.all([server, relay, ollama].map((program) => program.stop()));
    },
  };
}

/**
 * So many streams run all the time, their beginnings spread. Each runs three times; the second time all the others
 * run from its beginning to its end, and only that counts.
 * @returns the times, and the CPU time of all three in microseconds
 */
export async function runSpread(
  { program, nextCall }: Side,
  { streams, tokens }: { readonly streams: number; readonly tokens: number },
): Promise<{ readonly times: StreamTimes[]; readonly cpu: number | null }> {
  const apartMs = (tokens * TOKEN_MS) / streams;
  const before = cpuMicroseconds(program);
  const times = await Promise.all(
    Array.from({ length: streams }, async (_, index) => {
      await delay(index * apartMs);
      await readStream(nextCall());
      const counted = await readStream(nextCall());
      await readStream(nextCall());
      return counted;
    }),
  );
  const after = cpuMicroseconds(program);
  return { times, cpu: before === null || after === null ? null : after - before };
}

/** So many streams that begin in the same instant. */
export function runBurst({ nextCall }: Side, streams: number): Promise<StreamTimes[]> {
  return Promise.all(Array.from({ length: streams }, nextCall).map(readStream));
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
