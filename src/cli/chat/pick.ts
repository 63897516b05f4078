// One of several: a list with numbers, a number or words as the answer. Nothing is drawn twice, so it is the same to a
// screen reader, on a slow line and in a log.
import { cutLine } from '../approval-text.ts';
import { say, sayDim, terminalWidth } from '../terminal.ts';
import type { TypedLines } from './typed-lines.ts';

export interface Choice<Item> {
  readonly what: string;
  readonly items: readonly Item[];
  /** In one line. */
  readonly labelOf: (item: Item) => string;
  readonly isCurrent?: (item: Item) => boolean;
  /** Those that have the words; default: whose line has them. */
  readonly search?: (words: string) => Promise<readonly Item[]>;
}

/** So many are shown at once. */
const SHOWN = 15;

/** @returns null: none of them */
export async function pick<Item>(
  typed: TypedLines,
  choice: Choice<Item>,
  signal?: AbortSignal,
): Promise<Item | null> {
  let { items } = choice;
  for (;;) {
    if (items.length === 0) say('Nothing found.\n');
    show(choice, items);
    const answer =
      (await typed.next(`${choice.what}: a number, words to look for, or nothing: `, { signal }))?.trim() ??
      '';
    if (answer === '') return null;
    if (answer.startsWith('/')) {
      typed.putBack(answer);
      return null;
    }
    if (/^\d+$/.test(answer)) {
      const picked = items.slice(0, SHOWN)[Number(answer) - 1];
      if (picked !== undefined) return picked;
      say(`There is no ${answer}.\n`);
      continue;
    }
    items = await find(choice, answer);
    const [only] = items;
    if (items.length === 1 && only !== undefined) return only;
  }
}

function show<Item>({ labelOf, isCurrent }: Choice<Item>, items: readonly Item[]): void {
  const digits = String(Math.min(items.length, SHOWN)).length;
  for (const [index, item] of items.slice(0, SHOWN).entries()) {
    const mark = isCurrent?.(item) ? '*' : ' ';
    say(
      `${cutLine(`${mark}${String(index + 1).padStart(digits)}  ${labelOf(item)}`, terminalWidth() - 1)}\n`,
    );
  }
  if (items.length > SHOWN) sayDim('   … and more\n');
}

async function find<Item>({ items, labelOf, search }: Choice<Item>, words: string): Promise<readonly Item[]> {
  if (search !== undefined) return search(words);
  const wanted = words.toLowerCase().split(/\s+/);
  return items.filter((item) => wanted.every((word) => labelOf(item).toLowerCase().includes(word)));
}
