// A call of a tool: what was asked, and what came of it.
import type { AgentView, CallOutcome } from '../../src/client/index.ts';
import { t } from '../lang/text.ts';
import { Icon } from '../ui/icon.tsx';

interface ShownCall {
  readonly name: string;
  readonly args: unknown;
  /** Null: not yet. */
  readonly result: string | null;
  readonly outcome: CallOutcome | null;
  /** How far it is, in words of the tool. */
  readonly progress?: string | null;
  /** Of a call of `agent` that goes on. */
  readonly agent?: AgentView | undefined;
}

export interface CallCardProps {
  readonly call: ShownCall;
  /** A person has to say first whether it may run. */
  readonly isWaiting?: boolean;
}

export function ToolCard({ call, isWaiting = false }: CallCardProps) {
  const { name, args, result, outcome, progress = null } = call;
  return (
    <details class={`tool ${outcome ?? ''}`}>
      <summary>
        <Icon name="tool" />
        <code>{name}</code> <span class="state">{progress ?? stateOf(outcome, isWaiting)}</span>
      </summary>
      <h3>{t.tools.arguments}</h3>
      <pre dir="ltr">{typeof args === 'string' ? args : JSON.stringify(args, null, 2)}</pre>
      {result !== null && (
        <>
          <h3>{t.tools.result}</h3>
          <pre dir="auto">{result}</pre>
        </>
      )}
    </details>
  );
}

export function stateOf(outcome: CallOutcome | null, isWaiting: boolean): string {
  if (outcome !== null) return t.tools.ends[outcome];
  return isWaiting ? t.tools.waiting : t.tools.running;
}
