// A real server behind a network that fails as a test plans it, and clients that come through that network.
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { createMochi, type Mochi, type MochiOptions } from '../../src/client/index.ts';
import { type CuttingProxy, startCuttingProxy } from '../support/cutting-proxy.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { behave } from '../turns/behave.ts';

interface FlakyWorld {
  readonly server: TestServer;
  readonly proxy: CuttingProxy;
  /** Of this test. */
  readonly sessionId: string;
  /** Quick where the defaults are patient. */
  mochi(options?: MochiOptions): Mochi;
}

/** One for a file of tests, each of which begins with a whole network and a new session. */
export function flakyWorld(): FlakyWorld {
  let server: TestServer;
  let proxy: CuttingProxy;
  let sessionId: string;
  beforeAll(async () => {
    server = await startTestServer();
    server.ollama.setDefault(behave);
    proxy = await startCuttingProxy(server.url);
  });
  afterAll(async () => {
    await proxy.close();
    await server.close();
  });
  beforeEach(async () => {
    proxy.plan();
    proxy.redirect(server.url);
    sessionId = await server.createSession();
  });
  return {
    get server() {
      return server;
    },
    get proxy() {
      return proxy;
    },
    get sessionId() {
      return sessionId;
    },
    mochi: (options = {}) =>
      createMochi({ baseUrl: proxy.url, ...options, retry: { firstDelayMs: 10, ...options.retry } }),
  };
}
