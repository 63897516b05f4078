// Makes packages/client ready to be published: src/client in one file an entry, with all that it needs, and its types.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleClient } from './bundle-client.ts';

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const versionOf = (path: string): string => JSON.parse(readFileSync(at(path), 'utf8')).version;

if (versionOf('package.json') !== versionOf('packages/client/package.json')) {
  throw new Error('packages/client has the version of the server: write it into its package.json.');
}
const folder = at('packages/client/dist');
rmSync(folder, { recursive: true, force: true });
await bundleClient({ folder, isMinified: false });
execFileSync(process.execPath, [at('node_modules/typescript/bin/tsc'), '-p', at('packages/client')], {
  stdio: 'inherit',
});
