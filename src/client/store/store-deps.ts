// What the parts of a store share.
import type { Mochi } from '../index.ts';
import type { StateHolder } from './chat-state.ts';
import type { TurnFollower } from './follow-turns.ts';
import type { ConversationReader } from './read-conversation.ts';

export interface StoreDeps {
  readonly mochi: Mochi;
  readonly sessionId: string;
  readonly holder: StateHolder;
  readonly reader: ConversationReader;
  readonly turns: TurnFollower;
}
