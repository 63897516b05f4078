// The client as ES modules without imports of packages, but for React in its hooks.
import { fileURLToPath } from 'node:url';
import { build, type OutputChunk } from 'rolldown';

/** Entry of the package → its file. */
export const CLIENT_ENTRIES = {
  index: 'src/client/index.ts',
  store: 'src/client/chat-store.ts',
  react: 'src/client/react.ts',
};

export interface BundleOptions {
  readonly folder: string;
  readonly isMinified: boolean;
  readonly entries?: Readonly<Record<string, string>>;
}

export async function bundleClient(options: BundleOptions): Promise<readonly OutputChunk[]> {
  const { folder, isMinified, entries = CLIENT_ENTRIES } = options;
  const { output } = await build({
    cwd: fileURLToPath(new URL('../', import.meta.url)),
    input: { ...entries },
    platform: 'neutral',
    treeshake: true,
    // Of the one who installs it.
    external: ['react'],
    output: { dir: folder, format: 'esm', minify: isMinified, chunkFileNames: '[name].js' },
  });
  return output.filter((file) => file.type === 'chunk');
}
