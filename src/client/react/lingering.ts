// A store that is there while somebody uses it, and a little longer: what is shown again at once is not read again.

export interface Store<State> {
  getState(): State;
  subscribe(listener: () => void): () => void;
  close(): void;
}

export interface Lingering<State, Opened> {
  readonly subscribe: (listener: () => void) => () => void;
  readonly getState: () => State;
  /** Before anything was read, and where nothing is: on a server that renders. */
  readonly getEmpty: () => State;
  /** The store, opened where it was closed. */
  use(): Opened;
}

const LINGER_MS = 5000;

/** Nothing is opened before somebody subscribes. @param open is told the state that the last one ended with */
export function linger<State, Opened extends Store<State>>(
  open: (last: State) => Opened,
  empty: State,
): Lingering<State, Opened> {
  let opened: Opened | null = null;
  let last = empty;
  let users = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const close = () => {
    last = opened?.getState() ?? last;
    opened?.close();
    opened = null;
  };
  const use = () => {
    opened ??= open(last);
    clearTimeout(timer);
    if (users === 0) timer = setTimeout(close, LINGER_MS);
    return opened;
  };
  return {
    use,
    getState: () => opened?.getState() ?? empty,
    getEmpty: () => empty,
    subscribe(listener) {
      users += 1;
      const unsubscribe = use().subscribe(listener);
      return () => {
        unsubscribe();
        users -= 1;
        if (users === 0) use();
      };
    },
  };
}
