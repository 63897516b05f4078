// A request that has been read, and what it says of its place.
import type { History } from './history.ts';
import type { TurnSettings } from './settings.ts';

export interface PlacingRequest {
  /** As it was asked for. */
  readonly model: string;
  readonly history: History;
  readonly settings: TurnSettings;
  /** What the request itself says of its place; it beats the name of a session. Missing: nothing. */
  readonly place?: AskedPlace;
}

type AskedPlace =
  /** Kept all the same: where its history goes on from, else in a new session. */
  | { readonly of: 'nothing' }
  | { readonly of: 'conversation'; readonly sessionId: string }
  | { readonly of: 'response'; readonly turnId: string }
  | { readonly of: 'item'; readonly sessionId: string; readonly messageId: string };
