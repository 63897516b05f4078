// The waiting minute: the embedded engine and its model are being fetched, and the client asks again and again.
import type { MochiError } from '../client/index.ts';
import { createProgressView, type Progress } from './show-progress.ts';
import { sayError } from './terminal.ts';

export interface EngineWait {
  /** How far it is, as the error tells. */
  readonly show: (error: MochiError) => void;
  /** The wait is over: the line is free again. */
  clear(): void;
}

export function showEngineWait(): EngineWait {
  const view = createProgressView();
  let isTold = false;
  return {
    show({ details }) {
      if (!isTold) sayError('The embedded engine is being set up; this happens once.\n');
      isTold = true;
      const progress = toProgress(details['progress']);
      if (progress !== null) view.show(progress);
    },
    clear() {
      if (isTold) view.clear();
      isTold = false;
    },
  };
}

/** What the server tells of the fetching; null before it has begun. */
function toProgress(value: unknown): Progress | null {
  const { status, completed, total } = Object(value);
  if (typeof status !== 'string') return null;
  const bytes = (given: unknown) => (typeof given === 'number' ? given : null);
  return { status, completed: bytes(completed), total: bytes(total) };
}
