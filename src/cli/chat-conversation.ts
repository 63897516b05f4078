// The conversation behind `mochi-server chat`: a session of the server, and what is printed of it.
import { type ChatBody, type Mochi, MochiError, type Turn } from '../client/index.ts';
import { showLine } from '../kit/show-controls.ts';
import { ExitError } from './command.ts';
import { ShownAnswer } from './shown-answer.ts';
import { say } from './terminal.ts';
import { TurnApprovals } from './turn-approvals.ts';
import type { TypedLines } from './typed-lines.ts';
import type { EngineWait } from './wait-for-engine.ts';

interface ConversationOptions {
  /** Null: the server's default. */
  readonly model: string | null;
  readonly thinks: boolean;
  readonly wait: EngineWait;
  /** Who is asked before a tool runs; null: nobody sits here. */
  readonly typed: TypedLines | null;
}

/** As a shell has it for Ctrl-C. */
const INTERRUPTED = 130;
const LISTED_SESSIONS = 10;
/** Looked at, tools and their calls among them, and shown when a session is taken up again. */
const RECENT_MESSAGES = 20;
const SHOWN_MESSAGES = 4;
/** Of each of these. */
const SHOWN_LINES = 20;

/** One at a time; every method prints its outcome. @throws MochiError, ExitError when it was left while it waited */
export class ChatConversation {
  private readonly mochi: Mochi;
  private readonly options: ConversationOptions;
  private sessionId = '';
  private model = '';
  /** That goes on. */
  private turn: Turn | null = null;
  private readonly leaving = new AbortController();

  constructor(mochi: Mochi, options: ConversationOptions) {
    this.mochi = mochi;
    this.options = options;
  }

  get description(): string {
    return `Session ${this.sessionId} with ${this.model} at ${this.mochi.baseUrl}`;
  }

  /** @param id null: a new session */
  async open(id: string | null): Promise<void> {
    const { sessions } = this.mochi;
    const { signal } = this.leaving;
    try {
      const { session_id, model } =
        id === null
          ? await sessions.create({ model: this.options.model }, { signal })
          : await sessions.status(id, { signal });
      this.sessionId = session_id;
      this.model = model;
    } finally {
      this.options.wait.clear();
    }
  }

  say(message: string): Promise<void> {
    return this.answer({ message });
  }

  regenerate(): Promise<void> {
    return this.answer({ message: null });
  }

  async edit(content: string): Promise<void> {
    const { messages } = await this.mochi.messages.list(this.sessionId, { images: 'omit' });
    const last = messages.findLast(({ role }) => role === 'user');
    if (last === undefined)
      throw new MochiError({ code: 'empty_history', message: 'There is no message to edit yet.' });
    await this.answer({ message: content, replaces: last.message_id });
  }

  async openNewest(): Promise<void> {
    const { sessions } = await this.mochi.sessions.list({ limit: 1 });
    await this.open(sessions[0]?.session_id ?? null);
  }

  /** Shows what was said last, and joins the answer that is being written. */
  async resume(): Promise<void> {
    const { active_turn: turnId } = await this.mochi.sessions.status(this.sessionId);
    const { messages } = await this.mochi.messages.list(this.sessionId, {
      from: -RECENT_MESSAGES,
      limit: RECENT_MESSAGES,
      images: 'omit',
    });
    const said = messages.filter(
      ({ role, content, status }) =>
        (role === 'user' || role === 'assistant') && content !== '' && status !== 'streaming',
    );
    for (const { role, content } of said.slice(-SHOWN_MESSAGES)) {
      say(`${role === 'user' ? '> ' : ''}${beginningOf(content)}\n`);
    }
    if (turnId === null) return;
    const { signal } = this.leaving;
    await this.follow(this.mochi.turns.watch(turnId, { signal }));
  }

  async fork(): Promise<void> {
    const { session_id: id } = await this.mochi.sessions.fork(this.sessionId);
    this.sessionId = id;
  }

  async listModels(): Promise<void> {
    const { models } = await this.mochi.models.list();
    for (const { name } of models) say(`${name === this.model ? '*' : ' '} ${showLine(name)}\n`);
  }

  async setModel(name: string): Promise<void> {
    const { model } = await this.mochi.sessions.update(this.sessionId, { model: name });
    this.model = model;
    say(`${this.description}.\n`);
  }

  async listSessions(): Promise<void> {
    const { sessions } = await this.mochi.sessions.list({ limit: LISTED_SESSIONS });
    for (const { session_id: id, title, preview, message_count: count } of sessions) {
      const mark = id === this.sessionId ? '*' : ' ';
      say(`${mark} ${id}  ${String(count).padStart(4)}  ${showLine(title ?? preview)}\n`);
    }
  }

  /** Stops the answer, else the wait for the engine. @returns whether there was an answer to stop */
  stop(): boolean {
    if (this.turn === null) {
      this.leaving.abort(new ExitError(INTERRUPTED));
      return false;
    }
    void this.turn.cancel().catch(() => undefined);
    return true;
  }

  private async answer(request: ChatBody): Promise<void> {
    const { signal } = this.leaving;
    const body = { ...request, think: this.options.thinks };
    await this.follow(this.mochi.chat.stream(this.sessionId, body, { signal }));
  }

  /** To its end. @throws MochiError what it failed with */
  private async follow(turn: Turn): Promise<void> {
    const { wait, typed } = this.options;
    const shown = new ShownAnswer();
    const approvals = new TurnApprovals({ mochi: this.mochi, typed, onLeft: () => this.stop() });
    let failure: MochiError | null = null;
    try {
      for await (const event of turn) {
        if (this.turn === null) wait.clear();
        this.turn = turn;
        if (event.event === 'tool_call_confirmation_required') shown.endLine();
        await approvals.hear(event);
        shown.show(event);
        if (event.event === 'error') failure = new MochiError(event.data);
      }
      if (failure?.code === 'turn_cancelled') say(' (stopped)');
      else if (failure !== null) throw failure;
    } finally {
      wait.clear();
      await approvals.close();
      shown.end();
      this.turn = null;
    }
  }
}

function beginningOf(text: string): string {
  const lines = text.split('\n');
  return lines.length <= SHOWN_LINES ? text : [...lines.slice(0, SHOWN_LINES), '…'].join('\n');
}
