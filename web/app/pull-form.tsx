// Fetching a model by its name, and how far it is.
import { useState } from 'preact/hooks';
import { t } from '../lang/text.ts';
import { showBytes } from '../lib/times.ts';
import { type Pull, pullModel, pulls, stopPull } from '../state/models.ts';

export function PullForm() {
  const [name, setName] = useState('');
  const onSubmit = async (event: Event) => {
    event.preventDefault();
    const wanted = name.trim();
    if (wanted === '') return;
    setName('');
    // What was mistyped is mended, not typed anew.
    if (!(await pullModel(wanted))) setName((typed) => (typed === '' ? wanted : typed));
  };
  return (
    <>
      <form class="inline" onSubmit={(event) => void onSubmit(event)}>
        <input
          aria-label={t.first.other}
          placeholder={t.first.other}
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
        <button type="submit">{t.first.fetch('').trim()}</button>
      </form>
      {[...pulls.value].map(([pulled, pull]) => (
        <PullBar key={pulled} name={pulled} pull={pull} />
      ))}
    </>
  );
}

function PullBar({ name, pull }: { readonly name: string; readonly pull: Pull }) {
  const [isStopping, setStopping] = useState(false);
  const { completed, total, status } = pull;
  const isKnown = completed !== null && total !== null && total > 0;
  return (
    <div class="pull">
      <label>
        {name}: {isKnown ? t.first.progress(Math.floor((completed / total) * 100), showBytes(total)) : status}
        <progress max={isKnown ? total : undefined} value={isKnown ? completed : undefined} />
      </label>
      <button
        type="button"
        class="quiet"
        aria-label={t.first.stop(name)}
        disabled={isStopping}
        onClick={() => {
          setStopping(true);
          void stopPull(name).finally(() => setStopping(false));
        }}
      >
        {isStopping ? t.stopping : t.stop}
      </button>
    </div>
  );
}
