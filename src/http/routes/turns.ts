// Turns: what became of a request, whoever sent it.
import { MochiError } from '../../contract/errors.ts';
import { ref } from '../../contract/schema.ts';
import { Turn } from '../../contract/turn.ts';
import { findTurn } from '../../store/turns.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { jsonAnswer, responses } from '../document.ts';
import { TurnParams, turnIdOf } from '../params.ts';

export function turnRoutes(app: App, { db }: AppDeps): void {
  app.get(
    '/api/v1/turns/:turn_id',
    {
      schema: {
        tags: ['chat'],
        summary: 'A turn: its state, error and usage',
        params: TurnParams,
        response: responses(200, jsonAnswer('The turn.', ref(Turn)), [
          'turn_not_found',
          'session_load_error',
        ]),
      },
    },
    async ({ params }) => {
      const turnId = turnIdOf(params);
      const turn = await findTurn(db, turnId);
      if (turn !== null) return turn;
      throw new MochiError('turn_not_found', `Turn ${turnId} not found`, { turn_id: turnId });
    },
  );
}
