// The events of a turn as views, of which only the newest is kept.
import { foldTurn } from './fold-turn.ts';
import type { TurnEvent } from './turn-event.ts';
import { EMPTY_TURN, type TurnView } from './turn-view.ts';

/** @param stop for a reader that breaks off */
export async function* viewsOf(
  events: AsyncIterable<TurnEvent>,
  stop: () => Promise<void>,
): AsyncGenerator<TurnView, void> {
  const state: { view: TurnView; failure?: { readonly error: unknown }; hasEnded: boolean } = {
    view: EMPTY_TURN,
    hasEnded: false,
  };
  let wake: () => void = () => undefined;
  const gathered = gather();

  async function gather(): Promise<void> {
    try {
      for await (const event of events) {
        state.view = foldTurn(state.view, event);
        wake();
      }
    } catch (error) {
      state.failure = { error };
    }
    state.hasEnded = true;
    wake();
  }

  try {
    for (let shown = state.view; ; ) {
      if (shown === state.view && !state.hasEnded) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      } else if (shown === state.view) {
        break;
      } else {
        shown = state.view;
        yield shown;
      }
    }
    if (state.failure !== undefined) throw state.failure.error;
  } finally {
    if (!state.hasEnded) await stop();
    await gathered;
  }
}
