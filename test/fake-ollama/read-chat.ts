// A plain client for the tests of the fake: posts a chat and tells exactly what arrived.

/** What a chat request got, read by read. */
export type ChatAnswer = {
  readonly status: number;
  readonly contentType: string | null;
  readonly reads: readonly Uint8Array[];
  readonly text: string;
  /** The parsed lines; blank ones and garbage are null. */
  readonly lines: readonly (Record<string, unknown> | null)[];
  /** All contents joined. */
  readonly content: string;
  /** How the reading of the body failed. */
  readonly failure: string | null;
};

/** The usual body of a chat request. */
export function chatBody(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { model: 'llama3.2', messages: [{ role: 'user', content: 'Capital of France?' }], ...changes };
}

/** Posts a chat and reads the answer to its end, failed or not. */
export async function postChat(url: string, changes: Record<string, unknown> = {}): Promise<ChatAnswer> {
  const response = await fetch(`${url}/api/chat`, {
    method: 'POST',
    body: JSON.stringify(chatBody(changes)),
    redirect: 'manual',
  });
  const reads: Uint8Array[] = [];
  let failure: string | null = null;
  try {
    for await (const read of response.body ?? []) reads.push(read);
  } catch (error) {
    failure = String(error);
  }
  const text = Buffer.concat(reads).toString('utf8');
  const lines = text.split('\n').map(parseLine);
  return {
    status: response.status,
    contentType: response.headers.get('content-type'),
    reads,
    text,
    lines,
    content: lines.map((line) => textOf(messageOf(line)?.['content'])).join(''),
    failure,
  };
}

/** The `message` of a line. */
export function messageOf(line: Record<string, unknown> | null | undefined) {
  return line?.['message'] as Record<string, unknown> | undefined;
}

function parseLine(line: string): Record<string, unknown> | null {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
