// Where a message is written. What is typed is kept until the server has it.
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../lang/text.ts';
import { isComposing } from '../lib/is-composing.ts';
import { begin, chat, chatState, isAnswering, newModel } from '../state/chat.ts';
import { draftOf, flushDraft, saveDraft } from '../state/drafts.ts';
import { models } from '../state/models.ts';
import { prefer, preferences } from '../state/preferences.ts';
import { route } from '../state/route.ts';
import { attempt } from '../state/server.ts';
import { Icon } from '../ui/icon.tsx';
import { readPicture } from './read-picture.ts';

export function Composer() {
  const { sessionId } = route.value;
  const [text, setText] = useState(() => draftOf(sessionId));
  const [pictures, setPictures] = useState<readonly string[]>([]);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    flushDraft();
    setText(draftOf(sessionId));
    setPictures([]);
    if (matchMedia('(pointer: fine)').matches) field.current?.focus();
  }, [sessionId]);
  const write = (next: string) => {
    setText(next);
    saveDraft(sessionId, next);
  };
  const canSend = text.trim() !== '' && chatState.value?.outbox?.state !== 'sending';
  const send = async () => {
    if (!canSend) return;
    const store = await begin();
    if (store === null) return;
    // The message is in the outbox of the conversation from here on, and the draft has done its work.
    const sent = store.send(text, {
      think: preferences.value.think && canThink(),
      ...(pictures.length > 0 && { images: [...pictures] }),
    });
    saveDraft(sessionId, '');
    flushDraft();
    setText('');
    setPictures([]);
    await attempt(async () => sent);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event)) return;
    if (event.key === 'Escape' && isAnswering.value) void chat.value?.stop();
    if (event.key !== 'Enter' || event.shiftKey || event.altKey) return;
    if (!(preferences.value.enterSends || event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void send();
  };
  const addPictures = async (files: Iterable<File>) => {
    const read = await Promise.all(
      [...files].filter(({ type }) => type.startsWith('image/')).map(readPicture),
    );
    setPictures((known) => [...known, ...read.filter((picture) => picture !== null)]);
  };
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- A file may be dropped anywhere here.
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        // Others are conversations, which the page takes.
        void addPictures(event.dataTransfer?.files ?? []);
      }}
    >
      <Pictures pictures={pictures} onChange={setPictures} />
      <textarea
        ref={field}
        rows={1}
        dir="auto"
        aria-label={t.writeHere}
        placeholder={t.writeHere}
        value={text}
        onInput={(event) => write(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        onPaste={(event) => {
          const files = [...(event.clipboardData?.files ?? [])];
          if (files.length > 0) void addPictures(files);
        }}
      />
      <div class="tray">
        <Tray onPictures={(files) => void addPictures(files)} />
        <SendOrStop canSend={canSend} />
      </div>
    </form>
  );
}

/** What the model can do besides. */
function Tray({ onPictures }: { readonly onPictures: (files: FileList) => void }) {
  return (
    <>
      {can('vision') && <PictureButton onChoose={onPictures} />}
      {canThink() && (
        <button
          type="button"
          class="quiet"
          aria-pressed={preferences.value.think}
          onClick={() => prefer({ think: !preferences.value.think })}
        >
          {t.think}
        </button>
      )}
    </>
  );
}

interface PicturesProps {
  readonly pictures: readonly string[];
  readonly onChange: (pictures: readonly string[]) => void;
}

function Pictures({ pictures, onChange }: PicturesProps) {
  if (pictures.length === 0) return null;
  return (
    <ul class="pictures">
      {pictures.map((picture, index) => (
        <li key={picture.slice(-64)}>
          <img alt="" src={picture} />
          <button
            type="button"
            aria-label={t.removeImage}
            onClick={() => onChange(pictures.filter((_, at) => at !== index))}
          >
            <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  );
}

function SendOrStop({ canSend }: { readonly canSend: boolean }) {
  const [isStopping, setStopping] = useState(false);
  const isOn = isAnswering.value;
  useEffect(() => {
    if (!isOn) setStopping(false);
  }, [isOn]);
  if (!isOn) {
    return (
      <button type="submit" class="main round" aria-label={t.send} title={t.send} disabled={!canSend}>
        <Icon name="send" />
      </button>
    );
  }
  const stop = () => {
    setStopping(true);
    void attempt(async () => chat.value?.stop());
  };
  return (
    <button
      type="button"
      class="main round"
      disabled={isStopping}
      aria-label={t.stop}
      title={t.stop}
      onClick={stop}
    >
      <Icon name="stop" />
    </button>
  );
}

function PictureButton({ onChoose }: { readonly onChoose: (files: FileList) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        class="quiet"
        aria-label={t.addImage}
        title={t.addImage}
        onClick={() => input.current?.click()}
      >
        <Icon name="image" />
      </button>
      <input
        ref={input}
        type="file"
        accept="image/*"
        multiple
        hidden
        onChange={({ currentTarget }) => {
          if (currentTarget.files !== null) onChoose(currentTarget.files);
          currentTarget.value = '';
        }}
      />
    </>
  );
}

function canThink(): boolean {
  return can('thinking');
}

function can(capability: string): boolean {
  const known = models.value ?? [];
  const name = chatState.value?.session?.model ?? newModel.value ?? known[0]?.name;
  return known.find((model) => model.name === name)?.capabilities.includes(capability) ?? false;
}
