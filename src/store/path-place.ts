/** Where a message lies on the path that its session shows. */
export interface PathPlace {
  readonly id: string;
  /** Messages before it; the system message does not count. */
  readonly depth: number;
  /** When it was said, where that is known. */
  readonly at?: string;
}
