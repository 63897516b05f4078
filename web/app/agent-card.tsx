// A call of `agent`: what it was told, and, folded, what the agent did for it: its plan, its calls, its words.
import { useState } from 'preact/hooks';
import { type AgentView, outcomeOf } from '../../src/client/index.ts';
import { t } from '../lang/text.ts';
import { Markdown } from '../markdown/markdown.tsx';
import { readAgentSteps, type ShownStep } from '../state/agent-steps.ts';
import { attempt } from '../state/server.ts';
import { Icon } from '../ui/icon.tsx';
import { type CallCardProps, stateOf, ToolCard } from './tool-card.tsx';

/** Chats whose card stands open: it stays so when the call is done, and another row shows it. */
const opened = new Set<string>();

export function AgentCard({ call, isWaiting = false }: CallCardProps) {
  const { args, result, outcome, agent = null } = call;
  const chatId = agent?.sessionId ?? /^(?:Error: )?Session ID: (\S+)/.exec(result ?? '')?.[1] ?? null;
  const { agent: name, instruction } = args as { readonly agent?: string; readonly instruction?: string };
  const [read, setRead] = useState<readonly ShownStep[] | null>(null);
  const isRead = agent === null && chatId !== null;
  const onToggle = ({ currentTarget: { open } }: { readonly currentTarget: HTMLDetailsElement }) => {
    if (chatId === null) return;
    if (open) opened.add(chatId);
    else opened.delete(chatId);
    if (open && isRead && read === null)
      void attempt(() => readAgentSteps(chatId, instruction ?? '')).then(setRead);
  };
  const steps = agent?.steps ?? read;
  return (
    <details
      class={`tool agent ${outcome ?? ''}`}
      open={chatId !== null && opened.has(chatId)}
      onToggle={onToggle}
    >
      <summary>
        <Icon name="agent" />
        <code>{agent?.name ?? name ?? t.agent.name}</code>{' '}
        <span class="state">{agent === null ? stateOf(outcome, isWaiting) : workOf(agent, isWaiting)}</span>
      </summary>
      <h3>{t.agent.task}</h3>
      <p dir="auto">{instruction}</p>
      {steps?.map((step, index) => (
        <Step
          key={index}
          step={step}
          isGrowing={outcome === null && index === steps.length - 1}
          isWaiting={isWaiting}
        />
      ))}
      {steps === null && isRead && <p class="hint">{t.agent.reading}</p>}
      {!isRead && agent === null && result !== null && <pre dir="auto">{result}</pre>}
    </details>
  );
}

interface StepProps {
  readonly step: ShownStep;
  readonly isGrowing: boolean;
  readonly isWaiting: boolean;
}

function Step({ step, isGrowing, isWaiting }: StepProps) {
  if (step.kind === 'call') {
    const { name, arguments: args, result, success } = step.call;
    const outcome = success === null ? null : outcomeOf(result ?? '', success);
    return <ToolCard call={{ name, args, result, outcome }} isWaiting={isWaiting} />;
  }
  return (
    <section class="step">
      {step.kind === 'plan' && <h3>{t.agent.plan}</h3>}
      <Markdown text={step.content} isGrowing={isGrowing} />
    </section>
  );
}

/** What the agent is at, or how it ended, in a few words. */
function workOf({ reason, phase, round, maxRounds, steps }: AgentView, isWaiting: boolean): string {
  const words = t.agent;
  if (reason !== null) return words.ends[reason] ?? reason;
  if (isWaiting || phase === 'waiting_for_approval') return t.tools.waiting;
  if (phase === 'planning') return words.planning;
  const last = steps.at(-1);
  const tool = last?.kind === 'call' && last.call.success === null ? last.call.name : null;
  const rounds = phase === 'reporting' ? words.reporting : words.round(round, maxRounds);
  return tool === null ? rounds : `${rounds} · ${tool}`;
}
