// What the model was sent for one answer, and what was left out: the thing that other clients do not show.
import type { ContextReceipt } from '../../src/client/index.ts';
import { t } from '../lang/text.ts';
import { Dialog } from '../ui/dialog.tsx';

interface ReceiptProps {
  readonly receipt: ContextReceipt;
  readonly onClose: () => void;
}

export function Receipt({ receipt, onClose }: ReceiptProps) {
  const words = t.receipt;
  const rows: readonly (readonly [string, string | null])[] = [
    [words.sent, words.messages(receipt.messages_sent)],
    [words.leftOut, receipt.messages_left_out === 0 ? null : words.messages(receipt.messages_left_out)],
    [words.summary, receipt.messages_left_out === 0 ? null : receipt.summary_used ? words.yes : words.no],
    [words.window, tokens(receipt.window)],
    [words.loaded, receipt.loaded_window === receipt.window ? null : tokens(receipt.loaded_window)],
    [words.planned, tokens(receipt.planned_tokens)],
    [words.measured, tokens(receipt.prompt_tokens)],
    [words.written, tokens(receipt.output_tokens)],
    [words.reused, words.messages(receipt.prefix_reused)],
    [words.broken, receipt.cache_break && (words.reasons[receipt.cache_break] ?? receipt.cache_break)],
  ];
  return (
    <Dialog title={words.title} onClose={onClose}>
      {receipt.suspected_truncation && <p role="alert">{words.truncated}</p>}
      <dl class="receipt">
        {rows.map(([name, value]) =>
          value === null ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
        )}
      </dl>
    </Dialog>
  );
}

function tokens(count: number | null): string | null {
  return count === null ? null : t.receipt.tokens(count);
}
