import { rmSync } from 'node:fs';

// dist/ holds what the package ships: nothing of an earlier build may stay in it.
rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true });
