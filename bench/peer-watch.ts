// What it costs to watch a turn at another server than the one that drives it: the same tokens, read at both.
import { setTimeout } from 'node:timers/promises';
import { readPlain } from './load-client.ts';
import { DelayRecorder, openStream, startEngine } from './load-streams.ts';
import type { SharedDatabase } from './shared-database.ts';
import { createSessions } from './sides.ts';

const SETTLE_MS = 2000;

/** Milliseconds from the engine's send to the client's read. */
export interface WatchDelays {
  readonly driver: readonly number[];
  readonly peer: readonly number[];
}

export async function measurePeerWatch(
  database: SharedDatabase,
  { turns, seconds }: { readonly turns: number; readonly seconds: number },
): Promise<WatchDelays> {
  const engine = await startEngine();
  const [driver, peer] = await Promise.all([database.startServer(engine), database.startServer(engine)]);
  const [atDriver, atPeer] = [new DelayRecorder(), new DelayRecorder()];
  const open: { close(): Promise<void> }[] = [];
  for (const id of await createSessions(driver, { model: 'endless', calls: turns })) {
    const body = { message: 'Go on.' };
    open.push(await openStream({ url: `${driver.url}/api/v1/chat/${id}/stream`, body }, atDriver));
    const session = await readPlain({ url: `${peer.url}/api/v1/sessions/${id}` });
    const { active_turn: turnId } = JSON.parse(session.body.toString());
    open.push(await openStream({ url: `${peer.url}/api/v1/turns/${turnId}/stream` }, atPeer));
  }
  await setTimeout(SETTLE_MS);
  atDriver.isOn = atPeer.isOn = true;
  await setTimeout(seconds * 1000);
  atDriver.isOn = atPeer.isOn = false;
  await Promise.all(open.map((stream) => stream.close()));
  await Promise.all([driver, peer].map((server) => server.stop()));
  await engine.stop();
  return { driver: atDriver.delays, peer: atPeer.delays };
}
