// `${VAR}`, `${VAR:-default}` and `${env:VAR}` in what the operator wrote about a server.
import { OWN_SECRETS } from '../../kit/own-secrets.ts';
import type { Environment } from '../groups/environment.ts';

/** A text that cannot be expanded: its message names the variable, never a value. */
export class ExpansionFault extends Error {}

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
    // What opens our own server is no business of another one.
    const value = OWN_SECRETS.has(name) ? undefined : environment[name];
    if (value !== undefined && value !== '') {
      onSecret(value);
      return value;
    }
    if (fallback !== undefined) return fallback;
    if (value === '') return value;
    throw new ExpansionFault(`the variable ${name} is not set`);
  });
}
