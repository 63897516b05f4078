// Errors as OpenAI's clients read them: of everything below /v1 that is not Anthropic's.
import type { MochiError } from '../../contract/errors.ts';
import type { ToldError } from '../dialect.ts';
import { firstPath, overflowOf, textField } from '../error-details.ts';

export function tellOpenAiError(error: MochiError): ToldError {
  return { status: statusOf(error), body: toErrorBody(error) };
}

function statusOf({ kind, status }: MochiError): number {
  if (kind === 'validation_error' || kind === 'idempotency_mismatch') return 400;
  return kind === 'model_unusable' ? 404 : status;
}

/** The same in a chunk of a running stream. */
export function toErrorBody(error: MochiError): { readonly error: Readonly<Record<string, string | null>> } {
  return {
    error: {
      message: textOf(error),
      type: error.status >= 500 ? 'server_error' : 'invalid_request_error',
      param: paramOf(error),
      code: codeOf(error),
    },
  };
}

/** Clients look for these very words, to shorten what they send. */
function textOf(error: MochiError): string {
  const overflow = overflowOf(error);
  if (overflow === null) return error.message;
  return `This model's maximum context length is ${overflow.window} tokens. However, your messages resulted in about ${overflow.required} tokens.`;
}

function paramOf({ kind, details }: MochiError): string | null {
  switch (kind) {
    case 'model_not_found':
    case 'model_unusable':
      return 'model';
    case 'unsupported_parameter':
      return textField(details, 'parameter');
    case 'image_url_not_supported':
      return textField(details, 'path');
    default:
      return firstPath(details);
  }
}

const CODES: Readonly<Record<string, string>> = {
  validation_error: 'invalid_request',
  context_overflow: 'context_length_exceeded',
  unauthorized: 'invalid_api_key',
  not_found: 'unknown_url',
};

function codeOf({ kind, code }: MochiError): string {
  return CODES[kind] ?? code;
}
