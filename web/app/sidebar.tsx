// The list of conversations, and the ways to everything else.
import { t } from '../lang/text.ts';
import { ageOf } from '../lib/times.ts';
import { waiting } from '../state/live.ts';
import { goTo, route } from '../state/route.ts';
import { moreSessions, nameOf, readMoreSessions, sessions } from '../state/sessions.ts';
import { Icon } from '../ui/icon.tsx';
import { type DialogName, open } from './dialogs.tsx';
import { SessionLink } from './session-link.tsx';

export function Sidebar() {
  const items = sessions.value;
  const asking = new Set(waiting.value.values());
  const byAge = Map.groupBy(items ?? [], ({ updated_at: at }) => ageOf(at, new Date()));
  return (
    <nav class="sidebar" aria-label={t.sessions}>
      <div class="top">
        <button type="button" class="wide" onClick={() => goTo(null)} title="⌘⇧O">
          <Icon name="plus" /> {t.newChat}
        </button>
        <button type="button" class="wide quiet" onClick={() => open('search')} title="⌘K">
          <Icon name="search" /> {t.search}
        </button>
      </div>
      <div class="list">
        {items?.length === 0 && <p class="hint">{t.noSessions}</p>}
        {[...byAge].map(([age, group]) => (
          <section key={age} aria-label={age}>
            <h2>{age}</h2>
            <ul>
              {group.map((session) => (
                <SessionLink
                  key={session.session_id}
                  session={session}
                  name={nameOf(session) ?? t.untitled}
                  isCurrent={session.session_id === route.value.sessionId}
                  isAsking={asking.has(session.session_id)}
                />
              ))}
            </ul>
          </section>
        ))}
        {moreSessions.value !== null && (
          <button type="button" class="wide quiet" onClick={() => void readMoreSessions()}>
            {t.more}
          </button>
        )}
      </div>
      <div class="bottom">
        {(['models', 'prompts', 'import', 'settings'] satisfies DialogName[]).map((name) => (
          <button type="button" key={name} class="quiet" onClick={() => open(name)}>
            {name === 'import' ? t.import.title : t[name]}
          </button>
        ))}
      </div>
    </nav>
  );
}
