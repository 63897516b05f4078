// System prompts: the one of this chat and where it comes from, and the files that one may come from.
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { PromptListItem } from '../../src/client/index.ts';
import { newest } from '../../src/client/store/newest.ts';
import { d } from '../lang/dialog-text.ts';
import { type ChatPrompt, choosePromptFile, clearPrompt, readChatPrompt } from '../state/prompts.ts';
import { mochi } from '../state/server.ts';
import { Dialog } from '../ui/dialog.tsx';
import { useTrial } from '../ui/use-trial.ts';
import type { DialogProps } from './dialogs.tsx';
import { type EditedPrompt, PromptEditor } from './prompt-editor.tsx';

const newestRead = newest();

export function PromptsDialog({ onClose }: DialogProps) {
  const [files, setFiles] = useState<readonly PromptListItem[] | null>(null);
  const [own, setOwn] = useState<ChatPrompt | null>(null);
  const [edited, setEdited] = useState<EditedPrompt | null>(null);
  const { fault, attempt } = useTrial();
  const read = useCallback(async () => {
    const found = await newestRead(() => Promise.all([mochi.prompts.list(), readChatPrompt()]));
    if (found === null) return;
    setFiles(found[0].prompts);
    setOwn(found[1]);
  }, []);
  useEffect(() => void attempt(read), [attempt, read]);
  const change = (action: () => Promise<unknown>) => void attempt(() => action().then(read));
  const openFile = (filename: string) =>
    attempt(async () => setEdited({ filename, content: (await mochi.prompts.get(filename)).content }));
  const remove = (filename: string) => {
    // oxlint-disable-next-line eslint/no-alert -- The browser's own question: nothing else can be pressed meanwhile.
    if (confirm(d.prompts.deleteAsk(filename))) change(() => mochi.prompts.delete(filename));
  };
  if (edited !== null) {
    const leave = () => {
      setEdited(null);
      void attempt(read);
    };
    return (
      <Dialog title={d.prompts.title} onClose={onClose}>
        <PromptEditor prompt={edited} onDone={leave} />
      </Dialog>
    );
  }
  return (
    <Dialog title={d.prompts.title} onClose={onClose}>
      {fault !== null && <p role="alert">{fault}</p>}
      {own !== null && (
        <OwnPrompt
          prompt={own}
          onEdit={() => setEdited({ filename: null, content: own.content ?? '' })}
          onClear={() => change(clearPrompt)}
        />
      )}
      {files?.length === 0 && <p class="hint">{d.prompts.empty}</p>}
      <ul class="prompts">
        {files?.map((file) => (
          <PromptFile
            key={file.filename}
            file={file}
            isUsed={own?.file === file.filename}
            onUse={() => change(() => choosePromptFile(file.filename))}
            onEdit={() => void openFile(file.filename)}
            onDelete={() => remove(file.filename)}
          />
        ))}
      </ul>
      <div class="actions">
        <button type="button" onClick={() => setEdited({ filename: '', content: '' })}>
          {d.prompts.create}
        </button>
      </div>
    </Dialog>
  );
}

interface OwnPromptProps {
  readonly prompt: ChatPrompt;
  readonly onEdit: () => void;
  readonly onClear: () => void;
}

function OwnPrompt({ prompt: { content, file, isBegun }, onEdit, onClear }: OwnPromptProps) {
  const has = content !== null || file !== null;
  return (
    <section class="own-prompt" aria-label={d.prompts.here}>
      <h3>{d.prompts.here}</h3>
      <p>
        <strong>{file ?? (has ? d.prompts.own : d.prompts.none)}</strong>
        {isBegun && (
          <button type="button" class="quiet" onClick={onEdit}>
            {d.prompts.edit}
          </button>
        )}
        {has && (
          <button type="button" class="quiet" onClick={onClear}>
            {d.prompts.remove}
          </button>
        )}
      </p>
      {content !== null && (
        <p class="text" dir="auto">
          {content}
        </p>
      )}
    </section>
  );
}

interface PromptFileProps {
  readonly file: PromptListItem;
  readonly isUsed: boolean;
  readonly onUse: () => void;
  readonly onEdit: () => void;
  readonly onDelete: () => void;
}

function PromptFile({ file, isUsed, onUse, onEdit, onDelete }: PromptFileProps) {
  const { filename, preview, word_count: words } = file;
  return (
    <li>
      <p class="name">
        <strong>{filename}</strong> <span>{isUsed ? d.prompts.used : d.prompts.words(words)}</span>
      </p>
      <p class="text" dir="auto">
        {preview}
      </p>
      <div class="actions">
        <button
          type="button"
          class="quiet danger"
          aria-label={d.prompts.deleteFor(filename)}
          onClick={onDelete}
        >
          {d.prompts.delete}
        </button>
        <button type="button" class="quiet" aria-label={d.prompts.editFor(filename)} onClick={onEdit}>
          {d.prompts.edit}
        </button>
        <button type="button" aria-label={d.prompts.useOf(filename)} disabled={isUsed} onClick={onUse}>
          {d.prompts.use}
        </button>
      </div>
    </li>
  );
}
