// The client's own JSON object on a session.
import { invalidField } from '../contract/errors.ts';

/** API.md §3. */
const MAX_METADATA_BYTES = 16 * 1024;

/** @throws MochiError validation_error */
export function checkMetadata(metadata: Record<string, unknown> | null | undefined): void {
  if (metadata == null) return;
  if (isMetadata(metadata)) return;
  throw invalidField(
    '/metadata',
    `must be at most ${MAX_METADATA_BYTES} bytes as JSON, is ${bytesOf(metadata)}`,
  );
}

/** Whether an object is small enough. */
export function isMetadata(metadata: Record<string, unknown>): boolean {
  return bytesOf(metadata) <= MAX_METADATA_BYTES;
}

function bytesOf(metadata: Record<string, unknown>): number {
  return Buffer.byteLength(JSON.stringify(metadata));
}
