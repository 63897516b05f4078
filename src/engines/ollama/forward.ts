// Calls of Ollama's own API, handed through as they are. Nothing of the client's headers goes along: its origin, its host
// and its key are about us.
import { Readable } from 'node:stream';
import type { ForwardedAnswer, ForwardedCall } from '../../contract/engine.ts';
import { unreachable } from './failures.ts';
import type { OllamaHttp } from './ollama-http.ts';

/** @throws MochiError ollama_unreachable; the signal's reason */
export async function forwardCall(
  http: OllamaHttp,
  { method, path, body }: ForwardedCall,
  signal: AbortSignal,
): Promise<ForwardedAnswer> {
  const bytes =
    body === null
      ? {}
      : {
          bytes: {
            type: body.type,
            bytes: typeof body.bytes === 'string' ? body.bytes : Readable.from(body.bytes),
          },
        };
  try {
    const answer = await http.send({ method, path, signal, ...bytes });
    const type = answer.headers['content-type'];
    return {
      status: answer.statusCode,
      contentType: typeof type === 'string' ? type : null,
      body: answer,
    };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw unreachable(error, http.address);
  }
}
