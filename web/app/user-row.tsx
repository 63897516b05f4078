// What a person said: it can be said anew, and nothing is lost by it.
import { useState } from 'preact/hooks';
import { t } from '../lang/text.ts';
import { isComposing } from '../lib/is-composing.ts';
import { showTime } from '../lib/times.ts';
import { chat } from '../state/chat.ts';
import { sendSettings } from '../state/send-options.ts';
import { attempt } from '../state/server.ts';
import { CopyButton } from '../ui/copy-button.tsx';
import { Icon } from '../ui/icon.tsx';
import { BranchSwitch } from './branch-switch.tsx';
import { Picture } from './picture.tsx';
import type { RowProps } from './row.tsx';

export function UserRow({ message, position, total, isLast }: RowProps) {
  const [isEditing, setEditing] = useState(false);
  return (
    <article
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
        <EditForm messageId={message.message_id} text={message.content} onDone={() => setEditing(false)} />
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
  readonly messageId: string;
  readonly text: string;
  readonly onDone: () => void;
}

function EditForm({ messageId, text, onDone }: EditFormProps) {
  const [edited, setEdited] = useState(text);
  const send = () => {
    if (edited.trim() === '') return;
    onDone();
    void attempt(async () => chat.value?.edit(messageId, edited, sendSettings()));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event)) return;
    if (event.key === 'Escape') onDone();
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send();
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
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- It opened because somebody asked to write here.
        autofocus
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
