// What went wrong, until it is read.
import type { MochiError } from '../../src/client/index.ts';
import { t } from '../lang/text.ts';
import { goOnInNew } from '../state/gone.ts';
import { problem } from '../state/server.ts';
import { Icon } from '../ui/icon.tsx';

export function Notice({ error }: { readonly error: MochiError }) {
  return (
    <div class="notice" role="alert">
      <p dir="auto">
        <strong>{t.problem.title}.</strong> {error.message}
      </p>
      <button
        type="button"
        class="quiet"
        aria-label={t.problem.dismiss}
        onClick={() => {
          problem.value = null;
        }}
      >
        <Icon name="close" />
      </button>
    </div>
  );
}

/** What was read of it stays to be seen, and what was written goes along. */
export function Gone() {
  return (
    <div class="notice" role="alert">
      <p>{t.problem.gone}</p>
      <button type="button" onClick={goOnInNew}>
        {t.problem.goOn}
      </button>
    </div>
  );
}

/** Nothing typed is lost by a reload: drafts and unsent messages are kept. */
export function Outdated() {
  return (
    <div class="notice" role="status">
      <p>{t.problem.newer}</p>
      <button type="button" onClick={() => location.reload()}>
        {t.problem.reload}
      </button>
    </div>
  );
}
