// For the bundler: each module goes on to find what lies beside it, although its code has moved into another file.
import { type Plugin, RolldownMagicString } from 'rolldown';

/** Stands for the folder of the build until it is known which file the code went into. */
const ROOT = '@@root/';

export interface OwnUrlOptions {
  /** Folder of the sources, with a slash at its end. */
  readonly sources: string;
  /** What `import.meta.resolve` and `require` find in the repository → the file of the build that stands for it. */
  readonly replaced: Readonly<Record<string, string>>;
}

/** `import.meta.url` reads as if every source had been compiled to a file of its own in the folder of the build. */
export function ownUrls({ sources, replaced }: OwnUrlOptions): Plugin {
  return {
    name: 'own-urls',
    transform(code, id) {
      if (!id.startsWith(sources) || !code.includes('import.meta.')) return null;
      const changed = new RolldownMagicString(code);
      const path = id.slice(sources.length);
      changed.replaceAll('import.meta.url', urlOf(path.replace(/\.ts$/, '.js')));
      const up = '../'.repeat(path.split('/').length - 1);
      for (const [name, file] of Object.entries(replaced)) {
        changed.replaceAll(`import.meta.resolve('${name}')`, urlOf(file));
        changed.replaceAll(`require('${name}')`, `require('${up}${file}')`);
      }
      return withMap(changed);
    },
    renderChunk(code, { fileName }) {
      if (!code.includes(ROOT)) return null;
      const depth = fileName.split('/').length - 1;
      return withMap(
        new RolldownMagicString(code).replaceAll(ROOT, depth === 0 ? './' : '../'.repeat(depth)),
      );
    },
  };
}

function urlOf(path: string): string {
  return `new URL(${JSON.stringify(ROOT + path)}, import.meta.url).href`;
}

function withMap(changed: RolldownMagicString) {
  return { code: changed.toString(), map: changed.generateMap({ hires: true }).toString() };
}
