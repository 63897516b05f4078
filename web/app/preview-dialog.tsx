// What would be sent of the message that is being written: the plan of it, and the exact request.
import { d } from '../lang/dialog-text.ts';
import { previewed } from '../state/preview.ts';
import { CopyButton } from '../ui/copy-button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import type { DialogProps } from './dialogs.tsx';
import { ReceiptRows } from './receipt.tsx';

export function PreviewDialog({ onClose }: DialogProps) {
  const preview = previewed.value;
  return (
    <Dialog title={d.preview.title} onClose={onClose}>
      {preview === null ? (
        <p>{d.preview.none}</p>
      ) : (
        <>
          <ReceiptRows receipt={preview.context} />
          <section class="request">
            <h3>
              {d.preview.request}
              <CopyButton text={JSON.stringify(preview.engine_request, null, 2)} />
            </h3>
            {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- It scrolls, by the keyboard too. */}
            <pre dir="ltr" tabIndex={0}>
              {JSON.stringify(preview.engine_request, withoutPictures, 2)}
            </pre>
          </section>
        </>
      )}
    </Dialog>
  );
}

function withoutPictures(key: string, value: unknown): unknown {
  if (key !== 'images' || !Array.isArray(value)) return value;
  return value.map((picture) => d.preview.picture(String(picture).length));
}
