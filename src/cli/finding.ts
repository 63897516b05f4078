// One line of the doctor.

export interface Finding {
  /** note: neither good nor bad. */
  readonly state: 'ok' | 'note' | 'bad';
  readonly text: string;
  /** What to do about it. */
  readonly next?: string;
}
