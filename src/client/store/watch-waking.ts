// A page that is looked at again, or has a network again: connections that slept may be dead without knowing it.

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

/** @returns what ends it; nothing happens outside of pages */
export function watchWaking(onWake: () => void): () => void {
  const page = globalThis as Page;
  const { document } = page;
  if (document === undefined) return () => undefined;
  const onVisible = () => {
    if (!document.hidden) onWake();
  };
  page.addEventListener?.('online', onWake);
  document.addEventListener('visibilitychange', onVisible);
  return () => {
    page.removeEventListener?.('online', onWake);
    document.removeEventListener('visibilitychange', onVisible);
  };
}
