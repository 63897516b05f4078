// `${VAR}`, `${VAR:-default}` and `${env:VAR}` in what the operator wrote about a server.
import type { Environment } from '../groups/environment.ts';

/** A text that cannot be expanded: its message names the variable, never a value. */
export class ExpansionFault extends Error {}

/** Keys of our own clients are no business of a server. */
const NEVER = 'MOCHI_API_KEYS';

/**
 * @param onSecret called with each value that came out of the environment
 * @throws ExpansionFault
 */
export function expandVariables(
  text: string,
  environment: Environment,
  onSecret: (value: string) => void,
): string {
  return text.replace(/\$\{([^}]*)\}/g, (whole, inside: string) => {
    if (inside.startsWith('input:')) {
      throw new ExpansionFault(`${whole} asks for an input, and nobody is asked here: use a variable`);
    }
    const parts = /^(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inside);
    if (parts === null) throw new ExpansionFault(`${whole} is not understood: write \${NAME}`);
    const [, name = '', fallback] = parts;
    const value = name === NEVER ? undefined : environment[name];
    if (value !== undefined && value !== '') {
      onSecret(value);
      return value;
    }
    if (fallback !== undefined) return fallback;
    if (value === '') return value;
    throw new ExpansionFault(`the variable ${name} is not set`);
  });
}
