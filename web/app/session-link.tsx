// One conversation of the list.
import type { SessionListItem } from '../../src/client/index.ts';
import { t } from '../lang/text.ts';
import { prefer } from '../state/preferences.ts';
import { addressOf } from '../state/route.ts';

interface SessionLinkProps {
  readonly session: SessionListItem;
  readonly name: string;
  readonly isCurrent: boolean;
  /** Something in it waits for a person. */
  readonly isAsking: boolean;
}

export function SessionLink({ session, name, isCurrent, isAsking }: SessionLinkProps) {
  const onClick = () => {
    if (matchMedia('(max-width: 767px)').matches) prefer({ isSidebarOpen: false });
  };
  return (
    <li>
      <a
        href={addressOf(session.session_id)}
        aria-current={isCurrent ? 'page' : undefined}
        dir="auto"
        title={name}
        onClick={onClick}
      >
        <span>{name}</span>
        {isAsking ? (
          <i class="dot asking" role="img" aria-label={t.asking} />
        ) : (
          session.active_turn !== null && <i class="dot" role="img" aria-label={t.running} />
        )}
      </a>
    </li>
  );
}
