// The models that are there, which of them are in memory, and fetching another one.
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { ListLoadedModelsAnswer, Model } from '../../src/client/index.ts';
import { newest } from '../../src/client/store/newest.ts';
import { d } from '../lang/dialog-text.ts';
import { t } from '../lang/text.ts';
import { showBytes } from '../lib/times.ts';
import { models, refreshModels } from '../state/models.ts';
import { attemptUnasked, mochi } from '../state/server.ts';
import { Dialog } from '../ui/dialog.tsx';
import { useTrial } from '../ui/use-trial.ts';
import type { DialogProps } from './dialogs.tsx';
import { PullForm } from './pull-form.tsx';

type Loaded = ListLoadedModelsAnswer['models'][number];

/** Models come and go in memory, and nobody tells. */
const LOOK_AGAIN_MS = 10_000;

const newestLoaded = newest();

export function ModelsDialog({ onClose }: DialogProps) {
  const [loaded, setLoaded] = useState<readonly Loaded[]>([]);
  const { fault, attempt } = useTrial();
  const look = useCallback(async () => {
    const answer = await newestLoaded(() => attemptUnasked(() => mochi.models.loaded()));
    if (answer !== null) setLoaded(answer.models);
  }, []);
  useEffect(() => {
    void refreshModels();
    void look();
    const timer = setInterval(() => {
      if (!document.hidden) void look();
    }, LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [look]);
  const remove = async (name: string, size: string) => {
    // oxlint-disable-next-line eslint/no-alert -- The browser's own question: nothing else can be pressed meanwhile.
    if (!confirm(d.models.deleteAsk(name, size))) return;
    await attempt(() => mochi.models.delete(name));
    await Promise.all([refreshModels(), look()]);
  };
  return (
    <Dialog title={t.models} onClose={onClose}>
      {fault !== null && <p role="alert">{fault}</p>}
      <ul class="models">
        {models.value?.map((model) => (
          <ModelLine
            key={model.name}
            model={model}
            loaded={loaded.find(({ name }) => name === model.name) ?? null}
            onDelete={(size) => void remove(model.name, size)}
          />
        ))}
      </ul>
      <PullForm />
    </Dialog>
  );
}

interface ModelLineProps {
  readonly model: Model;
  /** Null: it is not in memory. */
  readonly loaded: Loaded | null;
  readonly onDelete: (size: string) => void;
}

function ModelLine({ model, loaded, onDelete }: ModelLineProps) {
  const { name, parameter_size: parameters, size_mb: megabytes, capabilities } = model;
  const size = showBytes(megabytes * 1_048_576);
  return (
    <li>
      <strong>{name}</strong>
      <span>{[parameters, size, ...capabilities].filter((part) => part !== '').join(' · ')}</span>
      {loaded !== null && <span class="loaded">{d.models.loaded(loaded.expires_in_seconds)}</span>}
      <button
        type="button"
        class="quiet danger"
        aria-label={d.models.deleteFor(name)}
        onClick={() => onDelete(size)}
      >
        {d.models.delete}
      </button>
    </li>
  );
}
