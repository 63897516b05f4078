// The client's own JSON object on a session.
import { MochiError } from '../contract/errors.ts';

/** API.md §3. */
const MAX_METADATA_BYTES = 16 * 1024;

/** @throws MochiError validation_error */
export function checkMetadata(metadata: Record<string, unknown> | null | undefined): void {
  if (metadata == null) return;
  const bytes = Buffer.byteLength(JSON.stringify(metadata));
  if (bytes <= MAX_METADATA_BYTES) return;
  const message = `must be at most ${MAX_METADATA_BYTES} bytes as JSON, is ${bytes}`;
  throw new MochiError('validation_error', `The request is not valid: /metadata ${message}.`, {
    errors: [{ path: '/metadata', message }],
  });
}
