// A message on its way: kept here until the server has it.
import type { Pending } from '../../src/client/chat-store.ts';
import { t } from '../lang/text.ts';
import { chat, discardOutbox } from '../state/chat.ts';

export function OutboxRow({ pending }: { readonly pending: Pending }) {
  return (
    <article class="row user" aria-label={t.you}>
      <div class="said" dir="auto">
        {pending.body.message}
      </div>
      {pending.state === 'failed' ? (
        <div class="unsent" role="alert">
          {pending.waits ? `${t.unsent} ${t.unsentWaits}` : t.unsent}
          <button type="button" onClick={() => void chat.value?.retry()}>
            {t.retry}
          </button>
          <button type="button" class="quiet" onClick={discardOutbox}>
            {t.discard}
          </button>
        </div>
      ) : (
        <p class="hint">{pending.turnId === undefined ? t.sending : t.status.queued(null)}</p>
      )}
    </article>
  );
}
