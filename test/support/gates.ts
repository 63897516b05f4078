// Answers of the fake Ollama that are held until a test lets them go on, or ends.
import { afterEach } from 'vitest';

export interface Gate {
  /** Resolves when it is opened. */
  readonly opened: Promise<void>;
  open(): void;
}

export interface Gates {
  make(): Gate;
  openAll(): void;
}

/** For the tests of one file. */
export function useGates(): Gates {
  const gates: Gate[] = [];
  const openAll = () => {
    for (const gate of gates.splice(0)) gate.open();
  };
  afterEach(openAll);
  return {
    make() {
      const { promise, resolve } = Promise.withResolvers<void>();
      const gate = { opened: promise, open: resolve };
      gates.push(gate);
      return gate;
    },
    openAll,
  };
}
