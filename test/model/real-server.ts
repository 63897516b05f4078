// A server on the real model, in a data folder of its own that borrows what was fetched.
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../src/kit/log.ts';
import { createServer, type Server } from '../../src/server.ts';
import { createClient, type TestClient } from '../support/test-client.ts';
import { isEmbedded, REAL_DATA_DIR, realConfig, realModel, unload } from './real-engine.ts';

export interface RealServer extends TestClient {
  readonly server: Server;
  readonly model: string;
  close(): Promise<void>;
}

export async function startRealServer(flags: Record<string, string> = {}): Promise<RealServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'mochi-real-'));
  if (isEmbedded) {
    for (const name of ['engine', 'models']) await symlink(join(REAL_DATA_DIR, name), join(dataDir, name));
  }
  const server = await createServer(
    realConfig(dataDir, flags),
    createLog({ level: 'fatal', format: 'json' }),
  );
  const url = await server.listen();
  const model = await realModel(server.engine);
  await unload(server.engine, model);
  return {
    ...createClient(() => url),
    server,
    model,
    async close() {
      await server.close();
      await rm(dataDir, { recursive: true });
    },
  };
}
