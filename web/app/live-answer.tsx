// The answer that is being written.
import type { ToolView, TurnView } from '../../src/client/index.ts';
import { t } from '../lang/text.ts';
import { Markdown } from '../markdown/markdown.tsx';
import { Thoughts } from './thoughts.tsx';
import { ToolCard } from './tool-card.tsx';

interface LiveAnswerProps {
  readonly turn: TurnView;
  /** Those that no row shows yet. */
  readonly calls: readonly ToolView[];
}

export function LiveAnswer({ turn, calls }: LiveAnswerProps) {
  const { content, thinking, model } = turn;
  if (content === '' && thinking === '' && calls.length === 0) return null;
  return (
    <article class="row answer live" aria-label={model ?? t.name}>
      <p class="who">{model}</p>
      {thinking !== '' && <Thoughts text={thinking} isOpen={content === ''} />}
      {content !== '' && <Markdown text={content} isGrowing={true} />}
      {calls.map((call, index) => (
        <ToolCard
          key={index}
          name={call.name}
          args={call.arguments}
          result={call.result}
          success={call.success}
          isWaiting={turn.state === 'waiting'}
          progress={call.progress?.message ?? null}
        />
      ))}
    </article>
  );
}
