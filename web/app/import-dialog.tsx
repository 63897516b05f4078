// Conversations out of files: which came, which did not, and why.
import { useRef } from 'preact/hooks';
import { t } from '../lang/text.ts';
import { type ImportedFile, importFiles, imports } from '../state/imports.ts';
import { addressOf } from '../state/route.ts';
import { nameOf, sessions } from '../state/sessions.ts';
import { Dialog } from '../ui/dialog.tsx';
import type { DialogProps } from './dialogs.tsx';

export function ImportDialog({ onClose }: DialogProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <Dialog title={t.import.title} onClose={onClose}>
      <p class="hint">{t.import.hint}</p>
      <div class="actions">
        <button type="button" class="main" onClick={() => input.current?.click()}>
          {t.import.choose}
        </button>
      </div>
      <input
        ref={input}
        type="file"
        accept=".json,.jsonl,.ndjson,application/json"
        aria-label={t.import.choose}
        multiple
        hidden
        onChange={({ currentTarget }) => {
          void importFiles([...(currentTarget.files ?? [])]);
          currentTarget.value = '';
        }}
      />
      <ul class="imports" role="status">
        {imports.value.map((file, index) => (
          <li key={index}>
            <Outcome file={file} onClose={onClose} />
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

interface OutcomeProps {
  readonly file: ImportedFile;
  readonly onClose: () => void;
}

function Outcome({ file: { name, answer, fault }, onClose }: OutcomeProps) {
  return (
    <>
      <strong dir="auto">{name}</strong>
      {fault !== null && <p class="fault">{fault}</p>}
      {fault === null && answer === null && <p>{t.import.underway}</p>}
      {answer !== null && <p>{t.import.done(answer.imported.length, answer.skipped.length)}</p>}
      {answer !== null && (
        <ul>
          {answer.imported.map(({ session_id: id }) => (
            <li key={id}>
              <a href={addressOf(id)} dir="auto" onClick={onClose}>
                {titleOf(id)}
              </a>
            </li>
          ))}
          {answer.skipped.map(({ source_id: id, reason }, index) => (
            <li key={`${id ?? ''} ${index}`}>{id === null ? reason : `${id}: ${reason}`}</li>
          ))}
        </ul>
      )}
    </>
  );
}

function titleOf(id: string): string {
  const item = sessions.value?.find(({ session_id: known }) => known === id);
  return item === undefined ? id : (nameOf(item) ?? t.untitled);
}
