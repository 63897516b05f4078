// What may be said of a server in `mcp.json`, and what each of it has to be.

export interface Field {
  /** Completes "must be …". */
  readonly words: string;
  readonly fits: (value: unknown) => boolean;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0');
const isFilled = (value: unknown) => isText(value) && value.trim() !== '';

const filled: Field = { words: 'a text that is not empty', fits: isFilled };
const flag: Field = { words: 'true or false', fits: (value) => typeof value === 'boolean' };
const texts: Field = {
  words: 'a list of texts',
  fits: (value) => Array.isArray(value) && value.every(isText),
};
const named: Field = {
  words: 'an object of texts',
  fits: (value) => isObject(value) && Object.values(value).every(isText),
};
const seconds: Field = {
  words: 'a number from 0.1 to 600',
  fits: (value) => typeof value === 'number' && value >= 0.1 && value <= 600,
};

function oneOf(...words: readonly string[]): Field {
  return {
    words: `one of ${words.map((word) => JSON.stringify(word)).join(', ')}`,
    fits: (value) => words.some((word) => word === value),
  };
}

export const FIELDS: Readonly<Record<string, Field>> = {
  type: oneOf('stdio', 'http', 'streamable-http', 'sse'),
  command: filled,
  args: texts,
  env: named,
  cwd: filled,
  url: filled,
  headers: named,
  disabled: flag,
  enabled: flag,
  enabledTools: texts,
  disabledTools: texts,
  trusted: flag,
  timeoutSeconds: seconds,
  startupTimeoutSeconds: seconds,
  protocol: oneOf('auto', '2025', '2026'),
};

export function isKnownField(key: string): boolean {
  return Object.hasOwn(FIELDS, key);
}
