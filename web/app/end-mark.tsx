// Where the conversation ends: whether one looks at it is told without a measurement.
import { useEffect, useRef } from 'preact/hooks';

/** A little above it is the end as well. */
const NEAR = '0px 0px 24px 0px';

export function EndMark({ onSeen }: { readonly onSeen: (isSeen: boolean) => void }) {
  const mark = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const { current: element } = mark;
    if (element === null) return;
    const sights = new IntersectionObserver((seen) => onSeen(seen.at(-1)?.isIntersecting ?? true), {
      root: element.parentElement,
      rootMargin: NEAR,
    });
    sights.observe(element);
    return () => {
      sights.disconnect();
      onSeen(true);
    };
  }, [onSeen]);
  return <div ref={mark} class="end-mark" aria-hidden="true" />;
}
