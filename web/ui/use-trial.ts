// What a dialog was asked for: what goes wrong is said in it, where the person looks.
import { useCallback, useState } from 'preact/hooks';
import { isMochiError } from '../../src/client/index.ts';

export function useTrial(): {
  readonly fault: string | null;
  /** @returns whether it went well */
  readonly attempt: (action: () => Promise<unknown>) => Promise<boolean>;
} {
  const [fault, setFault] = useState<string | null>(null);
  const attempt = useCallback(async (action: () => Promise<unknown>) => {
    setFault(null);
    try {
      await action();
      return true;
    } catch (error) {
      if (!isMochiError(error)) throw error;
      setFault(error.message);
      return false;
    }
  }, []);
  return { fault, attempt };
}
