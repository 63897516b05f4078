// One line of the doctor.

export interface Finding {
  /** note: neither good nor bad. */
  readonly state: 'ok' | 'note' | 'bad';
  readonly text: string;
  /** What to do about it. */
  readonly next?: string;
}

const MAX_NAMES = 20;

/** Names in one line. */
export function namesText(names: readonly string[]): string {
  const more = names.length - MAX_NAMES;
  return more > 0 ? `${names.slice(0, MAX_NAMES).join(', ')} and ${more} more` : names.join(', ');
}
