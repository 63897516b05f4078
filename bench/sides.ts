// The contenders of a comparison: the bare relay, and a server or two, all in front of one engine.
import { readPlain, type StreamCall } from './load-client.ts';
import { type Program, type ServerKind, startRelay, startServer, temporaryFolder } from './processes.ts';
import { relayCall, serverCall } from './targets.ts';

export interface Server {
  /** `now`, or the commit. */
  readonly name: string;
  readonly kind: ServerKind;
}

export interface Side {
  readonly name: string;
  readonly program: Program;
  readonly nextCall: () => StreamCall;
}

export interface SidesPlan {
  readonly engine: Program;
  readonly model: string;
  /** Of an answer. */
  readonly tokens: number;
  /** How many calls each server will get. */
  readonly calls: number;
}

/** Above the default, so that none of them waits for a slot. */
export const WITHOUT_LIMITS = { MOCHI_MAX_CONCURRENT_TURNS: '10000', MOCHI_ENGINE_PARALLEL: '10000' };
/** Sessions that are made at once. */
const AT_ONCE = 8;

/** The relay first. */
export async function startSides(servers: readonly Server[], plan: SidesPlan): Promise<Side[]> {
  const { engine, model, tokens } = plan;
  const relay = await startRelay(engine.url, 'events');
  const sides: Side[] = [{ name: 'relay', program: relay, nextCall: () => relayCall(relay, model, tokens) }];
  for (const { name, kind } of servers) {
    const program = await startServer({
      kind,
      dataDir: temporaryFolder(),
      ollamaUrl: engine.url,
      env: WITHOUT_LIMITS,
    });
    const sessions = await createSessions(program, plan);
    sides.push({ name, program, nextCall: () => serverCall(program, sessions.pop() ?? '', tokens) });
  }
  return sides;
}

export async function stopSides(sides: readonly Side[]): Promise<void> {
  await Promise.all(sides.map(({ program }) => program.stop()));
}

/** Calls a function for each side, round by round; each round begins with another one. */
export async function inTurn(
  sides: readonly Side[],
  rounds: number,
  run: (side: Side, round: number) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const first = round % sides.length;
    for (const side of [...sides.slice(first), ...sides.slice(0, first)]) await run(side, round);
  }
}

/** Through the API: each server has a database of its own version. */
export async function createSessions(
  { url }: Program,
  { model, calls }: Pick<SidesPlan, 'model' | 'calls'>,
): Promise<string[]> {
  const ids: string[] = [];
  let left = calls;
  const next = async () => {
    while (left > 0) {
      left -= 1;
      const { body } = await readPlain({
        url: `${url}/api/v1/sessions`,
        body: { model: `${model}:latest` },
        status: 201,
      });
      ids.push(JSON.parse(body.toString()).session_id);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  return ids;
}
