// A button that opens a list of actions.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';

export interface MenuItem {
  readonly label: string;
  /** A second line, smaller. */
  readonly detail?: string;
  readonly isDanger?: boolean;
  /** It is the one that is chosen. */
  readonly isCurrent?: boolean;
  readonly onChoose: () => void;
}

interface MenuProps {
  readonly label: string;
  /** A function is asked when it opens. */
  readonly items: readonly MenuItem[] | (() => Promise<readonly MenuItem[]>);
  readonly children: ComponentChildren;
}

export function Menu({ label, items, children }: MenuProps) {
  const [shown, setShown] = useState<readonly MenuItem[] | null>(null);
  const place = useRef<HTMLDivElement>(null);
  const id = useId();
  const isOpen = shown !== null;
  const close = () => setShown(null);
  const toggle = async () => {
    if (isOpen) close();
    else setShown(typeof items === 'function' ? await items() : items);
  };
  useEffect(() => {
    if (!isOpen) return;
    const away = new AbortController();
    const onPointer = (event: PointerEvent) => {
      if (!place.current?.contains(event.target as Node)) setShown(null);
    };
    document.addEventListener('pointerdown', onPointer, { signal: away.signal });
    const entries = entriesOf(place.current);
    (entries.find((entry) => entry.ariaChecked === 'true') ?? entries[0])?.focus();
    return () => away.abort();
  }, [isOpen]);
  const onKey = (event: KeyboardEvent) => {
    const entries = entriesOf(place.current);
    const at = entries.indexOf(document.activeElement as HTMLElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Escape' && isOpen) {
      event.stopPropagation();
      close();
      place.current?.querySelector('button')?.focus();
    } else if (step !== undefined && isOpen) {
      event.preventDefault();
      event.stopPropagation();
      entries[(at + step + entries.length) % entries.length]?.focus();
    }
  };
  return (
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- Keys of the entries inside.
    <div class="menu" ref={place} onKeyDown={onKey}>
      <button
        type="button"
        class="quiet"
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => void toggle()}
      >
        {children}
      </button>
      {isOpen && (
        <div role="menu" id={id} class="entries">
          {shown.map((item, index) => (
            <Entry key={index} item={item} onClose={close} />
          ))}
        </div>
      )}
    </div>
  );
}

function Entry({ item, onClose }: { readonly item: MenuItem; readonly onClose: () => void }) {
  const { label, detail, isDanger = false, isCurrent, onChoose } = item;
  return (
    <button
      type="button"
      role={isCurrent === undefined ? 'menuitem' : 'menuitemradio'}
      aria-checked={isCurrent}
      class={isDanger ? 'danger' : ''}
      onClick={() => {
        onClose();
        onChoose();
      }}
    >
      <span dir="auto">{label}</span>
      {detail !== undefined && <small>{detail}</small>}
    </button>
  );
}

function entriesOf(place: HTMLElement | null): HTMLElement[] {
  return [...(place?.querySelectorAll<HTMLElement>('[role^=menuitem]') ?? [])];
}
