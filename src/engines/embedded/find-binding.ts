// Where the native binding is: beside the package, or in the data folder, where it was fetched to.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const BINDING_PACKAGE = 'node-llama-cpp';

export interface FoundBinding {
  /** Absolute path of its entry file. */
  readonly entry: string;
  readonly version: string;
}

/** Where it is fetched to. */
export function engineFolder(dataDir: string): string {
  return join(dataDir, 'engine');
}

/** @returns null when it is nowhere */
export async function findBinding(dataDir: string): Promise<FoundBinding | null> {
  return (await besidePackage()) ?? (await inFolder(engineFolder(dataDir)));
}

/** What the user has installed by hand wins. */
async function besidePackage(): Promise<FoundBinding | null> {
  try {
    const entry = fileURLToPath(import.meta.resolve(BINDING_PACKAGE));
    return await describe(entry);
  } catch {
    return null;
  }
}

/** @param folder the one that has `node_modules` */
export async function inFolder(folder: string): Promise<FoundBinding | null> {
  return describe(join(folder, 'node_modules', BINDING_PACKAGE, 'dist', 'index.js'));
}

async function describe(entry: string): Promise<FoundBinding | null> {
  if (!existsSync(entry)) return null;
  const text = await readFile(join(dirname(entry), '..', 'package.json'), 'utf8').catch(() => '{}');
  const manifest: unknown = JSON.parse(text);
  const { version } = Object(manifest);
  return { entry, version: typeof version === 'string' ? version : 'unknown' };
}
