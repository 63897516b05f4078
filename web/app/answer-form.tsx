// What a yes or no is not enough for: other arguments, an answer in the place of a result, a reason.
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { Approval, DecideInput } from '../../src/client/index.ts';
import { t } from '../lang/text.ts';
import { isComposing } from '../lib/is-composing.ts';

interface AnswerFormProps {
  readonly approval: Approval;
  readonly form: 'edit' | 'respond' | 'deny';
  /** @returns what is wrong with it; null: it was taken */
  readonly onDone: (input: DecideInput) => Promise<string | null>;
  readonly onCancel: () => void;
}

export function AnswerForm({ approval, form, onDone, onCancel }: AnswerFormProps) {
  const [text, setText] = useState(() => beginning(approval, form));
  const [fault, setFault] = useState<string | null>(null);
  const words = t.approval;
  const faultId = useId();
  useEffect(() => field.current?.focus(), []);
  const [isSending, setSending] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const send = async (event: Event) => {
    event.preventDefault();
    const input = toInput(approval, form, text);
    if (input !== null) setSending(true);
    const wrong = input === null ? words.noJson : await onDone(input);
    setSending(false);
    setFault(wrong);
    if (wrong !== null) field.current?.focus();
  };
  const label = { edit: words.editLabel, respond: words.respondLabel, deny: words.reason }[form];
  return (
    <form class="edit" onSubmit={(event) => void send(event)}>
      <label>
        {label}
        <textarea
          ref={field}
          dir="auto"
          aria-invalid={fault !== null}
          aria-describedby={fault === null ? undefined : faultId}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'Escape' && !isComposing(event) && onCancel()}
        />
      </label>
      {fault !== null && (
        <p id={faultId} class="fault" role="alert" dir="auto">
          {fault}
        </p>
      )}
      <div class="actions">
        <button type="button" class="quiet" onClick={onCancel}>
          {t.cancel}
        </button>
        <button type="submit" class="main" disabled={isSending}>
          {{ edit: words.approveEdited, respond: words.send, deny: words.deny }[form]}
        </button>
      </div>
    </form>
  );
}

function beginning(
  { kind, arguments: args, plan, question }: Approval,
  form: AnswerFormProps['form'],
): string {
  if (form === 'edit') return kind === 'plan' ? (plan ?? '') : JSON.stringify(args, null, 2);
  if (form === 'deny' || question === null) return '';
  const { properties = {} } = question.schema as { properties?: Record<string, { default?: unknown }> };
  const blank = Object.entries(properties).map(([name, field]) => [name, field.default ?? '']);
  return JSON.stringify(Object.fromEntries(blank), null, 2);
}

/** Null: it is not what is wanted. */
function toInput({ kind }: Approval, form: AnswerFormProps['form'], text: string): DecideInput | null {
  if (form === 'deny') return { decision: 'deny', ...(text.trim() !== '' && { reason: text.trim() }) };
  if (form === 'respond' && kind !== 'question') return { decision: 'respond', content: text };
  if (form === 'edit' && kind === 'plan') return { decision: 'edit', content: text };
  try {
    const given: unknown = JSON.parse(text);
    if (typeof given !== 'object' || given === null || Array.isArray(given)) return null;
    const value = given as Record<string, unknown>;
    return form === 'edit' ? { decision: 'edit', arguments: value } : { decision: 'respond', content: value };
  } catch {
    return null;
  }
}
