// A question to the person: may this run? It waits as long as it must, and is answered once.
import { useState } from 'preact/hooks';
import type { Approval, DecideInput } from '../../src/client/index.ts';
import { t } from '../lang/text.ts';
import { chat } from '../state/chat.ts';
import { useFocusBack } from '../ui/use-focus-back.ts';
import { AnswerForm } from './answer-form.tsx';

type Form = 'edit' | 'respond' | 'deny';

export function ApprovalCard({ approval }: { readonly approval: Approval }) {
  const [form, setForm] = useState<Form | null>(null);
  const card = useFocusBack<HTMLElement>(form !== null);
  const [isDecided, setDecided] = useState(false);
  const { kind, tool_name: tool, agent_name: agent, digest } = approval;
  const decide = async (input: DecideInput) => {
    setDecided(true);
    setForm(null);
    await chat.value?.decide(approval.confirmation_id, {
      ...input,
      ...(digest !== null && { digest }),
    });
    // Where it failed it is still asked.
    setDecided(false);
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
        <AnswerForm approval={approval} form={form} onDone={decide} onCancel={() => setForm(null)} />
      )}
      {form === null && (
        <Decisions approval={approval} isDecided={isDecided} onForm={setForm} onDecide={decide} />
      )}
    </section>
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
