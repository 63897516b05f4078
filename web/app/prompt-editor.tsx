// The text of a system prompt: of a file, of a new one, or of this chat alone.
import { useState } from 'preact/hooks';
import { d } from '../lang/dialog-text.ts';
import { setPromptText } from '../state/prompts.ts';
import { mochi } from '../state/server.ts';
import { takeFocus } from '../ui/take-focus.ts';
import { useTrial } from '../ui/use-trial.ts';

export interface EditedPrompt {
  /** Empty: a new file. Null: no file, the text of this chat. */
  readonly filename: string | null;
  readonly content: string;
}

interface PromptEditorProps {
  readonly prompt: EditedPrompt;
  readonly onDone: () => void;
}

export function PromptEditor({ prompt, onDone }: PromptEditorProps) {
  const [name, setName] = useState(prompt.filename ?? '');
  const [content, setContent] = useState(prompt.content);
  const { fault, attempt } = useTrial();
  const save = async (event: Event) => {
    event.preventDefault();
    if (await attempt(() => store(prompt.filename, toFilename(name), content))) onDone();
  };
  return (
    <form class="prompt" onSubmit={(event) => void save(event)}>
      {prompt.filename === '' ? (
        <label>
          {d.prompts.name}
          <input
            ref={takeFocus}
            required
            dir="auto"
            placeholder="greeting.md"
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
      ) : (
        <h3>{prompt.filename ?? d.prompts.here}</h3>
      )}
      <label>
        {d.prompts.text}
        <textarea
          required
          dir="auto"
          rows={12}
          value={content}
          onInput={(event) => setContent(event.currentTarget.value)}
        />
      </label>
      {fault !== null && <p role="alert">{fault}</p>}
      <div class="actions">
        <button type="button" class="quiet" onClick={onDone}>
          {d.prompts.back}
        </button>
        <button type="submit" class="main">
          {d.prompts.save}
        </button>
      </div>
    </form>
  );
}

async function store(filename: string | null, name: string, content: string): Promise<void> {
  if (filename === null) await setPromptText(content);
  // One that is there already is not written over.
  else if (filename === '') await mochi.prompts.create({ filename: name, content });
  else await mochi.prompts.update(filename, content);
}

/** Nobody has to know how such files end. */
function toFilename(name: string): string {
  const trimmed = name.trim();
  return trimmed.endsWith('.md') ? trimmed : `${trimmed}.md`;
}
