// Writes what is made from the running application's schemas (openapi.json, the types of the client), or checks that
// what is in the repository is current.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { makeDocument } from './make-document.ts';
import { wireTypes } from './wire-types.ts';

const document = (await makeDocument()) as Parameters<typeof wireTypes>[0];
const made = {
  'openapi.json': `${JSON.stringify(document, null, 2)}\n`,
  'src/client/wire.ts': await wireTypes(document),
};
for (const [name, text] of Object.entries(made)) {
  const file = new URL(`../${name}`, import.meta.url);
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    process.stderr.write(`${name} is not current: run npm run openapi\n`);
    process.exitCode = 1;
  }
}
