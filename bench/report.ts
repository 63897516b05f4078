// What a run prints: a table for each scenario, and each target with what was reached.

export interface Target {
  readonly name: string;
  readonly reached: number;
  readonly limit: number;
  /** Whether the limit is a least or a most. */
  readonly bound: 'at least' | 'at most';
  readonly unit: string;
  /** How the rounds differed, or what else to know. */
  readonly note?: string;
}

/** What a scenario found. Cells are texts, the first column is a name. */
export interface Findings {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly targets: readonly Target[];
  readonly notes?: readonly string[];
  /** Something was wrong that no slow machine excuses. */
  readonly hasFailed?: boolean;
}

export function number(value: number | null, digits: number): string {
  if (value === null || Number.isNaN(value)) return '–';
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function isReached({ reached, limit, bound }: Target): boolean {
  return bound === 'at least' ? reached >= limit : reached <= limit;
}

export function showFindings(title: string, findings: Findings): string {
  const lines = [title, '', ...table(findings.columns, findings.rows), ''];
  for (const target of findings.targets) lines.push(`  ${targetLine(target)}`);
  for (const note of findings.notes ?? []) lines.push(`  ${note}`);
  return `${lines.join('\n')}\n`;
}

function targetLine(target: Target): string {
  const { name, reached, limit, bound, unit, note } = target;
  const verdict = isReached(target) ? 'ok    ' : 'missed';
  const text = `${verdict}  ${name}: ${number(reached, 2)}${unit} (target: ${bound} ${limit}${unit})`;
  return note === undefined ? text : `${text}; ${note}`;
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, index) => (index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0)))
      .join('  ');
  return [columns, widths.map((width) => '-'.repeat(width)), ...rows].map((cells) => `  ${line(cells)}`);
}
