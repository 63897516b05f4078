// Keys of a row that has the focus: letters do nothing anywhere else.

const ROWS = '.conversation :is(article.row, .approval)';
const STEPS: Readonly<Record<string, number>> = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };

/** What a key stands for is said by `data-key` of a button in the row. */
export function onRowKey(event: KeyboardEvent): void {
  const row = event.target;
  if (!(row instanceof HTMLElement) || !row.matches(ROWS)) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const step = STEPS[event.key];
  if (step !== undefined) move(row, step);
  else if (event.key === 'Escape') document.querySelector<HTMLElement>('.composer textarea')?.focus();
  else if (event.key === 't') toggle(row);
  else {
    const button = row.querySelector<HTMLButtonElement>(`[data-key="${CSS.escape(event.key)}"]`);
    if (button === null) return;
    button.click();
  }
  event.preventDefault();
}

function move(row: HTMLElement, step: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>(ROWS)];
  rows[rows.indexOf(row) + step]?.focus();
}

function toggle(row: HTMLElement): void {
  for (const thoughts of row.querySelectorAll<HTMLDetailsElement>('details.thoughts'))
    thoughts.open = !thoughts.open;
}
