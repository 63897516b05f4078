// What the details of an error say, for shapes that have a place for it.
import type { MochiError } from '../contract/errors.ts';

type Details = Readonly<Record<string, unknown>>;

/** Where the first value stands that is not as it must be; null: that is not what is wrong. */
export function firstPath({ errors }: Details): string | null {
  if (!Array.isArray(errors)) return null;
  const [first]: unknown[] = errors;
  return typeof first === 'object' && first !== null && 'path' in first && typeof first.path === 'string'
    ? first.path
    : null;
}

export function textField(details: Details, name: string): string | null {
  const value = details[name];
  return typeof value === 'string' ? value : null;
}

/** Of a prompt that does not fit: what it takes, and what there is, in tokens; null: not known. */
export function overflowOf({
  kind,
  details,
}: MochiError): { readonly required: number; readonly window: number } | null {
  const { required_tokens: required, window } = details;
  if (kind !== 'context_overflow' || typeof required !== 'number' || typeof window !== 'number') return null;
  return { required, window };
}
