// Whether the view follows what is written: only where a person has left it at the end.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

/** From the end, in pixels. */
const END = 8;
const UPWARD_KEYS = new Set(['ArrowUp', 'PageUp', 'Home']);

/** @param place what is shown; another one begins at its end */
export function useFollow(
  scroller: { readonly current: HTMLDivElement | null },
  place: string | null,
): { readonly isFollowing: boolean; readonly toEnd: () => void } {
  const [isFollowing, setFollowing] = useState(true);
  const follows = useRef(true);
  const follow = useCallback((isOn: boolean) => {
    follows.current = isOn;
    setFollowing(isOn);
  }, []);
  const toEnd = useCallback(() => {
    follow(true);
    const element = scroller.current;
    if (element !== null) element.scrollTop = element.scrollHeight;
  }, [follow, scroller]);
  useEffect(toEnd, [toEnd, place]);
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const away = new AbortController();
    const options = { passive: true, signal: away.signal } as const;
    const leave = () => element.scrollHeight > element.clientHeight && follow(false);
    let touchedAt = 0;
    element.addEventListener('wheel', (event) => event.deltaY < 0 && leave(), options);
    element.addEventListener(
      'touchstart',
      ({ touches: [touch] }) => {
        touchedAt = touch?.clientY ?? 0;
      },
      options,
    );
    element.addEventListener(
      'touchmove',
      ({ touches: [touch] }) => (touch?.clientY ?? 0) > touchedAt && leave(),
      options,
    );
    element.addEventListener('keydown', ({ key }) => UPWARD_KEYS.has(key) && leave(), options);
    document.addEventListener(
      'selectionchange',
      () => {
        const selection = document.getSelection();
        if (selection?.isCollapsed === false && element.contains(selection.anchorNode)) leave();
      },
      options,
    );
    let lastTop = element.scrollTop;
    element.addEventListener(
      'scroll',
      () => {
        const { scrollTop, scrollHeight, clientHeight } = element;
        if (scrollHeight - scrollTop - clientHeight <= END) follow(true);
        // The bar was dragged, or something else went up: no growth of the text does.
        else if (scrollTop < lastTop - END) follow(false);
        lastTop = scrollTop;
      },
      options,
    );
    const stay = () => {
      if (follows.current) element.scrollTop = element.scrollHeight;
    };
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
  }, [follow, scroller, place]);
  return { isFollowing, toEnd };
}
