// Above a conversation: its name, its model, how full the window is, and what can be done with all of it.
import { useRef, useState } from 'preact/hooks';
import { t } from '../lang/text.ts';
import { chat, chatState, newModel } from '../state/chat.ts';
import { forgetConversation } from '../state/gone.ts';
import { models } from '../state/models.ts';
import { shownName } from '../state/names.ts';
import { prefer, preferences } from '../state/preferences.ts';
import { goTo } from '../state/route.ts';
import { forgetOptions } from '../state/send-options.ts';
import { attempt, mochi } from '../state/server.ts';
import { refreshSessions } from '../state/sessions.ts';
import { Icon } from '../ui/icon.tsx';
import { Menu } from '../ui/menu.tsx';
import { takeFocusWhole } from '../ui/take-focus.ts';
import { useFocusBack } from '../ui/use-focus-back.ts';
import { open } from './dialogs.tsx';
import { saveExport } from './save-export.ts';
import { WindowGauge } from './window-gauge.tsx';

export function Header() {
  const session = chatState.value?.session ?? null;
  const [isRenaming, setRenaming] = useState(false);
  const rename = useFocusBack<HTMLButtonElement>(isRenaming);
  const endRenaming = () => setRenaming(false);
  const title = shownName.value ?? t.untitled;
  return (
    <header class="head">
      <button
        type="button"
        class="quiet"
        aria-label={t.sidebar}
        title={`${t.sidebar} (⌘B)`}
        aria-expanded={preferences.value.isSidebarOpen}
        onClick={() => prefer({ isSidebarOpen: !preferences.value.isSidebarOpen })}
      >
        <Icon name="menu" />
      </button>
      {isRenaming && session !== null ? (
        <TitleForm sessionId={session.session_id} title={title} onDone={endRenaming} />
      ) : (
        <h1 dir="auto" title={title}>
          {title}
          {session !== null && (
            <button
              ref={rename}
              type="button"
              class="quiet"
              aria-label={t.rename}
              title={t.rename}
              onClick={() => setRenaming(true)}
            >
              <Icon name="edit" />
            </button>
          )}
        </h1>
      )}
      <ModelChoice />
      {session !== null && <WindowGauge />}
      {session !== null && <SessionMenu sessionId={session.session_id} onRename={() => setRenaming(true)} />}
    </header>
  );
}

interface TitleFormProps {
  readonly sessionId: string;
  readonly title: string;
  /** @param byKey not since another place was chosen */
  readonly onDone: (byKey: boolean) => void;
}

function TitleForm({ sessionId, title, onDone }: TitleFormProps) {
  const [text, setText] = useState(title);
  const isOver = useRef(false);
  const end = (byKey: boolean) => {
    // Going away, the field loses the focus once more.
    isOver.current = true;
    onDone(byKey);
  };
  const save = async (byKey: boolean) => {
    if (isOver.current) return;
    end(byKey);
    if (text.trim() === '' || text === title) return;
    await attempt(() => mochi.sessions.update(sessionId, { title: text.trim() }));
    chat.value?.check();
    await refreshSessions();
  };
  return (
    <form
      class="rename"
      onSubmit={(event) => {
        event.preventDefault();
        void save(true);
      }}
    >
      <input
        aria-label={t.rename}
        ref={takeFocusWhole}
        dir="auto"
        maxLength={200}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && end(true)}
        onBlur={() => void save(false)}
      />
    </form>
  );
}

function ModelChoice() {
  const known = models.value ?? [];
  const current = chatState.value?.session?.model ?? newModel.value ?? known[0]?.name ?? '';
  if (known.length === 0 && current === '') return null;
  const names = known.map(({ name }) => name);
  const choose = (name: string) => {
    if (chat.value === null) newModel.value = name;
    else void attempt(async () => chat.value?.setModel(name));
  };
  return (
    <select
      class="model"
      aria-label={t.receipt.model}
      value={current}
      onChange={(event) => choose(event.currentTarget.value)}
    >
      {[...new Set([current, ...names])].map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}

/** Says where the prompt comes from, where that is known. */
function promptLabel(): string {
  const file = chatState.value?.session?.system_prompt_file ?? null;
  return file === null ? `${t.system}…` : t.promptOf(file);
}

function SessionMenu({ sessionId, onRename }: { readonly sessionId: string; readonly onRename: () => void }) {
  const fork = async () => {
    const copy = await attempt(() => mochi.sessions.fork(sessionId));
    if (copy === null) return;
    await refreshSessions();
    goTo(copy.session_id);
  };
  const remove = async () => {
    // oxlint-disable-next-line eslint/no-alert -- The browser's own question: nothing else can be pressed meanwhile.
    if (!confirm(t.deleteAsk)) return;
    // Left first: what one has deleted oneself is no news.
    goTo(null);
    if ((await attempt(() => mochi.sessions.delete(sessionId))) === null) return;
    forgetOptions(sessionId);
    forgetConversation(sessionId);
    await refreshSessions();
  };
  return (
    <Menu
      label={t.menu}
      items={[
        { label: t.rename, onChoose: onRename },
        { label: promptLabel(), onChoose: () => open('prompts') },
        { label: t.branches.all, onChoose: () => open('branches') },
        { label: t.fork, onChoose: () => void fork() },
        { label: t.exportJson, onChoose: () => void saveExport(sessionId, 'json') },
        { label: t.exportLines, onChoose: () => void saveExport(sessionId, 'jsonl') },
        { label: t.exportMarkdown, onChoose: () => void saveExport(sessionId, 'markdown') },
        { label: t.deleteSession, isDanger: true, onChoose: () => void remove() },
      ]}
    >
      <Icon name="dots" />
    </Menu>
  );
}
