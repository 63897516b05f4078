// How the page is built: `node scripts/page.ts` does it where it is needed.
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** What each file is made of, in bytes before they are made small: for the test of the budget, which names what is large. */
const modules: Plugin = {
  name: 'modules',
  generateBundle(_options, bundle) {
    const chunks = Object.values(bundle).filter((file) => file.type === 'chunk');
    const sizes = chunks.map((chunk) => [
      chunk.fileName,
      Object.entries(chunk.modules).map(([id, { renderedLength }]) => [
        relative(folder('..'), id),
        renderedLength,
      ]),
    ]);
    this.emitFile({
      type: 'asset',
      fileName: 'modules.json',
      source: JSON.stringify(Object.fromEntries(sizes)),
    });
  },
};

export default defineConfig({
  plugins: [modules],
  root: folder('.'),
  // Relative: it works under whatever path a proxy puts it.
  base: './',
  logLevel: 'warn',
  build: {
    outDir: folder('../dist/web'),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    license: { fileName: 'licenses.md' },
    rolldownOptions: { checks: { pluginTimings: false } },
  },
});
