// What a page says, without what it looks like.
import { setImmediate } from 'node:timers/promises';
import { Parser } from 'htmlparser2';

/** Not for readers. */
const UNSEEN = new Set([
  'script',
  'style',
  'noscript',
  'template',
  'svg',
  'iframe',
  'object',
  'canvas',
  'select',
]);
/** Each begins a line. */
const BLOCKS = new Set(
  `address article aside blockquote dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header
  hr li main nav ol p pre section summary table tr ul title`.split(/\s+/),
);
const HEADING = /^h[1-6]$/;

const MAX_LINKS = 50;
/** Pages have no such depth; a closing tag is looked for over all of it. */
const MAX_DEPTH = 1000;
/** Characters that are read before others have a turn. */
const PIECE = 32 * 1024;

export interface PageOptions {
  /** Links are relative to it. */
  readonly url: URL;
  readonly signal: AbortSignal;
}

/** Its links stand at the end. @throws the reason of the signal */
export async function pageText(html: string, { url, signal }: PageOptions): Promise<string> {
  const page = new Page(url);
  for (let at = 0; at < html.length && !page.isTooDeep; at += PIECE) {
    page.read(html.slice(at, at + PIECE));
    await setImmediate();
    signal.throwIfAborted();
  }
  return page.text;
}

class Page {
  readonly #base: URL;
  readonly #lines: string[] = [];
  readonly #links = new Map<string, string>();
  /** Of the line that is being read, in pieces: a text that grows by characters is copied each time it is looked at. */
  #line: string[] = [];
  #depth = 0;
  /** How many of the open tags hide what is in them. */
  #unseen = 0;
  #keepsLines = 0;
  #link: { readonly href: string; readonly text: string[] } | null = null;
  readonly #parser = new Parser({
    onopentag: (name, attributes) => this.#open(name, attributes),
    ontext: (text) => this.#say(text),
    onclosetag: (name) => this.#close(name),
  });

  constructor(base: URL) {
    this.#base = base;
  }

  get isTooDeep(): boolean {
    return this.#depth > MAX_DEPTH;
  }

  get text(): string {
    this.#breakLine();
    const links = [...this.#links].map(([href, text]) => `- ${text}: ${href}`);
    const said = this.#lines
      .join('\n')
      .replace(/\n{3,}/g, '\n\n')
      .trim();
    return links.length === 0 ? said : `${said}\n\nLinks:\n${links.join('\n')}`;
  }

  read(piece: string): void {
    this.#parser.write(piece);
  }

  #open(name: string, attributes: Readonly<Record<string, string>>): void {
    this.#depth += 1;
    if (UNSEEN.has(name)) this.#unseen += 1;
    if (name === 'br' || BLOCKS.has(name)) this.#breakLine();
    if (name === 'p' || HEADING.test(name)) this.#lines.push('');
    if (HEADING.test(name)) this.#line = [`${'#'.repeat(Number(name[1]))} `];
    if (name === 'li') this.#line = ['- '];
    if (name === 'pre') this.#keepsLines += 1;
    if ((name === 'td' || name === 'th') && this.#line.length > 0) this.#line.push(' | ');
    const { href = '' } = attributes;
    if (name === 'a' && href !== '' && !href.startsWith('#')) this.#link = { href, text: [] };
  }

  #close(name: string): void {
    this.#depth -= 1;
    if (UNSEEN.has(name)) this.#unseen -= 1;
    if (name === 'pre') this.#keepsLines -= 1;
    if (name === 'a') this.#keepLink();
    if (BLOCKS.has(name)) this.#breakLine();
  }

  #say(text: string): void {
    if (this.#unseen > 0) return;
    if (this.#link !== null) this.#link.text.push(text);
    if (this.#keepsLines > 0) {
      const [first = '', ...others] = text.split('\n');
      this.#line.push(first);
      for (const line of others) {
        this.#lines.push(this.#line.join(''));
        this.#line = [line];
      }
      return;
    }
    const flat = text.replace(/\s+/g, ' ');
    const isAfterBlank = this.#line.at(-1)?.endsWith(' ') ?? true;
    const more = isAfterBlank ? flat.trimStart() : flat;
    if (more !== '') this.#line.push(more);
  }

  #keepLink(): void {
    const { href, text } = this.#link ?? { href: '', text: [] };
    this.#link = null;
    const target = URL.parse(href, this.#base.href);
    const words = text.join('').replace(/\s+/g, ' ').trim();
    if (target === null || !/^https?:$/.test(target.protocol) || words === '') return;
    if (this.#links.size < MAX_LINKS && !this.#links.has(target.href)) {
      this.#links.set(target.href, words.slice(0, 100).toWellFormed());
    }
  }

  #breakLine(): void {
    const whole = this.#line.join('');
    const line = this.#keepsLines > 0 ? whole : whole.trimEnd();
    // A mark of an item or a heading with nothing behind it says nothing.
    if (line !== '' && line !== '-' && !/^#+$/.test(line)) this.#lines.push(line);
    this.#line = [];
  }
}
