// What a model says, on its way to those who watch: told as it comes, or held until it is known what it is.
import type { FinishReason } from '../../contract/message.ts';
import type { TurnEvent } from '../../contract/turn-event.ts';
import { WholeCharacters } from '../../kit/whole-characters.ts';
import type { Draft } from './draft.ts';
import type { Hold } from './held-answer.ts';

type Part = 'thinking' | 'content';

const NOTHING: Readonly<Record<Part, string>> = { thinking: '', content: '' };

/** Has a lifetime: that of one model call. What is told is in the draft. */
export class ToldAnswer {
  readonly #draft: Draft;
  readonly #showsThinking: boolean;
  readonly #content = new WholeCharacters();
  readonly #thinking = new WholeCharacters();
  /** Null: nothing is held, or not any more. */
  #hold: Hold | null;
  #held = NOTHING;
  #unasked = '';
  #events: TurnEvent[] = [];

  constructor(draft: Draft, options: { readonly hold: Hold | null; readonly showsThinking: boolean }) {
    this.#draft = draft;
    this.#hold = options.hold;
    this.#showsThinking = options.showsThinking;
  }

  /** @param piece may end in the middle of a character */
  say(part: Part, piece: string): void {
    this.#sayWhole(part, (part === 'content' ? this.#content : this.#thinking).push(piece));
  }

  /** All has come, the calls too: they are in the draft. */
  end(reason: FinishReason | null): void {
    this.#sayWhole('thinking', this.#thinking.end());
    this.#sayWhole('content', this.#content.end());
    const draft = this.#draft;
    this.#settle();
    draft.finishReason = draft.toolCalls.length > 0 ? 'tool_calls' : reason;
    const isSilent = draft.isEmpty && draft.toolCalls.length === 0 && !draft.isUnfit;
    if (isSilent) this.#show('thinking', this.#unasked);
  }

  /** Nothing more comes: what was held is a part like any other. */
  fail(): void {
    this.#release();
  }

  /** The engine has begun to answer. */
  begin(status: Extract<TurnEvent, { event: 'status' }>['data']): void {
    this.#tell({ event: 'status', data: status });
  }

  /** What is to be told since the last time. */
  takeEvents(): TurnEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #sayWhole(part: Part, text: string): void {
    if (text === '') return;
    // Some models think whether asked or not; nobody asked to see it then, unless nothing else comes.
    if (part === 'thinking' && !this.#showsThinking) {
      this.#unasked += text;
    } else if (this.#hold === null || (part === 'thinking' && !this.#hold.withThoughts)) {
      this.#show(part, text);
    } else {
      this.#held = { ...this.#held, [part]: this.#held[part] + text };
      if (!this.#hold.holds(this.#held.content)) this.#release();
    }
  }

  #settle(): void {
    const draft = this.#draft;
    const { content } = this.#held;
    const settled = this.#hold === null || draft.toolCalls.length > 0 ? 'tell' : this.#hold.settle(content);
    if (settled === 'tell') {
      this.#release();
      return;
    }
    this.#hold = null;
    this.#held = NOTHING;
    if (settled === 'drop') draft.isUnfit = true;
    else draft.toolCalls.push(...settled);
  }

  #release(): void {
    const { thinking, content } = this.#held;
    this.#hold = null;
    this.#held = NOTHING;
    this.#show('thinking', thinking);
    this.#show('content', content);
  }

  #show(part: Part, text: string): void {
    if (text === '') return;
    this.#draft[part] += text;
    this.#tell(
      part === 'content'
        ? { event: 'content_delta', data: { content: text, role: 'assistant' } }
        : { event: 'thinking_delta', data: { content: text } },
    );
  }

  #tell(event: TurnEvent): void {
    // Most are alone, and a list that grows from nothing takes room for seventeen at once.
    if (this.#events.length === 0) this.#events = [event];
    else this.#events.push(event);
  }
}
