// What is no part of the talk itself: the system prompt, or a result that no call here asked for.
import { t } from '../lang/text.ts';
import type { RowProps } from './row.tsx';

export function SystemRow({ message }: RowProps) {
  const name = message.role === 'system' ? t.system : (message.tool_name ?? t.tool);
  return (
    <article class="row aside" aria-label={name}>
      <details>
        <summary>{name}</summary>
        <pre dir="auto">{message.content}</pre>
      </details>
    </article>
  );
}
