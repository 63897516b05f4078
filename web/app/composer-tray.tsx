// Below the text: pictures, thinking, options, and what would be sent.
import { useRef } from 'preact/hooks';
import { t } from '../lang/text.ts';
import { chatState, newModel } from '../state/chat.ts';
import { chatTools } from '../state/chat-tools.ts';
import { models } from '../state/models.ts';
import { countOptions, sendOptions, setThink, type Think, thinkOf } from '../state/send-options.ts';
import { Icon } from '../ui/icon.tsx';
import { open } from './dialogs.tsx';

interface TrayProps {
  readonly onPictures: (files: FileList) => void;
  /** Null: there is nothing to send. */
  readonly onPreview: (() => void) | null;
}

export function ComposerTray({ onPictures, onPreview }: TrayProps) {
  const count = countOptions(sendOptions.value);
  return (
    <>
      {can('vision') && <PictureButton onChoose={onPictures} />}
      {can('thinking') && <ThinkChoice />}
      {can('tools') && <ToolsButton />}
      <button
        type="button"
        class="quiet"
        aria-label={count === 0 ? t.options : t.optionsSet(count)}
        title={count === 0 ? t.options : t.optionsSet(count)}
        aria-pressed={count > 0}
        onClick={() => open('options')}
      >
        <Icon name="options" />
        {count > 0 && <span class="count">{count}</span>}
      </button>
      <button
        type="button"
        class="quiet"
        aria-label={t.preview}
        title={t.preview}
        disabled={onPreview === null}
        onClick={() => onPreview?.()}
      >
        <Icon name="eye" />
      </button>
    </>
  );
}

function ToolsButton() {
  const { tools, agents } = chatTools();
  const count = tools.length + agents.length;
  const label = count === 0 ? t.offer : t.offerSet(count);
  return (
    <button
      type="button"
      class="quiet"
      aria-label={label}
      title={label}
      aria-pressed={count > 0}
      onClick={() => open('tools')}
    >
      <Icon name="tool" />
      {count > 0 && <span class="count">{count}</span>}
    </button>
  );
}

const LEVELS = ['off', 'on', 'low', 'medium', 'high'] as const;
type Level = (typeof LEVELS)[number];

function ThinkChoice() {
  const think = thinkOf(sendOptions.value);
  const shown: Level = think === true ? 'on' : think === false ? 'off' : think;
  return (
    <select
      class="quiet"
      aria-label={t.think.label}
      title={t.think.label}
      value={shown}
      onChange={({ currentTarget: { value } }) => setThink(toThink(value as Level))}
    >
      {LEVELS.map((level) => (
        <option key={level} value={level}>
          {t.think[level]}
        </option>
      ))}
    </select>
  );
}

function toThink(level: Level): Think {
  return level === 'on' || level === 'off' ? level === 'on' : level;
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

/** Whether the model of the conversation can do that. */
function can(capability: string): boolean {
  const known = models.value ?? [];
  const name = chatState.value?.session?.model ?? newModel.value ?? known[0]?.name;
  return known.find((model) => model.name === name)?.capabilities.includes(capability) ?? false;
}
