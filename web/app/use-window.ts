// Which rows of a long conversation are in the page: those in sight and around it. What is in sight stays where it is,
// whatever comes above it, grows or shrinks.
import { useCallback, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { RowHeights } from '../lib/row-heights.ts';

/** Up to so many are all in the page: the browser finds, selects and prints what is in it. */
const ALL = 150;
/** Beyond what is in sight, in pixels. */
const AROUND = 1000;
/** Rows come and go by so many. */
const STEP = 5;
/** At the end there are always so many. */
const LEAST = 10;

interface WindowOptions {
  readonly scroller: { readonly current: HTMLDivElement | null };
  /** Another one begins anew, at its end. */
  readonly place: string | null;
  readonly total: number;
  readonly isFollowing: () => boolean;
  /** Goes to the end. */
  readonly stay: () => void;
}

export interface RowWindow {
  /** The first row that is in the page, and the one after the last. */
  readonly from: number;
  readonly to: number;
  /** Pixels of the rows before and after them. */
  readonly above: number;
  readonly below: number;
  /** Of a row that was not read, in pixels. */
  readonly guess: number;
  /** Brings a row into sight, which may not have been read yet. */
  readonly jump: (index: number) => void;
}

/** A row, and how far below the upper edge of the view it begins. */
interface Anchor {
  readonly index: number;
  readonly top: number;
  /** It is on its way into sight: nothing else is held on to before it has come. */
  readonly isTarget: boolean;
}

export function useWindow({ scroller, place, total, isFollowing, stay }: WindowOptions): RowWindow {
  const heights = useRef(new RowHeights());
  const anchor = useRef<Anchor | null>(null);
  const lastTop = useRef(0);
  const [, setRendered] = useState(0);
  const shownPlace = useRef(place);
  if (shownPlace.current !== place) {
    shownPlace.current = place;
    heights.current = new RowHeights();
    anchor.current = null;
  }
  const again = useCallback(() => setRendered((count) => count + 1), []);

  const range = useRef({ from: 0, to: 0 });
  range.current = rangeOf(heights.current, { total, isAtEnd: isFollowing(), element: scroller.current });
  const { from, to } = range.current;

  const settle = useCallback(() => {
    const element = scroller.current;
    if (element === null) return;
    const isNew = measureRows(element, heights.current);
    if (isFollowing()) stay();
    else if (anchor.current?.isTarget === true || element.scrollTop === lastTop.current)
      anchor.current = hold(element, anchor.current, heights.current);
    // It was moved meanwhile, and the event of that is on its way.
    else anchor.current = firstInSight(element);
    lastTop.current = element.scrollTop;
    if (isNew) again();
  }, [again, isFollowing, stay, scroller]);
  useLayoutEffect(settle);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const away = new AbortController();
    const options = { passive: true, signal: away.signal } as const;
    const onScroll = () => {
      lastTop.current = element.scrollTop;
      if (anchor.current?.isTarget !== true) anchor.current = firstInSight(element);
      const next = rangeOf(heights.current, { total, isAtEnd: isFollowing(), element });
      if (next.from !== range.current.from || next.to !== range.current.to) again();
    };
    // Whoever takes the view into their own hands has no use for a jump.
    const release = () => {
      if (anchor.current?.isTarget === true) anchor.current = firstInSight(element);
    };
    element.addEventListener('scroll', onScroll, options);
    for (const name of ['wheel', 'touchmove', 'keydown', 'pointerdown'] as const)
      element.addEventListener(name, release, options);
    const sizes = new ResizeObserver(settle);
    sizes.observe(element);
    for (const child of element.children) sizes.observe(child);
    return () => {
      away.abort();
      sizes.disconnect();
    };
  }, [scroller, place, total, settle, again, isFollowing]);

  const jump = useCallback(
    (index: number) => {
      const element = scroller.current;
      if (element === null) return;
      anchor.current = { index, top: element.clientHeight / 3, isTarget: true };
      element.scrollTop = heights.current.offsetOf(index) - element.clientHeight / 3;
      again();
    },
    [again, scroller],
  );
  const offsetOf = (index: number) => heights.current.offsetOf(index);
  return {
    from,
    to,
    above: offsetOf(from),
    below: offsetOf(total) - offsetOf(to),
    guess: heights.current.guess,
    jump,
  };
}

interface View {
  readonly total: number;
  readonly isAtEnd: boolean;
  readonly element: HTMLDivElement | null;
}

function rangeOf(heights: RowHeights, { total, isAtEnd, element }: View): { from: number; to: number } {
  if (total <= ALL) return { from: 0, to: total };
  const height = element?.clientHeight ?? 0;
  const top = isAtEnd || element === null ? heights.offsetOf(total) - height : element.scrollTop;
  const first = heights.indexAt(top - AROUND, total);
  const last = heights.indexAt(top + height + AROUND, total);
  return {
    from: Math.max(0, Math.min(Math.floor(first / STEP) * STEP, total - LEAST)),
    to: Math.min(total, Math.ceil((last + 1) / STEP) * STEP),
  };
}

function measureRows(element: HTMLElement, heights: RowHeights): boolean {
  let isNew = false;
  for (const row of rowsIn(element)) {
    if (row.dataset['unread'] === undefined)
      isNew = heights.measure(indexOf(row), row.getBoundingClientRect().height) || isNew;
  }
  return isNew;
}

/** Puts the row back to where it was. @returns what is to be held from now on */
function hold(element: HTMLElement, anchor: Anchor | null, heights: RowHeights): Anchor | null {
  if (anchor === null) return firstInSight(element);
  const row = element.querySelector<HTMLElement>(`[data-index="${anchor.index}"]`);
  if (row === null) {
    if (anchor.isTarget) element.scrollTop = heights.offsetOf(anchor.index) - anchor.top;
    return anchor;
  }
  const moved = topIn(element, row) - anchor.top;
  if (Math.abs(moved) >= 1) element.scrollTop += moved;
  const hasCome = anchor.isTarget && row.dataset['unread'] === undefined;
  return !anchor.isTarget || hasCome ? firstInSight(element) : anchor;
}

function firstInSight(element: HTMLElement): Anchor | null {
  const edge = element.getBoundingClientRect().top;
  const row = rowsIn(element).find((one) => one.getBoundingClientRect().bottom > edge);
  return row === undefined ? null : { index: indexOf(row), top: topIn(element, row), isTarget: false };
}

function topIn(element: HTMLElement, row: HTMLElement): number {
  return row.getBoundingClientRect().top - element.getBoundingClientRect().top;
}

function rowsIn(element: HTMLElement): HTMLElement[] {
  return [...element.querySelectorAll<HTMLElement>('.place')];
}

function indexOf(row: HTMLElement): number {
  return Number(row.dataset['index']);
}
