// How the messages of this conversation are sent: what is left empty is the model's own.
import { useState } from 'preact/hooks';
import { d } from '../lang/dialog-text.ts';
import { sendOptions, setOptions } from '../state/send-options.ts';
import { Dialog } from '../ui/dialog.tsx';
import type { DialogProps } from './dialogs.tsx';

type NumberName = 'temperature' | 'top_p' | 'seed' | 'num_predict';

interface Range {
  readonly min: number;
  /** Null: none. */
  readonly max: number | null;
  /** Null: whole numbers. */
  readonly step: number | null;
}

const NUMBERS: Readonly<Record<NumberName, Range>> = {
  temperature: { min: 0, max: 2, step: 0.1 },
  top_p: { min: 0, max: 1, step: 0.05 },
  seed: { min: 0, max: 2 ** 31 - 1, step: null },
  num_predict: { min: 1, max: null, step: null },
};

export function OptionsDialog({ onClose }: DialogProps) {
  const { json = false, stop = [] } = sendOptions.value;
  // Fields that are emptied by it begin anew.
  const [round, setRound] = useState(0);
  const reset = () => {
    const names = [...Object.keys(NUMBERS), 'stop', 'json'];
    setOptions(Object.fromEntries(names.map((name) => [name, undefined])));
    setRound(round + 1);
  };
  return (
    <Dialog title={d.options.title} onClose={onClose}>
      <p class="hint">{d.options.hint}</p>
      <form class="options" key={round} onSubmit={(event) => event.preventDefault()}>
        {(Object.keys(NUMBERS) as NumberName[]).map((name) => (
          <NumberField key={name} name={name} />
        ))}
        <label class="wide">
          {d.options.stop}
          <textarea
            dir="auto"
            rows={2}
            defaultValue={stop.join('\n')}
            onInput={({ currentTarget: { value } }) => setOptions({ stop: toLines(value) })}
          />
        </label>
        <label class="check wide">
          <input
            type="checkbox"
            checked={json}
            onChange={({ currentTarget: { checked } }) => setOptions({ json: checked || undefined })}
          />
          {d.options.json}
        </label>
      </form>
      <div class="actions">
        <button type="button" onClick={reset}>
          {d.options.reset}
        </button>
      </div>
    </Dialog>
  );
}

function NumberField({ name }: { readonly name: NumberName }) {
  const [initial] = useState(() => sendOptions.value[name]);
  const [fault, setFault] = useState<string | null>(null);
  const { min, max, step } = NUMBERS[name];
  const write = (input: HTMLInputElement) => {
    const wrong = faultOf(name, input);
    setFault(wrong);
    // What is wrong is not sent.
    setOptions({ [name]: wrong !== null || input.value === '' ? undefined : Number(input.value) });
  };
  return (
    <label>
      {d.options[name]}
      <input
        type="number"
        min={min}
        max={max ?? undefined}
        step={step ?? 1}
        defaultValue={initial === undefined ? '' : String(initial)}
        aria-invalid={fault !== null}
        onInput={({ currentTarget }) => write(currentTarget)}
      />
      {fault !== null && <span role="alert">{fault}</span>}
    </label>
  );
}

function faultOf(name: NumberName, { value, validity }: HTMLInputElement): string | null {
  const { min, max, step } = NUMBERS[name];
  const label = d.options[name];
  if (validity.badInput || validity.rangeUnderflow || validity.rangeOverflow)
    return d.options.wrong(label, min, max);
  return step === null && value !== '' && !Number.isInteger(Number(value)) ? d.options.whole(label) : null;
}

function toLines(text: string): readonly string[] | undefined {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.length === 0 ? undefined : lines;
}
