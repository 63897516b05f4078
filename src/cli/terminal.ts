// The only place that writes to the terminal. What others said (models, titles, engines) is shown on it, never obeyed.
import { showControls, showLine } from '../kit/show-controls.ts';

/** Writes to stdout. */
export function say(text: string): void {
  process.stdout.write(showControls(text));
}

/** Writes to stdout what a program reads: not a sign of it is another. */
export function sayExactly(text: string): void {
  process.stdout.write(text);
}

/** Calls it when nobody reads stdout any more. @returns what ends that */
export function whenUnread(listener: () => void): () => void {
  process.stdout.once('error', listener);
  return () => process.stdout.off('error', listener);
}

/** Writes to stderr. */
export function sayError(text: string): void {
  process.stderr.write(showControls(text));
}

/** Columns of the terminal on stdout; of none, so many that a line is long, and not endless. */
export function terminalWidth(): number {
  return process.stdout.isTTY ? process.stdout.columns || 80 : 200;
}

/** Rows in columns on stdout. */
export function sayTable(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of rows) {
    const line = row.map((cell, column) => showLine(cell).padEnd(widths[column] ?? 0)).join('  ');
    say(`${line.trimEnd()}\n`);
  }
}

const DIM = '\u001b[2m';
const PLAIN = '\u001b[0m';

/** Makes what follows on stdout dim or plain again, where it is a terminal that can (and NO_COLOR does not forbid it). */
export function dim(isDim: boolean): void {
  if (process.stdout.isTTY && process.stdout.hasColors()) process.stdout.write(isDim ? DIM : PLAIN);
}

/** Replaces the line that stands on the terminal of stderr, so that something can be seen to move. */
export function sayInPlace(text: string): void {
  process.stderr.write(`\r\u001b[K${showControls(text)}`);
}

/** Whether the terminal on stdout is to say where a paste begins and ends. */
export function markPastes(isOn: boolean): void {
  if (process.stdout.isTTY) process.stdout.write(`\u001b[?2004${isOn ? 'h' : 'l'}`);
}
