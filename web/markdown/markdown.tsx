// A text of markdown, whole or growing: what is settled is not rendered again.
import { Component } from 'preact';
import { toNodes } from './nodes.tsx';
import { type Block, NOTHING_READ, parseBlocks, type Reading, readOn } from './parse.ts';

interface MarkdownProps {
  readonly text: string;
  /** More of it may come. */
  readonly isGrowing: boolean;
}

export class Markdown extends Component<MarkdownProps> {
  #reading: Reading = NOTHING_READ;
  #whole: { readonly text: string; readonly blocks: readonly Block[] } | null = null;

  override shouldComponentUpdate(next: MarkdownProps): boolean {
    return next.text !== this.props.text || next.isGrowing !== this.props.isGrowing;
  }

  override render({ text, isGrowing }: MarkdownProps) {
    const blocks = isGrowing ? this.#readOn(text) : this.#readWhole(text);
    return (
      <div class="markdown">
        {blocks.map((block, index) => (
          <MarkdownBlock key={index} block={block} />
        ))}
      </div>
    );
  }

  #readOn(text: string): readonly Block[] {
    this.#reading = readOn(this.#reading, text);
    return this.#reading.blocks;
  }

  /** Once: links that were defined at the end are known everywhere then. */
  #readWhole(text: string): readonly Block[] {
    if (this.#whole?.text !== text) this.#whole = { text, blocks: parseBlocks(text) };
    return this.#whole.blocks;
  }
}

interface BlockProps {
  readonly block: Block;
}

class MarkdownBlock extends Component<BlockProps> {
  override shouldComponentUpdate({ block }: BlockProps): boolean {
    const { block: shown } = this.props;
    if (block === shown) return false;
    // A link in brackets may have found its definition.
    return block.source !== shown.source || /\[[^\]]+\]/.test(block.source);
  }

  override render({ block }: BlockProps) {
    return <>{toNodes(block.tokens)}</>;
  }
}
