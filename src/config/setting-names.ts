// What a setting is called outside the code.
import type { Setting } from './setting.ts';

/** maxBodyBytes → MOCHI_MAX_BODY_BYTES */
export function variableName(key: string): string {
  return `MOCHI_${key.replace(/[A-Z]/g, '_$&').toUpperCase()}`;
}

/** maxBodyBytes → --max-body-bytes */
export function flagName(key: string): string {
  return `--${key.replace(/[A-Z]/g, '-$&').toLowerCase()}`;
}

/** The flag with its value, as commander and people read it; undefined for a setting without flag. */
export function flagUsage(key: string, setting: Setting<unknown>): string | undefined {
  switch (setting.flag) {
    case 'none':
      return undefined;
    case 'switch':
      return flagName(key);
    default:
      return `${flagName(key)} <${setting.parser.valueName}>`;
  }
}

/** The default as one would write it; undefined when there is nothing to write. */
export function shownDefault(setting: Setting<unknown>): string | undefined {
  const { default: value } = setting;
  if (value === null || Array.isArray(value)) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
