// What the model was sent for one answer, and what was left out: the thing that other clients do not show.
import type { ContextReceipt } from '../../src/client/index.ts';
import { t } from '../lang/text.ts';
import { Dialog } from '../ui/dialog.tsx';

interface ReceiptProps {
  readonly receipt: ContextReceipt;
  readonly onClose: () => void;
}

export function Receipt({ receipt, onClose }: ReceiptProps) {
  return (
    <Dialog title={t.receipt.title} onClose={onClose}>
      <ReceiptRows receipt={receipt} />
    </Dialog>
  );
}

/** Also of what is not sent yet: then it is a plan. */
export function ReceiptRows({ receipt }: { readonly receipt: ContextReceipt }) {
  const words = t.receipt;
  return (
    <>
      {receipt.suspected_truncation && <p role="alert">{words.truncated}</p>}
      {receipt.num_predict_clamped && <p class="hint">{words.clamped}</p>}
      <dl class="receipt">
        {rowsOf(receipt).map(([name, value]) =>
          value === null ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
        )}
      </dl>
    </>
  );
}

function rowsOf(receipt: ContextReceipt): readonly (readonly [string, string | null])[] {
  const words = t.receipt;
  const { messages_sent: sent, messages_left_out: left, window, window_reason: reason } = receipt;
  const { tools_offered: tools = [], tools_tokens: toolsTokens = null } = receipt;
  const size = tokens(window);
  return [
    [words.model, receipt.model?.name ?? null],
    [words.sent, left === 0 ? words.messages(sent) : words.of(sent, sent + left)],
    [words.leftOut, left === 0 ? null : words.messages(left)],
    [words.summary, left === 0 ? null : receipt.summary_used ? words.yes : words.no],
    [words.window, size === null ? null : `${size} (${words.because[reason]})`],
    [words.loaded, receipt.loaded_window === window ? null : tokens(receipt.loaded_window)],
    [words.reload, receipt.reload_expected ? words.anew : null],
    [words.planned, tokens(receipt.planned_tokens)],
    [words.measured, tokens(receipt.prompt_tokens)],
    [words.written, tokens(receipt.output_tokens)],
    [words.limit, tokens(receipt.answer_limit)],
    [words.tools, tools.length === 0 ? null : words.toolsOf(tools.length, toolsTokens)],
    [words.reused, words.messages(receipt.prefix_reused)],
    [words.broken, receipt.cache_break && (words.reasons[receipt.cache_break] ?? receipt.cache_break)],
  ];
}

function tokens(count: number | null): string | null {
  return count === null ? null : t.receipt.tokens(count);
}
