// Whether the view follows what is written: only where a person has left it at the end.
import { useCallback, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** From the end, in pixels. */
const END = 8;
const UPWARD_KEYS = new Set(['ArrowUp', 'PageUp', 'Home']);

interface Follow {
  readonly isFollowing: boolean;
  /** The same, of this very moment. */
  readonly follows: () => boolean;
  /** Goes to the end where it follows. */
  readonly stay: () => void;
  readonly toEnd: () => void;
  /** The view goes elsewhere. */
  readonly leave: () => void;
}

/** @param place what is shown; another one begins at its end */
export function useFollow(
  scroller: { readonly current: HTMLDivElement | null },
  place: string | null,
): Follow {
  const [isFollowing, setFollowing] = useState(true);
  const follows = useRef(true);
  const follow = useCallback((isOn: boolean) => {
    follows.current = isOn;
    setFollowing(isOn);
  }, []);
  const lastTop = useRef(0);
  const stay = useCallback(() => {
    const element = scroller.current;
    if (element === null || !follows.current) return;
    element.scrollTop = element.scrollHeight;
    lastTop.current = element.scrollTop;
  }, [scroller]);
  const toEnd = useCallback(() => {
    follow(true);
    stay();
  }, [follow, stay]);
  // At once: a person may scroll before the next frame.
  useLayoutEffect(toEnd, [toEnd, place]);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const away = new AbortController();
    const options = { passive: true, signal: away.signal } as const;
    const goUp = () => element.scrollHeight > element.clientHeight && follow(false);
    let touchedAt = 0;
    element.addEventListener('wheel', (event) => event.deltaY < 0 && goUp(), options);
    element.addEventListener(
      'touchstart',
      ({ touches: [touch] }) => {
        touchedAt = touch?.clientY ?? 0;
      },
      options,
    );
    element.addEventListener(
      'touchmove',
      ({ touches: [touch] }) => (touch?.clientY ?? 0) > touchedAt && goUp(),
      options,
    );
    element.addEventListener('keydown', ({ key }) => UPWARD_KEYS.has(key) && goUp(), options);
    document.addEventListener(
      'selectionchange',
      () => {
        const selection = document.getSelection();
        if (selection?.isCollapsed === false && element.contains(selection.anchorNode)) goUp();
      },
      options,
    );
    element.addEventListener(
      'scroll',
      () => {
        const { scrollTop, scrollHeight, clientHeight } = element;
        const isAtEnd = scrollHeight - scrollTop - clientHeight <= END;
        // Told late of where it was, it has not come back to the end.
        if (isAtEnd && scrollTop > lastTop.current) follow(true);
        // The bar was dragged, or something else went up: no growth of the text does.
        else if (!isAtEnd && scrollTop < lastTop.current - END) follow(false);
        lastTop.current = scrollTop;
      },
      options,
    );
    const sizes = new ResizeObserver(stay);
    sizes.observe(element);
    const observeContent = () => {
      for (const child of element.children) sizes.observe(child);
    };
    const contents = new MutationObserver(observeContent);
    contents.observe(element, { childList: true });
    observeContent();
    return () => {
      away.abort();
      sizes.disconnect();
      contents.disconnect();
    };
  }, [follow, stay, scroller, place]);
  const leave = useCallback(() => follow(false), [follow]);
  const isOn = useCallback(() => follows.current, []);
  return { isFollowing, follows: isOn, stay, toEnd, leave };
}
