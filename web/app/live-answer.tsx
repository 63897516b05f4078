// The answer that is being written.
import { outcomeOf, type ToolView, type TurnView } from '../../src/client/index.ts';
import { t } from '../lang/text.ts';
import { Markdown } from '../markdown/markdown.tsx';
import { CallCard } from './call-card.tsx';
import { Thoughts } from './thoughts.tsx';

interface LiveAnswerProps {
  readonly turn: TurnView;
  /** Those that no row shows yet. */
  readonly calls: readonly ToolView[];
  /** With the message before it, it is one answer. */
  readonly goesOn: boolean;
}

export function LiveAnswer({ turn, calls, goesOn }: LiveAnswerProps) {
  const { content, thinking, model } = turn;
  if (content === '' && thinking === '' && calls.length === 0) return null;
  return (
    <article class={goesOn ? 'row answer live goes-on' : 'row answer live'} aria-label={model ?? t.name}>
      {!goesOn && <p class="who">{model}</p>}
      {thinking !== '' && <Thoughts text={thinking} isOpen={content === ''} />}
      {content !== '' && <Markdown text={content} isGrowing={true} />}
      {calls.map(({ name, arguments: args, result, success, progress, agent }, index) => (
        <CallCard
          key={index}
          call={{
            name,
            args,
            result,
            outcome: success === null ? null : outcomeOf(result ?? '', success),
            progress: progress?.message ?? null,
            agent,
          }}
          isWaiting={turn.state === 'waiting'}
        />
      ))}
    </article>
  );
}
