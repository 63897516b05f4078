// The keys of the page.
import { d } from '../lang/dialog-text.ts';
import { Dialog } from '../ui/dialog.tsx';
import type { DialogProps } from './dialogs.tsx';

export function KeysDialog({ onClose }: DialogProps) {
  return (
    <Dialog title={d.keys.title} onClose={onClose}>
      {d.keys.groups.map(({ name, keys }) => (
        <section key={name}>
          <h3>{name}</h3>
          <dl class="keys">
            {keys.map(([key, does]) => (
              <div key={key}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Dialog>
  );
}
