// Tokens of markdown into elements, by a list of those that are allowed.

import { type ComponentChildren, type ComponentType, h } from 'preact';
import type { Token } from '../../src/markdown/parser.ts';
import { CodeBlock } from './code-block.tsx';
import { Formula } from './formula.tsx';
import { RemoteImage } from './remote-image.tsx';
import { misleadingHost, safeLink } from './safe-link.ts';

/** Headings of an answer stand below those of the page. */
const HEADINGS: Readonly<Record<string, string>> = {
  h1: 'h3',
  h2: 'h4',
  h3: 'h5',
  h4: 'h6',
  h5: 'h6',
  h6: 'h6',
};
const ELEMENTS = new Set([
  'p',
  'ul',
  'ol',
  'li',
  'blockquote',
  'strong',
  'em',
  's',
  'table',
  'thead',
  'tbody',
  'tr',
  'th',
  'td',
]);
/** What has a direction of its own. */
const DIRECTED = new Set(['p', 'ul', 'ol', 'blockquote', 'table', 'h3', 'h4', 'h5', 'h6']);

export function toNodes(tokens: readonly Token[]): ComponentChildren[] {
  const root: ComponentChildren[] = [];
  const stack: { readonly token: Token; readonly children: ComponentChildren[] }[] = [];
  for (const token of tokens) {
    if (token.hidden) continue;
    const children = stack.at(-1)?.children ?? root;
    if (token.nesting === 1) {
      stack.push({ token, children: [] });
    } else if (token.nesting === -1) {
      const closed = stack.pop();
      const parent = stack.at(-1)?.children ?? root;
      if (closed !== undefined) parent.push(toElement(closed.token, closed.children));
    } else children.push(...toLeaf(token));
  }
  return root;
}

function toElement(token: Token, children: ComponentChildren[]): ComponentChildren {
  if (token.type === 'link_open') return toLink(token, children);
  const name = HEADINGS[token.tag] ?? token.tag;
  if (!ELEMENTS.has(name) && HEADINGS[token.tag] === undefined) return h('span', null, children);
  const props: Record<string, unknown> = DIRECTED.has(name) ? { dir: 'auto' } : {};
  const start = token.attrGet('start');
  if (name === 'ol' && start !== null) props['start'] = Number(start);
  const align = /text-align:(left|center|right)/.exec(attributeOf(token, 'style'))?.[1];
  if (align !== undefined) props['class'] = `align-${align}`;
  const element = h(name, props, children);
  return name === 'table' ? h('div', { class: 'table', tabIndex: 0 }, element) : element;
}

function toLink(token: Token, children: ComponentChildren[]): ComponentChildren {
  const url = safeLink(attributeOf(token, 'href'));
  if (url === null) return h('span', null, children);
  const other = misleadingHost(url, textOf(children));
  return (
    <a href={url.href} target="_blank" rel="noopener noreferrer" title={url.href}>
      {children}
      {other !== null && <span class="host"> ({other})</span>}
    </a>
  );
}

function toLeaf(token: Token): ComponentChildren[] {
  switch (token.type) {
    case 'inline':
      return toNodes(token.children ?? []);
    case 'text':
    case 'text_special':
      return [token.content];
    case 'softbreak':
      return ['\n'];
    case 'hardbreak':
      return [h('br', null)];
    case 'hr':
      return [h('hr', null)];
    case 'code_inline':
      return [h('code', { dir: 'ltr' }, token.content)];
    case 'fence':
    case 'code_block':
      return [drawn(CodeBlock, { code: token.content, language: languageOf(token.info) })];
    case 'math_inline':
    case 'math_block':
      return [drawn(Formula, { source: token.content, isBlock: token.type === 'math_block' })];
    case 'image':
      return [drawn(RemoteImage, { address: attributeOf(token, 'src'), text: token.content })];
    default:
      return token.content === '' ? [] : [token.content];
  }
}

function drawn<Props extends object>(component: ComponentType<Props>, props: Props): ComponentChildren {
  return h(component, props);
}

function attributeOf(token: Token, name: string): string {
  return String(token.attrGet(name) ?? '');
}

function languageOf(info: string): string {
  return (
    info
      .trim()
      .split(/[\s{,]/, 1)[0]
      ?.toLowerCase() ?? ''
  );
}

function textOf(children: ComponentChildren): string {
  if (Array.isArray(children)) return children.map(textOf).join('');
  return typeof children === 'string' ? children : '';
}
