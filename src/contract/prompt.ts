// System prompt files: texts that people keep beside the database.
import { type Static, Type } from 'typebox';

/** Longest system prompt, in code points (ORIGINAL.md §7: the owner's wish). */
export const PROMPT_LENGTH = 20_000;

/** The text of a system prompt: not blank, and of bounded length. */
export const PromptContent = Type.String({
  minLength: 1,
  maxLength: PROMPT_LENGTH,
  pattern: '\\S',
  examples: ['You review code. Be brief and kind.'],
});

const Filename = Type.String({
  minLength: 4,
  pattern: '^[^/\\\\]*\\.md$',
  description:
    'Ends in `.md`; no `/` or `\\`, no leading dot, no control characters, at most 255 bytes. Stored in Unicode form NFC.',
  examples: ['reviewer.md'],
});

export const Prompt = Type.Object(
  {
    filename: Type.String({ examples: ['reviewer.md'] }),
    content: Type.String({ description: 'Written as UTF-8. A file in UTF-16 with its mark is read, too.' }),
  },
  {
    $id: 'Prompt',
    examples: [{ filename: 'reviewer.md', content: 'You review code. Be brief and kind.' }],
  },
);
export type Prompt = Static<typeof Prompt>;

export const PromptListItem = Type.Object(
  {
    filename: Type.String(),
    preview: Type.String({ description: 'At most 250 characters.' }),
    word_count: Type.Integer(),
  },
  {
    $id: 'PromptListItem',
    examples: [{ filename: 'reviewer.md', preview: 'You review code. Be brief and kind.', word_count: 7 }],
  },
);
export type PromptListItem = Static<typeof PromptListItem>;

export const CreatePrompt = Type.Object(
  { filename: Filename, content: PromptContent },
  {
    $id: 'CreatePrompt',
    examples: [{ filename: 'reviewer.md', content: 'You review code. Be brief and kind.' }],
  },
);

export const PromptInput = Type.Object(
  { content: PromptContent },
  { $id: 'PromptInput', examples: [{ content: 'You review code. Be brief, kind and exact.' }] },
);

/** Whether a text may be a system prompt; the schema says the same of what comes in a body. */
export function isPromptContent(text: string): boolean {
  // Counts units first: most texts are far below, and a code point takes two units at most.
  const isShort = text.length <= PROMPT_LENGTH || Array.from(text).length <= PROMPT_LENGTH;
  return isShort && /\S/.test(text);
}
