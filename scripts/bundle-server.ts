// What the package runs: the server and what it brings, in few files, so that a start reads little.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type OutputOptions } from 'rolldown';
import { licensesOf } from './bundled-licenses.ts';
import { lateParts } from './late-parts.ts';
import { ownUrls } from './own-urls.ts';

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** What is run or imported by its name: the command, the package, its tools, and each program that is a process of its own. */
const ENTRIES = [
  'bin',
  'index',
  'tools/groups/define-tool',
  'tools/groups/worker',
  'engines/embedded/child',
  'store/erase-deleted',
];

/** The packages of src/kit/late-packages.ts, each a file that is read when it is first needed. */
const LATE = {
  ajv: 'late/ajv.cjs',
  'ajv/dist/2020.js': 'late/ajv-2020.cjs',
  'pg/lib/index.js': 'late/pg.cjs',
  'pg-cursor': 'late/pg-cursor.cjs',
  'pino-pretty': 'late/pino-pretty.cjs',
  re2js: 'late/re2js.cjs',
  yaml: 'late/yaml.cjs',
};

/** Files of the documentation's page, which are read and not run. */
const SWAGGER_UI = '@fastify/swagger-ui/static';
const DOCS_FILES = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'];

const OUTPUT = {
  dir: at('dist'),
  // Names stay: errors are told by theirs, and a trace of the stack says something without a map.
  minify: { mangle: { keepNames: true }, compress: { keepNames: { function: true, class: true } } },
  // One foreign letter would double the memory that the source takes.
  charset: 'ascii',
  // Without the sources themselves: `node --enable-source-maps` names file and line of those in the repository.
  sourcemap: true,
  sourcemapExcludeSources: true,
} satisfies OutputOptions;

const server = await build({
  cwd: at(''),
  input: Object.fromEntries(ENTRIES.map((entry) => [entry, `src/${entry}.ts`])),
  platform: 'node',
  // The first is compiled for each machine, the second the user installs.
  external: ['better-sqlite3', 'node-llama-cpp'],
  plugins: [
    lateParts(),
    ownUrls({
      sources: at('src/'),
      replaced: { ...LATE, [`${SWAGGER_UI}/swagger-ui.css`]: 'docs/swagger-ui.css' },
    }),
  ],
  output: {
    ...OUTPUT,
    format: 'esm',
    chunkFileNames: 'chunks/[name]-[hash].js',
    // Small files that everybody shares, in one.
    codeSplitting: {
      groups: [{ name: 'kit', test: /\/src\/kit\/(?!log\b|compile-schema|node-version|trim-memory)/ }],
    },
  },
});
const late = await build({
  cwd: at(''),
  input: Object.fromEntries(Object.entries(LATE).map(([name, file]) => [file.replace('.cjs', ''), name])),
  platform: 'node',
  output: {
    ...OUTPUT,
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: 'late/[name]-[hash].cjs',
  },
});
mkdirSync(at('dist/docs'), { recursive: true });
for (const name of DOCS_FILES) cpSync(at(`node_modules/${SWAGGER_UI}/${name}`), at(`dist/docs/${name}`));
// Workers of Python groups are started from sources of ours.
cpSync(at('src/tools/groups/python'), at('dist/tools/groups/python'), {
  recursive: true,
  filter: (path) => !path.includes('__pycache__'),
});
const modules = [...server.output, ...late.output].flatMap((file) =>
  file.type === 'chunk' ? file.moduleIds : [],
);
writeFileSync(at('dist/licenses.md'), licensesOf([...modules, at(`node_modules/${SWAGGER_UI}`)]));
