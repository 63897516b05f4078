import { cpSync } from 'node:fs';

// Workers of Python groups are started from sources of ours, which no compiler carries to dist/.
const inRepository = (path: string) => new URL(`../${path}/tools/groups/python`, import.meta.url);
cpSync(inRepository('src'), inRepository('dist'), {
  recursive: true,
  filter: (path) => !path.includes('__pycache__'),
});
