// What stands in one line of markdown: emphasis, code, links, formulas.
import { markdown, type Token } from '../../markdown/parser.ts';
import { BOLD, DIM, ITALIC, type Look, looking, type Span, STRUCK, span, UNDERLINED } from './spans.ts';

const CODE: Look = '36';
const FORMULA: Look = '35';

/** @param isOpen more of the line may come: what is begun counts as ended */
export function renderInline(text: string, look: Look, isOpen: boolean): Span[] {
  const source = isOpen ? closed(text) : text;
  const tokens = markdown.parseInline(source, {})[0]?.children ?? [];
  const spans: Span[] = [];
  const looks = [look];
  let link: { readonly url: string; text: string } | null = null;
  for (const token of tokens) {
    const current = looks.at(-1) ?? '';
    if (token.nesting === 1) {
      looks.push(looking(current, LOOKS[token.type] ?? ''));
      if (token.type === 'link_open') link = { url: attributeOf(token, 'href'), text: '' };
    } else if (token.nesting === -1) {
      looks.pop();
      if (token.type !== 'link_close' || link === null) continue;
      // Where it leads is always seen.
      if (!isSame(link)) spans.push(span(` (${link.url})`, looking(looks.at(-1) ?? '', DIM)));
      link = null;
    } else {
      const leaf = toSpan(token, current);
      if (link !== null) link.text += leaf.text;
      spans.push(leaf);
    }
  }
  return spans;
}

const LOOKS: Readonly<Record<string, Look>> = {
  strong_open: BOLD,
  em_open: ITALIC,
  s_open: STRUCK,
  link_open: UNDERLINED,
};

function toSpan(token: Token, look: Look): Span {
  switch (token.type) {
    case 'code_inline':
      return span(token.content, looking(look, CODE));
    case 'math_inline':
      return span(`${token.markup}${token.content}${closingOf(token.markup)}`, looking(look, FORMULA));
    case 'image':
      return span(`[${token.content || 'picture'}] (${attributeOf(token, 'src')})`, looking(look, DIM));
    default:
      return span(token.content, look);
  }
}

function closingOf(markup: string): string {
  return markup === '\\(' ? '\\)' : markup === '\\[' ? '\\]' : markup;
}

function attributeOf(token: Token, name: string): string {
  return String(token.attrGet(name) ?? '');
}

/** `<https://example.org>` says itself where it leads. */
function isSame({ url, text }: { readonly url: string; readonly text: string }): boolean {
  return url === text || url === `mailto:${text}` || decoded(url) === text;
}

function decoded(url: string): string {
  try {
    return decodeURI(url);
  } catch {
    return url;
  }
}

/** With what ends the code or the emphasis that is begun, so that marks are not seen while a line grows. */
function closed(text: string): string {
  const begun = text.replace(/[*_~`\\]+$/, '');
  if (countOf(begun, /`/g) % 2 === 1) return `${begun}\``;
  const words = begun.replaceAll(/`[^`]*`/g, '');
  const closers = (['**', '~~'] as const).filter(
    (mark) => countOf(words, new RegExp(escaped(mark), 'g')) % 2 === 1,
  );
  const emphasis =
    countOf(words.replaceAll('**', ''), /(?<![\w*])\*(?=\S)|(?<=\S)\*(?![\w*])/g) % 2 === 1 ? '*' : '';
  return `${begun.trimEnd()}${emphasis}${closers.toReversed().join('')}`;
}

function countOf(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

function escaped(mark: string): string {
  return mark.replaceAll('*', '\\*');
}
