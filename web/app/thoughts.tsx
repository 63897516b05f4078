// What a model thought before it answered.
import { t } from '../lang/text.ts';
import { Markdown } from '../markdown/markdown.tsx';

interface ThoughtsProps {
  readonly text: string;
  /** While it is all there is to see. */
  readonly isOpen: boolean;
}

export function Thoughts({ text, isOpen }: ThoughtsProps) {
  return (
    <details class="thoughts" open={isOpen}>
      <summary>{isOpen ? t.thinking : t.thought}</summary>
      <Markdown text={text} isGrowing={isOpen} />
    </details>
  );
}
