// How high the rows of a conversation are: those that were seen by measure, the others by a guess.

/** Of a row, in pixels, until some were measured. */
const FIRST_GUESS = 120;
/** So many rows make a guess, which stays: another one would move everything. */
const ENOUGH = 12;

export class RowHeights {
  readonly #known = new Map<number, number>();
  /** Where rows begin, as far as that is reckoned. */
  #offsets = [0];
  #guess: number | null = null;

  get guess(): number {
    return this.#guess ?? FIRST_GUESS;
  }

  /** @returns whether that is news */
  measure(index: number, height: number): boolean {
    const known = this.#known.get(index);
    if (known !== undefined && Math.abs(known - height) < 0.5) return false;
    this.#known.set(index, height);
    this.#offsets.length = Math.min(this.#offsets.length, index + 1);
    if (this.#guess === null && this.#known.size >= ENOUGH) {
      const heights = [...this.#known.values()];
      this.#guess = heights.reduce((sum, one) => sum + one, 0) / heights.length;
      this.#offsets = [0];
    }
    return true;
  }

  /** Pixels before the row. */
  offsetOf(index: number): number {
    while (this.#offsets.length <= index) {
      const at = this.#offsets.length - 1;
      this.#offsets.push((this.#offsets[at] ?? 0) + (this.#known.get(at) ?? this.guess));
    }
    return this.#offsets[index] ?? 0;
  }

  /** The row that covers the pixel, of so many. */
  indexAt(offset: number, total: number): number {
    let low = 0;
    let high = Math.max(0, total - 1);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.offsetOf(middle) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
