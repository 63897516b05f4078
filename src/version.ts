// The version, from the one place that has it.
import { readFileSync } from 'node:fs';

/** package.json lies beside src/ as it lies beside dist/. */
const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

export const VERSION =
  typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : '0.0.0';
