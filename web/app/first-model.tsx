// Before the first word: an invitation, or what stands in its way. One can write already, whatever it is.
import { useEffect } from 'preact/hooks';
import { t } from '../lang/text.ts';
import { showBytes } from '../lib/times.ts';
import { firstMessage, holdFirst, isWithoutModel } from '../state/first-message.ts';
import { health } from '../state/health.ts';
import { models, modelsFault, pullModel, pulls, refreshModels } from '../state/models.ts';
import { engineWait } from '../state/server.ts';
import { PullForm } from './pull-form.tsx';

/** By the name of the engine: each has names of its own. */
const OFFERED: Readonly<Record<string, readonly { readonly name: string; readonly size: string }[]>> = {
  ollama: [
    { name: 'qwen3:0.6b', size: '520 MB' },
    { name: 'smollm2:135m', size: '270 MB' },
  ],
  embedded: [
    { name: 'qwen3-0.6b', size: '640 MB' },
    { name: 'smollm2-135m', size: '98 MB' },
  ],
};

export function FirstModel() {
  if (engineWait.value !== null)
    return <EngineBeingFetched progress={engineWait.value.details['progress']} />;
  if (modelsFault.value !== null) return <NoEngine text={modelsFault.value.message} />;
  if (models.value === null) return null;
  if (isWithoutModel.value) return <NoModel />;
  return (
    <div class="empty">
      <h2>{t.empty.title}</h2>
      <p>{t.empty.text}</p>
    </div>
  );
}

function NoModel() {
  useLookingAgain();
  const offered = OFFERED[health.value?.engine.name ?? ''] ?? [];
  return (
    <div class="empty">
      <h2>{t.first.title}</h2>
      <p>{t.first.text}</p>
      <div class="cards">
        {offered.map(({ name, size }) => (
          <button
            type="button"
            key={name}
            disabled={pulls.value.has(name)}
            onClick={() => void pullModel(name)}
          >
            <strong>{t.first.fetch(name)}</strong>
            <span>{size}</span>
          </button>
        ))}
      </div>
      <PullForm />
      <Waiting />
    </div>
  );
}

/** What was written already: it goes when there is a model. */
function Waiting() {
  if (firstMessage.value === null) return null;
  return (
    <article class="row user" aria-label={t.you}>
      <div class="said" dir="auto">
        {firstMessage.value.text}
      </div>
      <div class="cut" role="status">
        {t.first.waits}
        <button type="button" class="quiet" onClick={() => holdFirst(null)}>
          {t.discard}
        </button>
      </div>
    </article>
  );
}

/** An engine that is started now, or a model that is fetched elsewhere, is found without anybody's help. */
const LOOK_AGAIN_MS = 5000;

function useLookingAgain(): void {
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) void refreshModels();
    }, LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
}

function NoEngine({ text }: { readonly text: string }) {
  useLookingAgain();
  return (
    <div class="empty">
      <h2>{t.first.noEngine}</h2>
      <p role="alert" dir="auto">
        {text}
      </p>
      <p>{t.first.looksAgain}</p>
      <button type="button" onClick={() => void refreshModels()}>
        {t.first.lookNow}
      </button>
      <Waiting />
    </div>
  );
}

function EngineBeingFetched({ progress }: { readonly progress: unknown }) {
  const { status, completed, total } = Object(progress) as Readonly<Record<string, unknown>>;
  const isKnown = typeof completed === 'number' && typeof total === 'number' && total > 0;
  const done = isKnown ? t.first.progress(Math.floor((completed / total) * 100), showBytes(total)) : '';
  return (
    <div class="empty">
      <h2>{t.first.engine}</h2>
      <p>{t.first.underway}</p>
      <div class="pull">
        <label>
          {[typeof status === 'string' ? status : '', done].filter((part) => part !== '').join(': ')}
          <progress max={isKnown ? total : undefined} value={isKnown ? completed : undefined} />
        </label>
      </div>
    </div>
  );
}
