// How far something is: a bar that moves on a terminal, a line now and then elsewhere. On stderr.
import { cutText } from '../kit/whole-characters.ts';
import { sayError, sayInPlace } from './terminal.ts';

export interface Progress {
  readonly status: string;
  /** Bytes; null where nobody knows. */
  readonly completed: number | null;
  readonly total: number | null;
}

export interface ProgressView {
  show(progress: Progress): void;
  /** Nothing more comes: the line is free again. */
  clear(): void;
}

export function createProgressView(): ProgressView {
  if (!process.stderr.isTTY) return { show: createLines(), clear: () => undefined };
  return {
    // The last column stays free: some terminals would begin a new line.
    show: (progress) => sayInPlace(inOneLine(progress, (process.stderr.columns || WIDTH) - 1)),
    clear: () => sayInPlace(''),
  };
}

/** Of a terminal that does not tell. */
const WIDTH = 80;
const BAR = 24;
/** Narrower than this, a bar would leave no room for words. */
const WIDE = 60;
const MB = 1_000_000;

export function inOneLine({ status, completed, total }: Progress, width: number): string {
  const part = completed === null || total === null || total === 0 ? null : completed / total;
  if (part === null) return cut(status, width);
  const filled = Math.min(BAR, Math.round(part * BAR));
  const bar = width < WIDE ? '' : `[${'#'.repeat(filled)}${' '.repeat(BAR - filled)}] `;
  const sizes = width < WIDE ? '' : `${megabytes(completed)} of ${megabytes(total)} MB  `;
  return cut(`${percentOf(part)} ${bar}${sizes}${status}`, width);
}

/** A line for each status, and for each tenth of it. */
function createLines(): (progress: Progress) => void {
  let told = '';
  return ({ status, completed, total }) => {
    const part = completed === null || total === null || total === 0 ? null : completed / total;
    const line = part === null ? status : `${status}: ${Math.floor(part * 10) * 10} %`;
    if (line !== told) sayError(`${line}\n`);
    told = line;
  };
}

function percentOf(part: number): string {
  return `${String(Math.floor(part * 100)).padStart(3)} %`;
}

function megabytes(bytes: number | null): string {
  return ((bytes ?? 0) / MB).toFixed(1);
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${cutText(text, width - 1)}…`;
}
