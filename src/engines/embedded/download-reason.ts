// Why a download failed, in plain words.
import { connectionReason } from '../connection-reason.ts';

/** @param error what fetch, a file or we ourselves have thrown */
export function downloadReason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  if (error.cause instanceof Error) return fromConnection(error.cause);
  if (error.name === 'TimeoutError') return 'no answer in time';
  if (!('code' in error)) return error.message;
  return error.code === 'ENOSPC' ? 'the disk is full' : `the file cannot be written (${String(error.code)})`;
}

function fromConnection(error: Error): string {
  const { cause, text, advice } = connectionReason(error);
  // Whether a hub runs is nothing that the user could look at.
  return cause === 'certificate' && advice !== '' ? `${text}. ${advice.replace(/\.$/, '')}` : text;
}
