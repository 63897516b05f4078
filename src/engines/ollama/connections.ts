// Connections to one server: one for each request that is under way, and those that are free are used again.
import { buildConnector, Client, type Dispatcher } from 'undici';

interface ConnectionsOptions {
  readonly origin: URL;
  readonly connectTimeoutMs: number;
  /** The other side has closed one, or could not be connected to. */
  readonly onDeparture: () => void;
}

/**
 * Has a lifetime: that of who asks. Beside undici's own pool: what is closed is not held, however many there were, and to
 * find one takes as long with a thousand of them as with one.
 */
export class Connections {
  readonly #origin: URL;
  readonly #options: Client.Options;
  readonly #onDeparture: () => void;
  readonly #all = new Set<Dispatcher>();
  /** The one that was used last is taken first: the others may rest until they are closed. */
  #free: Dispatcher[] = [];

  constructor({ origin, connectTimeoutMs, onDeparture }: ConnectionsOptions) {
    this.#origin = origin;
    this.#onDeparture = onDeparture;
    this.#options = {
      connect: buildConnector({ timeout: connectTimeoutMs }),
      // No limit on silence here: loading a large model takes minutes. The chat has deadlines of its own.
      headersTimeout: 0,
      bodyTimeout: 0,
      pipelining: 1,
    };
  }

  dispatch(request: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    const connection = this.#free.pop() ?? this.#open();
    connection.dispatch(request, handler);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((connection) => connection.destroy()));
  }

  #open(): Dispatcher {
    const connection = new Client(this.#origin, this.#options);
    this.#all.add(connection);
    // The same for all of them: each tells which one it is.
    connection.on('drain', this.#onFree).on('disconnect', this.#onDisconnect);
    return connection.on('connectionError', this.#onConnectionError);
  }

  // Its types leave out that it tells this of itself, too.
  readonly #onFree = (_origin: URL, [connection]: readonly Dispatcher[] = []): void => {
    if (connection !== undefined && this.#all.has(connection)) this.#free.push(connection);
  };

  readonly #onDisconnect = (_origin: URL, [connection]: readonly Dispatcher[], error: Error): void => {
    // The other side keeps what is idle; what we close ourselves has another code.
    if ('code' in error && error.code === 'UND_ERR_SOCKET') this.#onDeparture();
    this.#retire(connection);
  };

  readonly #onConnectionError = (_origin: URL, [connection]: readonly Dispatcher[]): void => {
    this.#onDeparture();
    this.#retire(connection);
  };

  /** What it has been given and not yet sent is sent by itself. */
  #retire(connection: Dispatcher | undefined): void {
    if (connection === undefined || !this.#all.delete(connection)) return;
    this.#free = this.#free.filter((other) => other !== connection);
    void connection.close().catch(() => undefined);
  }
}
