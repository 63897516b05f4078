// The conversation behind `mochi-server chat`: a session of the server, and what is printed of it.
import { showLine } from '../kit/show-controls.ts';
import { ServerAnswerError, type ServerClient } from './server-client.ts';
import { dim, say } from './terminal.ts';
import { waitForEngine } from './wait-for-engine.ts';

interface ConversationOptions {
  /** Null: the server's default. */
  readonly model: string | null;
  readonly thinks: boolean;
}

/** One at a time; every method prints its outcome. @throws ServerAnswerError, TypeError when the server is gone */
export class ChatConversation {
  private readonly client: ServerClient;
  private readonly options: ConversationOptions;
  private sessionId = '';
  private model = '';
  private turnId: string | null = null;
  private readonly leaving = new AbortController();

  constructor(client: ServerClient, options: ConversationOptions) {
    this.client = client;
    this.options = options;
  }

  get description(): string {
    return `Session ${this.sessionId} with ${this.model} at ${this.client.url}`;
  }

  /** @param id null: a new session */
  async open(id: string | null): Promise<void> {
    const session =
      id === null
        ? await this.whenReady(() => this.client.call('POST', '/sessions', { model: this.options.model }))
        : await this.client.call('GET', `/sessions/${encodeURIComponent(id)}`);
    this.sessionId = String(session['session_id']);
    this.model = String(session['model']);
  }

  say(message: string): Promise<void> {
    return this.turn({ message });
  }

  regenerate(): Promise<void> {
    return this.turn({ message: null });
  }

  async edit(content: string): Promise<void> {
    const { messages } = await this.client.call('GET', `/sessions/${this.sessionId}/messages`);
    const roles = Array.isArray(messages) ? messages.map(({ role }: { role: string }) => role) : [];
    const index = roles.lastIndexOf('user');
    if (index === -1) throw new ServerAnswerError('empty_history', 'There is no message to edit yet.');
    await this.client.call('PUT', `/sessions/${this.sessionId}/messages/${index}`, { content });
    await this.turn({ message: null });
  }

  async listSessions(): Promise<void> {
    const { sessions } = await this.client.call('GET', '/sessions?limit=10');
    for (const session of Array.isArray(sessions) ? sessions : []) {
      const { session_id: id, title, preview, message_count: count } = Object(session);
      const mark = id === this.sessionId ? '*' : ' ';
      say(`${mark} ${id}  ${String(count).padStart(4)}  ${showLine(String(title ?? preview))}\n`);
    }
  }

  /** Stops the answer, else the wait for the engine. @returns whether there was an answer to stop */
  stop(): boolean {
    const { turnId } = this;
    if (turnId === null) {
      this.leaving.abort();
      return false;
    }
    void this.client.call('POST', `/turns/${turnId}/cancel`).catch(() => undefined);
    return true;
  }

  private whenReady<T>(run: () => Promise<T>): Promise<T> {
    return waitForEngine(run, this.leaving.signal);
  }

  private async turn(request: Record<string, unknown>): Promise<void> {
    const { thinks } = this.options;
    const body = { ...request, ...(thinks && { think: true }) };
    let isThinking = false;
    const style = (thinking: boolean) => {
      if (thinking !== isThinking) dim(thinking);
      if (!thinking && isThinking) say('\n');
      isThinking = thinking;
    };
    try {
      const stream = () => this.client.stream(`/chat/${this.sessionId}/stream`, body);
      for await (const { event, data } of await this.whenReady(stream)) {
        if (event === 'turn_start') this.turnId = String(data['turn_id']);
        if (event === 'thinking_delta' || event === 'content_delta') {
          style(event === 'thinking_delta');
          say(String(data['content']));
        }
        if (data['finish_reason'] === 'length') say(' (cut: finish_reason length)');
        if (event === 'error') throw new ServerAnswerError(String(data['code']), String(data['message']));
      }
    } catch (error) {
      if (!(error instanceof ServerAnswerError) || error.code !== 'turn_cancelled') throw error;
      say(' (stopped)');
    } finally {
      style(false);
      this.turnId = null;
      say('\n');
    }
  }
}
