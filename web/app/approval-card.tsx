// A question to the person: may this run? It waits as long as it must, and is answered once.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { type Approval, type DecideInput, isMochiError } from '../../src/client/index.ts';
import { t } from '../lang/text.ts';
import { chat } from '../state/chat.ts';
import { mochi } from '../state/server.ts';
import { AnswerForm } from './answer-form.tsx';

type Form = 'edit' | 'respond' | 'deny';

export function ApprovalCard({ approval }: { readonly approval: Approval }) {
  const [form, setForm] = useState<Form | null>(null);
  const [isDecided, setDecided] = useState(false);
  const { kind, tool_name: tool, agent_name: agent, digest } = approval;
  const card = useRef<HTMLElement>(null);
  useFocusAfter(card);
  const complete = (input: DecideInput) => ({ ...input, ...(digest !== null && { digest }) });
  const decide = async (input: DecideInput) => {
    setDecided(true);
    await chat.value?.decide(approval.confirmation_id, complete(input));
    // Where it failed it is still asked.
    setDecided(false);
  };
  const closeForm = () => {
    setForm(null);
    card.current?.focus();
  };
  /** What was written stays until it is taken. */
  const decideByForm = async (input: DecideInput) => {
    try {
      await mochi.approvals.decide(approval.confirmation_id, complete(input));
    } catch (error) {
      if (!isMochiError(error)) throw error;
      return error.message;
    }
    closeForm();
    return null;
  };
  const words = t.approval;
  return (
    <section ref={card} class="approval" tabIndex={0} aria-label={`${words[kind]} ${tool}`}>
      <p class="ask">
        {words[kind]} {kind !== 'plan' && <code>{tool}</code>}
      </p>
      {agent !== null && <p class="hint">{words.agent(agent)}</p>}
      {approval.question !== null && <p dir="auto">{approval.question.message}</p>}
      {approval.plan !== null && (
        <pre dir="auto" tabIndex={0}>
          {approval.plan}
        </pre>
      )}
      {kind !== 'plan' && <Arguments args={approval.arguments} />}
      {approval.rule !== null && <p class="hint">{words.rule(approval.rule)}</p>}
      {form !== null && (
        <AnswerForm approval={approval} form={form} onDone={decideByForm} onCancel={closeForm} />
      )}
      {form === null && (
        <Decisions approval={approval} isDecided={isDecided} onForm={setForm} onDecide={decide} />
      )}
    </section>
  );
}

/** A card that goes with the focus in it leaves it to the next one, or to where one writes. */
function useFocusAfter(card: { readonly current: HTMLElement | null }): void {
  useLayoutEffect(
    () => () => {
      if (card.current?.contains(document.activeElement) !== true) return;
      const next = [...document.querySelectorAll<HTMLElement>('.approval')].find(
        (one) => one !== card.current,
      );
      (next ?? document.querySelector<HTMLElement>('.composer textarea'))?.focus();
    },
    [card],
  );
}

interface DecisionsProps {
  readonly approval: Approval;
  readonly isDecided: boolean;
  readonly onForm: (form: Form) => void;
  readonly onDecide: (input: DecideInput) => Promise<void>;
}

function Decisions({ approval, isDecided, onForm, onDecide }: DecisionsProps) {
  const { kind, allowed_decisions: allowed, allowed_scopes: scopes } = approval;
  const words = t.approval;
  return (
    <div class="actions">
      {allowed.includes('deny') && (
        <button
          type="button"
          class="quiet danger"
          data-key="d"
          disabled={isDecided}
          onClick={() => onForm('deny')}
        >
          {words.deny}
        </button>
      )}
      {allowed.includes('respond') && (
        <button type="button" class="quiet" disabled={isDecided} onClick={() => onForm('respond')}>
          {kind === 'question' ? words.answer : words.respond}
        </button>
      )}
      {allowed.includes('edit') && (
        <button type="button" class="quiet" disabled={isDecided} onClick={() => onForm('edit')}>
          {words.edit}
        </button>
      )}
      {allowed.includes('approve') && scopes.includes('session') && (
        <button
          type="button"
          disabled={isDecided}
          onClick={() => void onDecide({ decision: 'approve', scope: 'session' })}
        >
          {words.session}
        </button>
      )}
      {allowed.includes('retry') && (
        <button type="button" disabled={isDecided} onClick={() => void onDecide({ decision: 'retry' })}>
          {words.retry}
        </button>
      )}
      {allowed.includes('approve') && (
        <button
          type="button"
          class="main"
          data-key="a"
          disabled={isDecided}
          onClick={() => void onDecide({ decision: 'approve' })}
        >
          {words.approve}
        </button>
      )}
    </div>
  );
}

/** As a table: what is long or deep stays readable. */
function Arguments({ args }: { readonly args: Approval['arguments'] }) {
  const entries = Object.entries(args ?? {});
  if (entries.length === 0) return null;
  return (
    <dl class="arguments">
      {entries.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd dir="auto">{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
