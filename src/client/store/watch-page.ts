// Whether anybody looks at the page: one that is looked at again, or has a network again, may have dead connections without
// knowing it; one that nobody looks at gives its own back, since browsers have six for a server.

interface Page {
  readonly document?: {
    readonly hidden: boolean;
    readonly addEventListener: Listen;
    readonly removeEventListener: Listen;
  };
  readonly addEventListener?: Listen;
  readonly removeEventListener?: Listen;
}

type Listen = (name: string, listener: () => void) => void;

interface Watcher {
  readonly onWake: () => void;
  /** It has been hidden for a while. */
  readonly onHidden: () => void;
}

/** @returns what ends it; nothing happens outside of pages */
export function watchPage({ onWake, onHidden }: Watcher, afterMs: number): () => void {
  const page = globalThis as Page;
  const { document } = page;
  if (document === undefined) return () => undefined;
  let hiding: ReturnType<typeof setTimeout> | undefined;
  const look = () => {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(onHidden, afterMs);
  };
  const onChange = () => {
    look();
    if (!document.hidden) onWake();
  };
  look();
  page.addEventListener?.('online', onWake);
  document.addEventListener('visibilitychange', onChange);
  return () => {
    clearTimeout(hiding);
    page.removeEventListener?.('online', onWake);
    document.removeEventListener('visibilitychange', onChange);
  };
}
