// A request that is answered and not stored, after validation: all that the model is to see comes with it.
import type { EngineCompletion, EngineMessage } from '../contract/engine.ts';
import type { AnswerWishes } from './answer-wishes.ts';

/** What becomes of a prompt that does not fit: its oldest whole exchanges stay out, or it is refused. */
export type Truncation = 'leave_out' | 'refuse';

export interface PassingRequest extends AnswerWishes {
  readonly model: string;
  readonly system: string | null;
  /** Without system messages; every call in it has its result. */
  readonly messages: readonly EngineMessage[];
  readonly truncation: Truncation;
  /** A text that goes on, in the place of a chat: the messages hold it once more, to be measured by. */
  readonly completion?: EngineCompletion;
}
