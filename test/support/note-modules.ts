// Loaded before a program (`node --import`): writes down every file that it loads as a module, ours and those of packages.
import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const loaded = new Set<string>();
registerHooks({
  load(url, context, next) {
    if (!url.startsWith('node:')) loaded.add(url);
    return next(url, context);
  },
});
const file = process.env['LOADED_MODULES'];
process.once('exit', () => {
  if (file !== undefined) writeFileSync(file, JSON.stringify([...loaded]));
});
