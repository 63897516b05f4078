// Copies a text, and says whether it did.
import { useEffect, useState } from 'preact/hooks';
import { t } from '../lang/text.ts';
import { copyText } from '../lib/clipboard.ts';
import { Icon } from './icon.tsx';

/** How long the answer stands. */
const TOLD_MS = 2000;

export function CopyButton({ text }: { readonly text: string }) {
  const [told, setTold] = useState<string | null>(null);
  useEffect(() => {
    if (told === null) return;
    const timer = setTimeout(() => setTold(null), TOLD_MS);
    return () => clearTimeout(timer);
  }, [told]);
  const copy = async () => setTold((await copyText(text)) ? t.copied : t.notCopied);
  return (
    <button
      type="button"
      class="quiet"
      data-key="c"
      aria-label={t.copy}
      title={t.copy}
      onClick={() => void copy()}
    >
      <Icon name="copy" />
      <span role="status">{told}</span>
    </button>
  );
}
