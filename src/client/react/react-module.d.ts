// All of React that the hooks use: its own types declare names of the browser that other packages declare as well.
declare module 'react' {
  export function useSyncExternalStore<State>(
    subscribe: (listener: () => void) => () => void,
    getState: () => State,
    getStateOfServer?: () => State,
  ): State;
}
