// For the bundler: what packages load at their start and this server hardly ever needs is loaded where it is needed, or
// left out where it never is.
import { type Plugin, RolldownMagicString } from 'rolldown';

/** End of a path → what stands there → what is read instead. */
const LATE_PARTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '/fastify/lib/server.js': {
    "const https = require('node:https')": `const https = {
      createServer: (...args) => require('node:https').createServer(...args)
    }`,
    "const http2 = require('node:http2')": `const http2 = {
      createServer: (...args) => require('node:http2').createServer(...args),
      createSecureServer: (...args) => require('node:http2').createSecureServer(...args)
    }`,
  },
  '/undici/lib/dispatcher/client.js': {
    "const connectH2 = require('./client-h2.js')":
      "const connectH2 = (...args) => require('./client-h2.js')(...args)",
  },
};

/** What the framework would use if it were not given ours, or if it were tested by itself. */
const UNUSED = ['@fastify/ajv-compiler', '@fastify/fast-json-stringify-compiler', 'light-my-request'];
const STUB = '\0unused';
const STUB_CODE = "module.exports = () => { throw new Error('This is not a part of the bundle.'); };";

/** Of undici the engines need its connections; only the tool that fetches needs all of it. */
const CONNECTIONS = '\0undici-connections';
const CONNECTIONS_CODE = `
  export { default as Client } from 'undici/lib/dispatcher/client.js';
  export { default as buildConnector } from 'undici/lib/core/connect.js';
`;

/** @throws Error when a package has changed, so that nobody believes in what is no longer done */
export function lateParts(): Plugin {
  const waiting = new Set(Object.keys(LATE_PARTS));
  return {
    name: 'late-parts',
    resolveId(name, importer = '') {
      if (UNUSED.includes(name)) return STUB;
      return name === 'undici' && importer.includes('/src/engines/') ? CONNECTIONS : null;
    },
    load(id) {
      if (id === STUB) return STUB_CODE;
      return id === CONNECTIONS ? CONNECTIONS_CODE : null;
    },
    transform(code, id) {
      const found = Object.keys(LATE_PARTS).find((end) => id.endsWith(end));
      if (found === undefined) return null;
      waiting.delete(found);
      const changed = new RolldownMagicString(code);
      for (const [from, to] of Object.entries(LATE_PARTS[found] ?? {})) {
        if (!code.includes(from)) throw new Error(`${id} has changed: there is no ${from}`);
        changed.replace(from, to);
      }
      return { code: changed.toString(), map: changed.generateMap({ hires: true }).toString() };
    },
    buildEnd() {
      if (waiting.size > 0) throw new Error(`Not a part of the bundle: ${[...waiting].join(', ')}`);
    },
  };
}
