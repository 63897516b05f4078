// Errors as Anthropic's clients read them: of everything below /v1/messages.
import type { MochiError } from '../../contract/errors.ts';
import type { ToldError } from '../dialect.ts';
import { overflowOf } from '../error-details.ts';

export function tellAnthropicError(error: MochiError, { id }: { readonly id: string }): ToldError {
  return { status: statusOf(error), body: toErrorBody(error, id), headers: { 'request-id': id } };
}

function statusOf({ kind, status }: MochiError): number {
  switch (kind) {
    case 'validation_error':
    case 'idempotency_mismatch':
      return 400;
    case 'model_unusable':
      return 404;
    case 'not_accepting':
    case 'overloaded':
    case 'engine_busy':
      return 529;
    default:
      return status;
  }
}

/** The same in a running stream. */
export function toErrorBody(error: MochiError, requestId: string): object {
  return {
    type: 'error',
    error: { type: typeOf(error), message: textOf(error) },
    request_id: requestId,
  };
}

/** By status; where none is named, what a client did wrong or what went wrong here. */
const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  405: 'not_found_error',
  413: 'request_too_large',
  504: 'timeout_error',
  529: 'overloaded_error',
};

function typeOf(error: MochiError): string {
  const status = statusOf(error);
  return TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
}

/** Clients look for these very words, to shorten what they send. */
function textOf(error: MochiError): string {
  const overflow = overflowOf(error);
  if (overflow === null) return error.message;
  return `prompt is too long: ${overflow.required} tokens > ${overflow.window} maximum`;
}
