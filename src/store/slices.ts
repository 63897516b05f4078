// Work in slices: what is done at once is bounded, so that everybody else has a turn in between.

/** A piece of work inside one transaction. */
export const SLICE_ROWS = 128;
/** Of text, about: the search index reads every word of it. */
export const SLICE_BYTES = 128 * 1024;

/** Rows in slices that take about the same time each; one that is larger than a slice stands alone. */
export function* inSlices<T>(rows: Iterable<T>, sizeOf: (row: T) => number): Generator<readonly T[], void> {
  let slice: T[] = [];
  let size = 0;
  for (const row of rows) {
    const added = sizeOf(row);
    if (slice.length > 0 && (slice.length >= SLICE_ROWS || size + added > SLICE_BYTES)) {
      yield slice;
      slice = [];
      size = 0;
    }
    slice.push(row);
    size += added;
  }
  if (slice.length > 0) yield slice;
}

/** How many characters the texts of a row have. */
export function textLength(row: object): number {
  let length = 0;
  for (const value of Object.values(row)) if (typeof value === 'string') length += value.length;
  return length;
}
