// A frame of a dialect → text: server-sent events, or lines of JSON.
import type { Frame, ToldStream } from '../../dialects/dialect.ts';
import { jsonLine } from '../../kit/json-line.ts';

type Form = ToldStream['how'];

export const STREAM_TYPES: Readonly<Record<Form, string>> = {
  sse: 'text/event-stream; charset=utf-8',
  ndjson: 'application/x-ndjson',
};

export function toText({ event, data }: Frame, form: Form): string {
  const text = typeof data === 'string' ? data : jsonLine(data);
  if (form === 'ndjson') return `${text}\n`;
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${text}\n\n`;
}

/** What says nothing to anybody; null: in that form there is no such thing. */
export function comment(form: Form): string | null {
  return form === 'sse' ? ': ping\n\n' : null;
}
