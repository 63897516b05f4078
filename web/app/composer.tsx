// Where a message is written. What is typed is kept until the server has it.
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../lang/text.ts';
import { isComposing } from '../lib/is-composing.ts';
import { chat, isAnswering } from '../state/chat.ts';
import { previewMessage } from '../state/preview.ts';
import { route } from '../state/route.ts';
import { attempt } from '../state/server.ts';
import { Icon } from '../ui/icon.tsx';
import { ComposerTray } from './composer-tray.tsx';
import { open } from './dialogs.tsx';
import { isSendKey } from './is-send-key.ts';
import { useMessage } from './use-message.ts';

export function Composer() {
  const { sessionId } = route.value;
  const field = useRef<HTMLTextAreaElement>(null);
  const { text, pictures, arePicturesKept, canSend, write, setPictures, addPictures, send } =
    useMessage(sessionId);
  useEffect(() => {
    if (matchMedia('(pointer: fine)').matches) field.current?.focus();
  }, [sessionId]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event)) return;
    if (event.key === 'Escape' && isAnswering.value) void chat.value?.stop();
    if (event.key === 'ArrowUp' && text === '' && !event.altKey && editLast()) event.preventDefault();
    if (!isSendKey(event)) return;
    event.preventDefault();
    void send();
  };
  const preview = async () => {
    if (await previewMessage(text, pictures)) open('preview');
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
      {!arePicturesKept && (
        <p class="hint" role="status">
          {t.unkeptImages}
        </p>
      )}
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
        <ComposerTray
          onPictures={(files) => void addPictures(files)}
          onPreview={canSend ? () => void preview() : null}
        />
        <SendOrStop canSend={canSend} />
      </div>
    </form>
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

/** @returns whether there is a message to edit */
function editLast(): boolean {
  const edit = [...document.querySelectorAll<HTMLElement>('.row.user [data-key="e"]')].at(-1);
  edit?.click();
  return edit !== undefined;
}
