// What a turn was asked with, as its row keeps it where several servers share the database: another one can begin it.
import type { QueuedMessage } from '../store/turns.ts';
import { placedBefore } from './step/turn-settings.ts';
import type { TurnRequest } from './turn-request.ts';

export interface AskedSettings {
  readonly asked: Omit<TurnRequest, 'message' | 'images' | 'placed'>;
  /** Of all that its client has said; missing: the client does not say it all. */
  readonly said?: string;
}

/** The message itself stands in its own place. */
export function toAskedSettings(request: TurnRequest): AskedSettings {
  const { message: _message, images: _images, placed, ...asked } = request;
  const chain = placed?.chain ?? null;
  return { asked, ...(chain !== null && { said: chain.end }) };
}

/** Null: they are of a turn that has planned tools, or of none. */
export function readAskedSettings(stored: object | null): AskedSettings | null {
  return stored !== null && 'asked' in stored ? (stored as AskedSettings) : null;
}

/** Of a turn that waits in line. */
export function toQueuedRequest({ asked }: AskedSettings, message: QueuedMessage | null): TurnRequest {
  // Nobody else writes it.
  const placed = message?.placed as TurnRequest['placed'];
  if (placed !== undefined) return { ...asked, message: null, images: [], placed };
  return { ...asked, message: message?.content ?? null, images: message?.images ?? [] };
}

/** Of a turn whose message is on the path. */
export function toBegunRequest({ asked, said }: AskedSettings): TurnRequest {
  return {
    ...asked,
    message: null,
    images: [],
    toolResults: [],
    ...(said !== undefined && { placed: placedBefore(said) }),
  };
}
