// The markdown that models write, into tokens. HTML is text here, and stays it: no string of it is ever parsed.
import { tex } from '@mdit/plugin-tex';
import MarkdownIt from 'markdown-it';
import cjkFriendly from 'markdown-it-cjk-friendly';

export type { Token } from 'markdown-it';

export const markdown = new MarkdownIt({ html: false, linkify: true, typographer: false })
  .use(cjkFriendly)
  // Formulas are drawn from their tokens.
  .use(tex, { delimiters: 'all', render: () => '' });
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
