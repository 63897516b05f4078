// A dialog of the browser: it keeps the focus inside, closes with Escape, and gives the focus back.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { t } from '../lang/text.ts';
import { Icon } from './icon.tsx';

interface DialogProps {
  readonly title: string;
  /** Null: it stays until it has its answer. */
  readonly onClose: (() => void) | null;
  readonly children: ComponentChildren;
}

export function Dialog({ title, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const isTold = useRef(false);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => {
      dialog.current = null;
      element?.close();
    };
  }, []);
  // At once: `close` comes late, maybe after it was opened again, and then it stands here still.
  const onToggle = ({ newState }: ToggleEvent) => {
    if (newState !== 'closed' || dialog.current === null || onClose === null) return;
    isTold.current = true;
    onClose();
  };
  const onClosed = () => {
    // A browser closes also what stays, at the second Escape, whatever anybody says.
    if (isTold.current || onClose === null) dialog.current?.showModal();
    else if (dialog.current !== null) onClose();
    isTold.current = false;
  };
  const onClick = (event: MouseEvent) => {
    // The dialog itself is hit only beside its content.
    if (event.target === dialog.current) onClose?.();
  };
  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions -- Escape does the same.
    <dialog
      ref={dialog}
      aria-labelledby={heading}
      onBeforeToggle={onToggle}
      onClose={onClosed}
      onClick={onClick}
    >
      <div class="dialog">
        <header>
          <h2 id={heading}>{title}</h2>
          {onClose !== null && (
            <button type="button" class="quiet" aria-label={t.close} onClick={onClose}>
              <Icon name="close" />
            </button>
          )}
        </header>
        {children}
      </div>
    </dialog>
  );
}
