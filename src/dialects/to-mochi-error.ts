// What a turn failed with, as the error that it was.
import { type ErrorBody, kindOf, MochiError } from '../contract/errors.ts';

export function toMochiError({ code, message, details }: ErrorBody): MochiError {
  return new MochiError(kindOf(code) ?? 'internal_error', message, details);
}
