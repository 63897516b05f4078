// The models that are there, and fetching another one.
import { useEffect } from 'preact/hooks';
import { t } from '../lang/text.ts';
import { showBytes } from '../lib/times.ts';
import { models, refreshModels } from '../state/models.ts';
import { Dialog } from '../ui/dialog.tsx';
import type { DialogProps } from './dialogs.tsx';
import { PullForm } from './pull-form.tsx';

export function ModelsDialog({ onClose }: DialogProps) {
  useEffect(() => void refreshModels(), []);
  return (
    <Dialog title={t.models} onClose={onClose}>
      <ul class="models">
        {models.value?.map((model) => (
          <li key={model.name}>
            <strong>{model.name}</strong>
            <span>
              {[model.parameter_size, showBytes(model.size_mb * 1_048_576), ...model.capabilities]
                .filter((part) => part !== '')
                .join(' · ')}
            </span>
          </li>
        ))}
      </ul>
      <PullForm />
    </Dialog>
  );
}
