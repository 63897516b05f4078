// A server for the spec of the runtimes, and the network that fails in front of it.
import { type CuttingProxy, startCuttingProxy } from '../../support/cutting-proxy.ts';
import { startTestServer } from '../../support/test-server.ts';
import { behave } from '../../turns/behave.ts';
import type { Servers } from './spec.ts';

export interface World extends Servers {
  close(): Promise<void>;
}

export async function startWorld(): Promise<World> {
  const server = await startTestServer();
  server.ollama.setDefault(behave);
  const proxy: CuttingProxy = await startCuttingProxy(server.url);
  let streams = 0;
  proxy.always((request) => {
    if (!request.includes('/stream')) return {};
    streams += 1;
    return streams % 4 === 3 ? { refuses: true } : { cutAfter: 1500 + (streams % 7) * 300 };
  });
  return {
    direct: server.url,
    flaky: proxy.url,
    async close() {
      await proxy.close();
      await server.close();
    },
  };
}
