// What a server may send over HTTP in one message: as much as a process may in one line.

const MAX_MESSAGE_BYTES = 10 * 1024 * 1024;

/** As `fetch`; the body fails when a message in it is too long. */
export async function boundedFetch(url: string | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  if (response.body === null) return response;
  // Events come line by line, without end; anything else is one message.
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
  let length = 0;
  const bound = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      const lineEnd = isStream ? chunk.lastIndexOf(10) : -1;
      length = lineEnd < 0 ? length + chunk.length : chunk.length - lineEnd - 1;
      if (length <= MAX_MESSAGE_BYTES) controller.enqueue(chunk);
      else controller.error(new Error('it sent a message of more than 10 MB'));
    },
  });
  return new Response(response.body.pipeThrough(bound), response);
}
