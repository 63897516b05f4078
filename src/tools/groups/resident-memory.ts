// The memory that a process and its children hold, looked at now and then: a limit for the heap of Node does not bound
// its buffers, and Python has none. Linux tells; elsewhere only the limits inside the worker count.
import { readFileSync } from 'node:fs';

const LOOKS_MS = 500;

/** @param onOver called once at most. @returns what stops the watch */
export function watchMemory(pid: number | undefined, limitBytes: number, onOver: () => void): () => void {
  if (pid === undefined || process.platform !== 'linux') return () => undefined;
  const timer = setInterval(() => {
    if ((residentBytes(pid) ?? 0) <= limitBytes) return;
    clearInterval(timer);
    onOver();
  }, LOOKS_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** @returns bytes; null where it cannot be told */
function residentBytes(pid: number): number | null {
  const own = ownBytes(pid);
  if (own === null) return null;
  return childrenOf(pid).reduce((sum, child) => sum + (residentBytes(child) ?? 0), own);
}

function ownBytes(pid: number): number | null {
  const found = /^VmRSS:\s*(\d+) kB/m.exec(readProc(`${pid}/status`));
  return found === null ? null : Number(found[1]) * 1024;
}

function childrenOf(pid: number): readonly number[] {
  return readProc(`${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
}

function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'latin1');
  } catch {
    return '';
  }
}
