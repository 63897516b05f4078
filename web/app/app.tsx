// The whole page: the list on one side, one conversation on the other.
import { useEffect } from 'preact/hooks';
import { t } from '../lang/text.ts';
import { isGone } from '../state/gone.ts';
import { isOutdated } from '../state/health.ts';
import { keepLive, waiting } from '../state/live.ts';
import { refreshModels } from '../state/models.ts';
import { shownName } from '../state/names.ts';
import { prefer, preferences } from '../state/preferences.ts';
import { problem } from '../state/server.ts';
import { Composer } from './composer.tsx';
import { Conversation } from './conversation.tsx';
import { OpenDialog } from './dialogs.tsx';
import { DropFiles } from './drop-files.tsx';
import { Header } from './header.tsx';
import { KeyDialog } from './key-dialog.tsx';
import { Gone, Notice, Outdated } from './notice.tsx';
import { onPageKey } from './page-keys.ts';
import { Sidebar } from './sidebar.tsx';
import { StatusLine } from './status-line.tsx';

export function App() {
  useEffect(() => {
    const away = new AbortController();
    void refreshModels();
    document.addEventListener('keydown', onPageKey, { signal: away.signal });
    const end = keepLive();
    return () => {
      end();
      away.abort();
    };
  }, []);
  const title = shownName.value;
  const asked = new Set(waiting.value.values()).size;
  useEffect(() => {
    const name = title === null ? t.name : `${title} · ${t.name}`;
    document.title = asked === 0 ? name : `(${asked}) ${name}`;
  }, [title, asked]);
  const { isSidebarOpen } = preferences.value;
  return (
    <div class={isSidebarOpen ? 'page' : 'page alone'}>
      {isSidebarOpen && <Sidebar />}
      {isSidebarOpen && (
        <button
          type="button"
          class="shade"
          tabIndex={-1}
          aria-label={t.close}
          onClick={() => prefer({ isSidebarOpen: false })}
        />
      )}
      <div class="main-column">
        <Header />
        <main>
          <Conversation />
        </main>
        <div class="foot">
          {problem.value !== null && <Notice error={problem.value} />}
          {isOutdated.value && <Outdated />}
          {isGone.value && <Gone />}
          <StatusLine />
          <Composer />
        </div>
      </div>
      <OpenDialog />
      <KeyDialog />
      <DropFiles />
    </div>
  );
}
