// How full the context window was at the last answer; opens what was sent.
import { useState } from 'preact/hooks';
import { t } from '../lang/text.ts';
import { showFraction } from '../lib/times.ts';
import { chatState } from '../state/chat.ts';
import { Receipt } from './receipt.tsx';

export function WindowGauge() {
  const [isOpen, setOpen] = useState(false);
  const { session, turn } = chatState.value ?? {};
  const receipt = turn?.context ?? session?.context ?? null;
  if (receipt === null || receipt.window === null) return null;
  const used = (receipt.prompt_tokens ?? receipt.planned_tokens) + (receipt.output_tokens ?? 0);
  const isFull = used >= receipt.window;
  const text = `${inThousands(used)} / ${inThousands(receipt.window)}`;
  return (
    <>
      <button
        type="button"
        class={isFull ? 'gauge quiet full' : 'gauge quiet'}
        title={t.receipt.open}
        onClick={() => setOpen(true)}
      >
        <meter min={0} max={receipt.window} value={Math.min(used, receipt.window)} />
        <span>{text}</span>
        {isFull && <strong>{t.windowFull}</strong>}
      </button>
      {isOpen && <Receipt receipt={receipt} onClose={() => setOpen(false)} />}
    </>
  );
}

function inThousands(tokens: number): string {
  return tokens < 1000 ? String(tokens) : `${showFraction(tokens / 1024)}k`;
}
