// What makes a turn a chat's or an agent's run: the one loop asks it what to say, which tools there are, and what it
// means that the model rests.
import type { EngineUsage } from '../contract/engine.ts';
import type { MochiError } from '../contract/errors.ts';
import type { TurnEvent } from '../contract/turn-event.ts';
import type { Offer } from '../tools/offer.ts';
import type { SessionPolicy } from '../tools/policy/decide-call.ts';
import type { TurnEnding } from './step/turn-ending.ts';

export interface TurnScript {
  /** The tools of the turn, once at its start. */
  offer(): Promise<Offer>;
  /** What is said about calls that nobody else has spoken about. */
  policy(): Promise<SessionPolicy>;
  /** Before each model call: what is said last and stored nowhere, and which tools are left out. @throws at a limit */
  prepare(): Promise<void>;
  /** The model has called no tool. @returns whether the turn is complete; else the model is asked again */
  rest(usage: EngineUsage): AsyncGenerator<readonly TurnEvent[], boolean>;
  /** Whatever is told, one for one; as it is where missing. */
  tell?(events: readonly TurnEvent[]): readonly TurnEvent[];
  /** Goes on where another process waited for a person, if that was about no call. @returns whether it was so */
  resume?(messageId: string): AsyncGenerator<readonly TurnEvent[], boolean>;
  /** What is told of a failure, where a chat's words are not right. */
  word?(failure: MochiError): MochiError;
  /** Never throws. */
  fail?(failure: MochiError): Promise<TurnEnding>;
}
