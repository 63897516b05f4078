// What a system prompt file may be called.
import { MochiError } from '../contract/errors.ts';
import { cutText } from '../kit/whole-characters.ts';

/** What file systems take at most, in bytes. */
const MAX_BYTES = 255;
/** How much of a name an error repeats. */
const SHOWN_LENGTH = 200;

/** @returns why the name cannot be one, as "must …"; null for a name that can */
export function promptNameFault(name: string): string | null {
  if (!name.endsWith('.md') || name.length < 4) return 'must end in .md';
  if (/[/\\]/.test(name)) return 'must not hold / or \\';
  if (name.startsWith('.')) return 'must not begin with a dot';
  if (/\p{Cc}/u.test(name)) return 'must not hold control characters';
  if (!name.isWellFormed()) return 'must be text';
  if (Buffer.byteLength(name.normalize('NFC')) > MAX_BYTES) return `must be at most ${MAX_BYTES} bytes long`;
  return null;
}

export function isPromptName(name: string): boolean {
  return promptNameFault(name) === null;
}

/** @throws MochiError invalid_filename */
export function checkPromptName(name: string): void {
  const fault = promptNameFault(name);
  if (fault === null) return;
  throw new MochiError('invalid_filename', `The name of a system prompt file ${fault}.`, {
    filename: shownName(name),
  });
}

/** As an error repeats it: short, and text whatever was sent. */
export function shownName(name: string): string {
  return cutText(name, SHOWN_LENGTH);
}

/**
 * Names that some file system takes for one and the same: letter case and the Unicode form are no difference
 * there. Two such files could not be copied to it.
 */
export function foldName(name: string): string {
  return name.normalize('NFC').toLowerCase();
}
