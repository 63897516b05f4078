// JSON columns back into values.
import { MochiError } from '../contract/errors.ts';

/** @throws MochiError session_load_error when the text was damaged since */
export function parseStored(text: string): ReturnType<typeof JSON.parse> {
  try {
    return JSON.parse(text);
  } catch {
    throw new MochiError(
      'session_load_error',
      'What is stored is damaged and cannot be read. Check the disk; a backup may have it.',
      { reason: 'damaged_json' },
    );
  }
}
