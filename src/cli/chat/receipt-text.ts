// The receipt of a turn in words: what the model was sent, and what was left out.
import type { ChatPreview, ContextReceipt } from '../../client/index.ts';

const number = new Intl.NumberFormat('en');

/** @returns null when nothing was left out */
export function leftOutText({
  messages_left_out: count,
  summary_used: hasSummary,
}: ContextReceipt): string | null {
  if (count === 0) return null;
  const what =
    count === 1 ? 'one older message was left out' : `${number.format(count)} older messages were left out`;
  return `(${what}${hasSummary ? '; a summary stands for them' : ''}: /context)`;
}

export function receiptText(receipt: ContextReceipt): string {
  return tableOf(receiptRows(receipt));
}

export function previewText({
  context,
  would_reload: reloads,
  engine_request: request,
}: ChatPreview): string {
  const rows = [
    ...receiptRows(context),
    ...(reloads ? [['engine', 'would load the model first'] as const] : []),
  ];
  return `${JSON.stringify(request, shortened, 2)}\n\n${tableOf(rows)}`;
}

/** Pictures are long, and nobody reads them. */
function shortened(key: string, value: unknown): unknown {
  return key === 'images' && Array.isArray(value)
    ? value.map((image) => `(${String(image).length} characters of base64)`)
    : value;
}

type Line = readonly [name: string, value: string];

function receiptRows(receipt: ContextReceipt): Line[] {
  const { window, loaded_window: loaded, planned_tokens: planned, prompt_tokens: read } = receipt;
  const count = (tokens: number | null) => (tokens === null ? 'not known' : number.format(tokens));
  const tools = receipt.tools_offered ?? [];
  const rows: (Line | null)[] = [
    receipt.model === undefined ? null : ['model', receipt.model.name],
    ['messages', messagesText(receipt)],
    [
      'prompt',
      read === null ? `about ${count(planned)} tokens` : `${count(read)} tokens (planned: ${count(planned)})`,
    ],
    receipt.output_tokens === null ? null : ['answer', `${count(receipt.output_tokens)} tokens`],
    receipt.answer_limit === null ? null : ['room for it', `${count(receipt.answer_limit)} tokens`],
    [
      'window',
      window === null
        ? "the engine's own"
        : `${count(window)} tokens (${WINDOWS[receipt.window_reason] ?? receipt.window_reason})`,
    ],
    loaded === null || loaded === window ? null : ['loaded with', `${count(loaded)} tokens`],
    tools.length === 0
      ? null
      : ['tools', `${tools.join(', ')} (about ${count(receipt.tools_tokens ?? 0)} tokens)`],
    [
      'read before',
      receipt.prefix_reused === 0 ? 'nothing' : `the first ${count(receipt.prefix_reused)} messages`,
    ],
    receipt.cache_break === null
      ? null
      : ['read anew', `because of ${BREAKS[receipt.cache_break] ?? receipt.cache_break}`],
    receipt.engine_restarted === true ? ['engine', 'was silent, and was made to load the model anew'] : null,
    receipt.suspected_truncation ? ['careful', 'the engine may have cut the beginning of the prompt'] : null,
  ];
  return rows.filter((line) => line !== null);
}

function messagesText({
  messages_sent: sent,
  messages_left_out: left,
  summary_used: hasSummary,
}: ContextReceipt): string {
  const out = left === 0 ? 'none left out' : `${number.format(left)} left out`;
  return `${number.format(sent)} sent, ${out}${hasSummary ? ', a summary stands for them' : ''}`;
}

function tableOf(rows: readonly Line[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('');
}

const WINDOWS: Readonly<Record<string, string>> = {
  initial_setup: 'chosen at the beginning',
  usage_threshold: 'grown with the conversation',
  model_change: 'chosen for another model',
  no_adjustment: 'as before',
  manual_override: 'set by hand',
  load_failed: 'no larger one could be loaded',
};

const BREAKS: Readonly<Record<string, string>> = {
  system_prompt: 'another system prompt',
  tools: 'other tools',
  edit: 'another branch',
  model: 'another model',
  options: 'other options',
  left_out: 'messages that were left out',
  reload: 'a model that was loaded anew',
};
