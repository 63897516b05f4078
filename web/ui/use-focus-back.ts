// A form that opens in a place of the page gives the focus back to it when it closes.
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** @returns for the place, which must be one that can have the focus */
export function useFocusBack<E extends HTMLElement>(isOpen: boolean): RefObject<E | null> {
  const place = useRef<E>(null);
  const wasOpen = useRef(isOpen);
  useEffect(() => {
    // Whoever has gone elsewhere meanwhile stays there.
    if (wasOpen.current && !isOpen && document.activeElement === document.body)
      place.current?.focus({ preventScroll: true });
    wasOpen.current = isOpen;
  }, [isOpen]);
  return place;
}
