// Files dropped anywhere on the page: conversations to import. A browser left alone would open them in the page's place.
import { useEffect, useState } from 'preact/hooks';
import { t } from '../lang/text.ts';
import { importFiles } from '../state/imports.ts';
import { open } from './dialogs.tsx';

export function DropFiles() {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const away = new AbortController();
    const on = (name: 'dragover' | 'dragleave' | 'drop', listener: (event: DragEvent) => void) =>
      document.addEventListener(name, listener, { signal: away.signal });
    on('dragover', (event) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      setOver(true);
    });
    on('dragleave', (event) => event.relatedTarget === null && setOver(false));
    on('drop', (event) => {
      setOver(false);
      // The composer takes pictures.
      const files = [...(event.dataTransfer?.files ?? [])].filter(({ type }) => !type.startsWith('image/'));
      if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
      if (files.length === 0) return;
      open('import');
      void importFiles(files);
    });
    return () => away.abort();
  }, []);
  return isOver ? <div class="drop-here">{t.import.drop}</div> : null;
}
