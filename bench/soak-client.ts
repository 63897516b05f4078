// The client of the soak: connections that it can count, cut and close; every JSON answer is held against the
// OpenAPI document.
import { Agent, type IncomingMessage, request } from 'node:http';
import { expectDescribed } from '../test/support/described.ts';
import { parseEvents, type StreamedEvent } from '../test/support/read-events.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  // biome-ignore lint/suspicious/noExplicitAny: the soak reads what it expects; a wrong guess is a finding.
  readonly body: any;
}

export interface EventAnswer extends Answer {
  /** Ends with the stream, or when it is cut from this side; none unless the status is 200. */
  readonly events: AsyncIterable<StreamedEvent>;
  /** Closes the connection from this side. */
  cut(): void;
}

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export class SoakClient {
  readonly #url: string;
  #agent = new Agent({ keepAlive: true });

  /** @param url of the server, without the prefix of the API */
  constructor(url: string) {
    this.#url = `${url}/api/v1`;
  }

  /** @throws Error when the connection breaks, or the answer is not as it is described */
  async json(call: Call): Promise<Answer> {
    const response = await this.#send(call);
    return this.#read(call, response);
  }

  /** @throws Error as `json` does; its events throw when the connection breaks */
  async events(call: Call): Promise<EventAnswer> {
    const response = await this.#send(call);
    const { statusCode: status = 0, headers } = response;
    if (headers['content-type']?.startsWith('text/event-stream') !== true) {
      return { ...(await this.#read(call, response)), events: none(), cut: () => undefined };
    }
    let isCut = false;
    const events = (async function* () {
      try {
        yield* parseEvents(response.setEncoding('utf8'));
      } catch (error) {
        if (!isCut) throw error;
      }
    })();
    return {
      status,
      headers,
      body: null,
      events,
      cut() {
        isCut = true;
        response.destroy();
      },
    };
  }

  /** Closes every connection; later calls open new ones. */
  close(): void {
    this.#agent.destroy();
    this.#agent = new Agent({ keepAlive: true });
  }

  async #read({ method = 'GET', path }: Call, response: IncomingMessage): Promise<Answer> {
    const { statusCode: status = 0, headers } = response;
    let text = '';
    for await (const part of response.setEncoding('utf8')) text += part;
    const isJson = headers['content-type']?.includes('application/json') ?? false;
    const body: unknown = isJson ? JSON.parse(text) : null;
    await expectDescribed({ method, url: this.#url + path, status, body, isJson });
    return { status, headers, body };
  }

  #send({ method = 'GET', path, body, headers = {} }: Call): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const outgoing = request(this.#url + path, {
        agent: this.#agent,
        method,
        headers: {
          ...headers,
          ...(text !== undefined && {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(text),
          }),
        },
      });
      outgoing.once('error', reject);
      outgoing.once('response', resolve);
      outgoing.end(text);
    });
  }
}

async function* none(): AsyncGenerator<StreamedEvent, void> {}
