// A front end as most are: it keeps the conversation itself, and sends all of it each time.
import { expect } from 'vitest';

export interface ChatTurn {
  readonly status: number;
  readonly headers: Headers;
  readonly body: any;
  /** Of the session that it was stored in; null: none. */
  readonly sessionId: string | null;
}

export interface ChatMessage {
  readonly role: string;
  readonly content?: unknown;
  readonly tool_calls?: unknown;
  readonly tool_call_id?: string;
}

/** Sends Chat Completions. @param session the name in the header; null: none */
export async function complete(
  server: { readonly url: string },
  session: string | null,
  body: { readonly messages: readonly ChatMessage[]; readonly [field: string]: unknown },
  headers: Readonly<Record<string, string>> = {},
): Promise<ChatTurn> {
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { ...headers, ...(session !== null && { 'x-mochi-session': session }) },
    body: JSON.stringify({ model: 'llama3.2', ...body }),
  });
  const { status } = response;
  return {
    status,
    headers: response.headers,
    body: await response.json(),
    sessionId: response.headers.get('x-mochi-session'),
  };
}

export const user = (content: string): ChatMessage => ({ role: 'user', content });

/** The answer as the front end keeps it. */
export function answered({ status, body }: ChatTurn): ChatMessage {
  expect([status, body.error]).toEqual([200, undefined]);
  return body.choices[0].message;
}
