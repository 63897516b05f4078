// The client's own JSON object on a session.
import { MochiError } from '../contract/errors.ts';

/** API.md §3. */
const MAX_METADATA_BYTES = 16 * 1024;

/** @throws MochiError validation_error */
export function checkMetadata(metadata: Record<string, unknown> | null | undefined): void {
  if (metadata == null) return;
  if (isMetadata(metadata)) return;
  const message = `must be at most ${MAX_METADATA_BYTES} bytes as JSON, is ${bytesOf(metadata)}`;
  throw new MochiError('validation_error', `The request is not valid: /metadata ${message}.`, {
    errors: [{ path: '/metadata', message }],
  });
}

/** Whether an object is small enough. */
export function isMetadata(metadata: Record<string, unknown>): boolean {
  return bytesOf(metadata) <= MAX_METADATA_BYTES;
}

function bytesOf(metadata: Record<string, unknown>): number {
  return Buffer.byteLength(JSON.stringify(metadata));
}
