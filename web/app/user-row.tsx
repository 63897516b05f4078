// What a person said: it can be said anew, and nothing is lost by it.
import { useEffect, useState } from 'preact/hooks';
import type { Message } from '../../src/client/index.ts';
import { t } from '../lang/text.ts';
import { isComposing } from '../lib/is-composing.ts';
import { showTime } from '../lib/times.ts';
import { chat, sentCount } from '../state/chat.ts';
import { sendSettings } from '../state/send-options.ts';
import { attempt } from '../state/server.ts';
import { CopyButton } from '../ui/copy-button.tsx';
import { Icon } from '../ui/icon.tsx';
import { takeFocus } from '../ui/take-focus.ts';
import { useFocusBack } from '../ui/use-focus-back.ts';
import { BranchSwitch } from './branch-switch.tsx';
import { isSendKey } from './is-send-key.ts';
import { Picture } from './picture.tsx';
import type { RowProps } from './row.tsx';

/** Where a message was edited and sent: the one that comes in its place gets the focus that it had. */
let sentFrom: number | null = null;

export function UserRow({ message, position, total, isLast }: RowProps) {
  const [isEditing, setEditing] = useState(false);
  const row = useFocusBack<HTMLElement>(isEditing);
  useEffect(() => {
    if (sentFrom !== position) return;
    sentFrom = null;
    if (document.activeElement === document.body) row.current?.focus({ preventScroll: true });
  }, [position, row]);
  return (
    <article
      ref={row}
      class="row user"
      // Tab leads to the newest row, and letters from there to the others.
      tabIndex={isLast ? 0 : -1}
      aria-label={t.you}
      aria-posinset={position}
      aria-setsize={total}
      id={`m-${message.message_id}`}
    >
      {Array.from({ length: message.image_count ?? 0 }, (_, index) => (
        <Picture key={index} messageId={message.message_id} index={index} />
      ))}
      {isEditing ? (
        <EditForm
          message={message}
          onSend={() => {
            sentFrom = position;
          }}
          onDone={() => setEditing(false)}
        />
      ) : (
        <div class="said" dir="auto">
          {message.content}
        </div>
      )}
      {!isEditing && (
        <div class="deeds" title={showTime(message.timestamp)}>
          <BranchSwitch message={message} />
          <button
            type="button"
            class="quiet"
            data-key="e"
            aria-label={t.edit}
            title={t.edit}
            onClick={() => setEditing(true)}
          >
            <Icon name="edit" />
          </button>
          <CopyButton text={message.content} />
        </div>
      )}
    </article>
  );
}

interface EditFormProps {
  readonly message: Message;
  readonly onSend: () => void;
  readonly onDone: () => void;
}

function EditForm({ message, onSend, onDone }: EditFormProps) {
  const [edited, setEdited] = useState(message.content);
  const send = () => {
    if (edited.trim() === '') return;
    onSend();
    onDone();
    sentCount.value += 1;
    void attempt(async () => chat.value?.edit(message.message_id, edited, sendSettings()));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event)) return;
    if (event.key === 'Escape') onDone();
    if (!isSendKey(event)) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      class="edit"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        aria-label={t.edit}
        ref={takeFocus}
        dir="auto"
        value={edited}
        onInput={(event) => setEdited(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <div class="actions">
        <button type="button" class="quiet" onClick={onDone}>
          {t.cancel}
        </button>
        <button type="submit" class="main">
          {t.save}
        </button>
      </div>
    </form>
  );
}
