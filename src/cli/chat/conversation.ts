// The conversation behind `mochi-server chat`: a session of the server, its settings at this terminal, and its turns.
import {
  type ChatBody,
  type EngineOptions,
  type Link,
  type Message,
  type Mochi,
  MochiError,
  type Turn,
} from '../../client/index.ts';
import { ExitError } from '../command.ts';
import { LiveText } from '../render/live-text.ts';
import { callBack, restoreTitle, say } from '../terminal.ts';
import { TurnApprovals } from '../turn-approvals.ts';
import type { EngineWait } from '../wait-for-engine.ts';
import { timeText } from './phase-text.ts';
import { type AnswerLook, ShownAnswer } from './shown-answer.ts';
import { StatusLine } from './status-line.ts';
import type { TypedLines } from './typed-lines.ts';

interface ConversationOptions {
  /** Null: the server's default. */
  readonly model: string | null;
  readonly think: Think;
  readonly look: AnswerLook;
  readonly wait: EngineWait;
  /** Who is asked before a tool runs; null: nobody sits here. */
  readonly typed: TypedLines | null;
}

export type Think = boolean | 'low' | 'medium' | 'high';

/** As a shell has it for Ctrl-C. */
const INTERRUPTED = 130;
/** Looked at, tools and their calls among them, and shown when a session is taken up again. */
const RECENT_MESSAGES = 20;
const SHOWN_MESSAGES = 4;
/** Of each of these. */
const SHOWN_LINES = 20;
/** Whoever waited so long may have gone elsewhere. */
const CALL_BACK_MS = 10_000;

/** One thing at a time; every method prints its outcome. @throws MochiError, ExitError when it was left while it waited */
export class Conversation {
  readonly mochi: Mochi;
  readonly #options: ConversationOptions;
  readonly #status = new StatusLine();
  sessionId = '';
  model = '';
  think: Think;
  look: AnswerLook;
  /** Of the turns from here; null: the server's. */
  engineOptions: EngineOptions = {};
  /** Of the last answer. */
  thoughts = '';
  /** That goes on. */
  #turn: Turn | null = null;
  #shown: ShownAnswer | null = null;
  #isStopping = false;
  #hasCalledBack = false;
  readonly #leaving = new AbortController();

  constructor(mochi: Mochi, options: ConversationOptions) {
    this.mochi = mochi;
    this.#options = options;
    this.think = options.think;
    this.look = options.look;
  }

  get description(): string {
    return `Session ${this.sessionId} with ${this.model} at ${this.mochi.baseUrl}`;
  }

  /** @param id null: a new session */
  async open(id: string | null): Promise<void> {
    const { sessions } = this.mochi;
    const { signal } = this.#leaving;
    const { wait, model: wanted } = this.#options;
    try {
      const { session_id, model } =
        id === null
          ? await sessions.create({ model: this.model || wanted }, { signal })
          : await sessions.status(id, { signal });
      this.sessionId = session_id;
      this.model = model;
      this.thoughts = '';
    } finally {
      wait.clear();
    }
  }

  async openNewest(): Promise<void> {
    const { sessions } = await this.mochi.sessions.list({ limit: 1 });
    await this.open(sessions[0]?.session_id ?? null);
  }

  /** Shows what was said last, and joins the answer that is being written. */
  async resume(): Promise<void> {
    const { active_turn: turnId } = await this.mochi.sessions.status(this.sessionId);
    const messages = await this.recentMessages();
    const said = messages.filter(
      ({ role, content, status }) =>
        (role === 'user' || role === 'assistant') && content !== '' && status !== 'streaming',
    );
    for (const message of said.slice(-SHOWN_MESSAGES)) this.#sayAgain(message);
    if (turnId === null) return;
    const { signal } = this.#leaving;
    await this.#follow(this.mochi.turns.watch(turnId, { signal, onLink: this.#onLink }));
  }

  async recentMessages(count = RECENT_MESSAGES): Promise<readonly Message[]> {
    const query = { from: -count, limit: count, images: 'omit' } as const;
    return (await this.mochi.messages.list(this.sessionId, query)).messages;
  }

  /** Answers it, with the settings of this terminal. */
  async ask(request: ChatBody): Promise<void> {
    const { signal } = this.#leaving;
    await this.#follow(
      this.mochi.chat.stream(this.sessionId, this.bodyOf(request), { signal, onLink: this.#onLink }),
    );
  }

  bodyOf(request: ChatBody): ChatBody {
    const hasOptions = Object.keys(this.engineOptions).length > 0;
    return { ...request, think: this.think, ...(hasOptions && { options: this.engineOptions }) };
  }

  get isAnswering(): boolean {
    return this.#turn !== null;
  }

  /** A connection that is there again at once is nobody's concern. */
  readonly #onLink = (link: Link): void => {
    if (link !== 'offline') return;
    this.#shown?.endLine();
    this.#status.show((elapsedMs) => `the connection is lost, trying again${timeText(elapsedMs, null)}…`);
  };

  /** Stops the answer, else the wait for the engine. @returns whether there was an answer to stop */
  stop(): 'stopping' | 'stopped before' | 'nothing' {
    if (this.#turn === null) {
      this.#leaving.abort(new ExitError(INTERRUPTED));
      return 'nothing';
    }
    if (this.#isStopping) return 'stopped before';
    this.#isStopping = true;
    void this.#turn.cancel().catch(() => undefined);
    return 'stopping';
  }

  #sayAgain({ role, content }: Message): void {
    const shown = beginningOf(content);
    if (role === 'user') return say(`> ${shown}\n`);
    if (!this.look.isMarkdown) return say(`${shown}\n`);
    const text = new LiveText();
    text.write(shown);
    text.end();
  }

  /** To its end. @throws MochiError what it failed with */
  async #follow(turn: Turn): Promise<void> {
    const { wait, typed } = this.#options;
    const begun = performance.now();
    const shown = new ShownAnswer(this.look, this.#status);
    this.#shown = shown;
    const approvals = new TurnApprovals({ mochi: this.mochi, typed, onLeft: () => void this.stop() });
    let failure: MochiError | null = null;
    try {
      for await (const event of turn) {
        if (this.#turn === null) wait.clear();
        this.#turn = turn;
        if (event.event === 'tool_call_confirmation_required') shown.endLine();
        await approvals.hear(event);
        shown.show(event);
        if (event.event === 'error') failure = new MochiError(event.data);
      }
      if (failure?.code === 'turn_cancelled') shown.stopped();
      else if (failure !== null) throw failure;
    } finally {
      wait.clear();
      await approvals.close();
      shown.end();
      this.thoughts = shown.thoughts;
      this.#shown = null;
      this.#turn = null;
      this.#isStopping = false;
    }
    if (typed !== null && performance.now() - begun > CALL_BACK_MS) this.#callBack();
  }

  /** Whoever waited looks elsewhere by now. */
  #callBack(): void {
    callBack('mochi has answered');
    this.#hasCalledBack = true;
  }

  /** Somebody is here. */
  greet(): void {
    if (this.#hasCalledBack) restoreTitle();
    this.#hasCalledBack = false;
  }
}

function beginningOf(text: string): string {
  const lines = text.split('\n');
  return lines.length <= SHOWN_LINES ? text : [...lines.slice(0, SHOWN_LINES), '…'].join('\n');
}
