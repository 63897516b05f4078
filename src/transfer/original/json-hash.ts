// The hash of a long value as JSON, with rests: sessions are known by it.
import { createHash } from 'node:crypto';
import type { Stretches } from '../../kit/stretches.ts';

/** Entries of a list in one piece. */
const STRETCH = 1000;

/** Of what JSON.stringify makes of it, as it always was. */
export function* jsonHash(content: object): Stretches<string> {
  const hash = createHash('sha256');
  for (const piece of jsonPieces(content)) {
    hash.update(piece);
    yield;
  }
  return hash.digest('hex');
}

function* jsonPieces(content: object): Generator<string, void> {
  let before = '{';
  for (const [key, value] of Object.entries(content)) {
    if (value === undefined) continue;
    yield `${before}${JSON.stringify(key)}:`;
    before = ',';
    if (Array.isArray(value)) yield* listPieces(value);
    else yield JSON.stringify(value);
  }
  yield before === '{' ? '{}' : '}';
}

function* listPieces(items: readonly unknown[]): Generator<string, void> {
  yield '[';
  for (let start = 0; start < items.length; start += STRETCH) {
    const piece = JSON.stringify(items.slice(start, start + STRETCH)).slice(1, -1);
    yield start === 0 ? piece : `,${piece}`;
  }
  yield ']';
}
