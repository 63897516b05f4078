// The settings of the APIs of other programs: a part of the one table.
import { type Parser, wholeNumber } from './parsers.ts';
import type { Setting } from './setting.ts';
import { splitList } from './split-list.ts';

const NAMES = ['openai-chat', 'openai-responses', 'ollama', 'ai-sdk', 'anthropic'] as const;

export interface DialectConfig {
  readonly dialects: readonly (typeof NAMES)[number][];
  /** The first that fits counts; a `*` at the end of a name stands for any rest. */
  readonly modelAliases: readonly { readonly name: string; readonly model: string }[];
  /** 0: for good. */
  readonly unlistedDays: number;
}

const dialects: Parser<DialectConfig['dialects']> = {
  valueName: 'list',
  expected: `a comma list of ${NAMES.join(', ')}; or none`,
  parse: (text) => {
    if (text.toLowerCase() === 'none') return [];
    const names = splitList(text)?.map((entry) => NAMES.find((name) => name === entry.toLowerCase()));
    return names?.every((name) => name !== undefined) ? [...new Set(names)] : undefined;
  },
};

const aliases: Parser<DialectConfig['modelAliases']> = {
  valueName: 'list',
  expected: 'a comma list of NAME=MODEL such as gpt-4o-mini=qwen3:8b,claude-*=qwen3-coder:30b',
  parse: (text) => {
    const read = splitList(text)?.map((entry) => {
      const [name = '', model = '', ...rest] = entry.split('=').map((part) => part.trim());
      const isAlias = name !== '' && model !== '' && rest.length === 0 && /^[^*]*\*?$/.test(name);
      return isAlias ? { name, model } : undefined;
    });
    return read?.every((alias) => alias !== undefined) ? read : undefined;
  },
};

export const dialectSettings: { readonly [Key in keyof DialectConfig]: Setting<DialectConfig[Key]> } = {
  dialects: {
    parser: dialects,
    default: NAMES,
    description: `APIs of other programs that are answered besides /api/v1, as a comma list: ${NAMES.join(', ')}; or none`,
  },
  modelAliases: {
    parser: aliases,
    default: [],
    description:
      'Models for clients that insist on a name, as a comma list: `gpt-4o-mini=qwen3:8b,claude-*=qwen3-coder:30b`; the first that fits counts',
  },
  unlistedDays: {
    parser: wholeNumber(0, 36_500),
    default: 30,
    description:
      'Days without use after which a session goes that a client of another API began and nobody went on with by name; 0: never',
  },
};
