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

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** Of the terminal on stdout. */
export function screenSize(): ScreenSize {
  return { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 };
}

/** Writes to stdout what is to be obeyed: sequences of ours, around texts that were made harmless. */
export function draw(sequence: string): void {
  if (sequence !== '') process.stdout.write(sequence);
}

/** Whether there is a terminal on stdout that shows looks, and NO_COLOR does not forbid them. */
export function isStyled(): boolean {
  return process.stdout.isTTY && process.stdout.hasColors();
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
function dim(isDim: boolean): void {
  if (isStyled()) process.stdout.write(isDim ? DIM : PLAIN);
}

/** The same in the look of what is not to stay; empty: the line is free. */
export function sayStatus(text: string): void {
  const looks = process.stderr.isTTY && process.stderr.hasColors() && text !== '';
  process.stderr.write(`\r\u001b[K${looks ? DIM : ''}${showLine(text)}${looks ? PLAIN : ''}`);
}

/** Replaces the line that stands on the terminal of stderr, so that something can be seen to move. */
export function sayInPlace(text: string): void {
  process.stderr.write(`\r\u001b[K${showControls(text)}`);
}

/** Dim where looks are shown; in lines of their own. */
export function sayDim(text: string): void {
  dim(true);
  say(text);
  dim(false);
}

/** Has the terminal copy a text; most can, and all that cannot ignore it. */
export function copyText(text: string): void {
  process.stdout.write(`\u001b]52;c;${Buffer.from(text).toString('base64')}\u0007`);
}

/** Rings, and says it in the title of the window, whose former one is kept. */
export function callBack(title: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\u001b[22;2t\u001b]2;${showLine(title)}\u0007\u0007`);
}

/** The title is as it was. */
export function restoreTitle(): void {
  if (process.stdout.isTTY) process.stdout.write('\u001b[23;2t');
}

/** Whether the terminal on stdout is to say where a paste begins and ends. */
export function markPastes(isOn: boolean): void {
  if (process.stdout.isTTY) process.stdout.write(`\u001b[?2004${isOn ? 'h' : 'l'}`);
}
