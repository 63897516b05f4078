// A call of a tool: what was asked, and what came of it.
import { t } from '../lang/text.ts';
import { Icon } from '../ui/icon.tsx';

interface ToolCardProps {
  readonly name: string;
  readonly args: unknown;
  /** Null: not yet. */
  readonly result: string | null;
  readonly success: boolean | null;
  /** A person has to say first whether it may run. */
  readonly isWaiting?: boolean;
  /** How far it is, in words of the tool. */
  readonly progress?: string | null;
}

export function ToolCard({ name, args, result, success, isWaiting = false, progress = null }: ToolCardProps) {
  const open = isWaiting ? t.tools.waiting : t.tools.running;
  const state = success === null ? open : success ? t.tools.done : t.tools.failed;
  return (
    <details class={`tool ${success === false ? 'failed' : ''}`}>
      <summary>
        <Icon name="tool" />
        <code>{name}</code> <span class="state">{progress ?? state}</span>
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
