// Images as clients send them, and what their bytes say that they are.

/** Bare base64: clients have it as a browser (`data:…`) or `base64` (lines of 76) gives it. */
export function plainBase64(image: string): string {
  return image.replace(/^\s*data:[^,]*,/, '').replaceAll(/\s+/g, '');
}

/** The first bytes of a kind of image; a blank stands for any byte. */
const BEGINNINGS: readonly (readonly [type: string, beginning: string])[] = [
  ['image/png', '\x89PNG\r\n\x1a\n'],
  ['image/jpeg', '\xff\xd8\xff'],
  ['image/gif', 'GIF87a'],
  ['image/gif', 'GIF89a'],
  ['image/webp', 'RIFF    WEBP'],
];

/** @returns the type of an image that browsers show without running anything; null for all else */
export function imageTypeOf(bytes: Buffer): string | null {
  const start = bytes.toString('latin1', 0, 16);
  const known = BEGINNINGS.find(([, beginning]) =>
    Array.from(beginning).every((character, at) => character === ' ' || character === start[at]),
  );
  return known?.[0] ?? null;
}

/** @param image bare base64 */
export function toDataUrl(image: string): string {
  const type = imageTypeOf(Buffer.from(image.slice(0, 32), 'base64')) ?? 'image/png';
  return `data:${type};base64,${image}`;
}
