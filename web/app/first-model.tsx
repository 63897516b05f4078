// Before the first word: an invitation, or the models that can be fetched where there is none.
import { t } from '../lang/text.ts';
import { models, pullModel, pulls } from '../state/models.ts';
import { PullForm } from './pull-form.tsx';

const OFFERED = [
  { name: 'qwen3-0.6b', size: '640 MB' },
  { name: 'smollm2-135m', size: '98 MB' },
] as const;

export function FirstModel() {
  if (models.value === null) return null;
  if (models.value.length > 0) {
    return (
      <div class="empty">
        <h2>{t.empty.title}</h2>
        <p>{t.empty.text}</p>
      </div>
    );
  }
  return (
    <div class="empty">
      <h2>{t.first.title}</h2>
      <div class="cards">
        {OFFERED.map(({ name, size }) => (
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
    </div>
  );
}
