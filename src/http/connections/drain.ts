// The time between the signal to stop and the closed port: a load balancer sees at `/readyz` that it is to ask others.
import type { Server } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import type { Intake } from '../../chat/intake.ts';

/** Everything is served as before. */
export async function drain(server: Server, intake: Intake, seconds: number): Promise<void> {
  intake.leave();
  // Balancers keep connections: the next request of each is to come on one to another server.
  server.prependListener('request', (_request, answer) => {
    answer.shouldKeepAlive = false;
  });
  await setTimeout(seconds * 1000);
}
