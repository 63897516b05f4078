// A button that opens a list of actions.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';

interface MenuItem {
  readonly label: string;
  readonly isDanger?: boolean;
  readonly onChoose: () => void;
}

interface MenuProps {
  readonly label: string;
  readonly items: readonly MenuItem[];
  readonly children: ComponentChildren;
}

export function Menu({ label, items, children }: MenuProps) {
  const [isOpen, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const id = useId();
  useEffect(() => {
    if (!isOpen) return;
    const away = new AbortController();
    const onPointer = (event: PointerEvent) => {
      if (!place.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener('pointerdown', onPointer, { signal: away.signal });
    place.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus();
    return () => away.abort();
  }, [isOpen]);
  const onKey = (event: KeyboardEvent) => {
    const entries = [...(place.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
    const at = entries.indexOf(document.activeElement as HTMLElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Escape') {
      event.stopPropagation();
      setOpen(false);
      place.current?.querySelector('button')?.focus();
    } else if (step !== undefined) {
      event.preventDefault();
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
        onClick={() => setOpen(!isOpen)}
      >
        {children}
      </button>
      {isOpen && (
        <div role="menu" id={id} class="entries">
          {items.map((item) => (
            <button
              type="button"
              role="menuitem"
              key={item.label}
              class={item.isDanger === true ? 'danger' : ''}
              onClick={() => {
                setOpen(false);
                item.onChoose();
              }}
            >
              {item.label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
