// Errors as Ollama's clients read them: of everything below /api that is not ours.
import type { MochiError } from '../../contract/errors.ts';
import type { ToldError } from '../dialect.ts';
import { textField } from '../error-details.ts';

export function tellOllamaError(error: MochiError): ToldError {
  const { kind, status, message, details } = error;
  switch (kind) {
    case 'not_found':
      return { status, body: '404 page not found' };
    case 'method_not_allowed':
      return { status, body: '405 method not allowed' };
    case 'model_not_found':
    case 'model_unusable': {
      const model = textField(details, 'model');
      return { status: 404, body: { error: model === null ? message : `model '${model}' not found` } };
    }
    case 'validation_error':
    case 'idempotency_mismatch':
      return { status: 400, body: { error: message } };
    default:
      return { status, body: { error: message } };
  }
}
