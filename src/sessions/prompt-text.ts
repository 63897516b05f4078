// A system prompt file as the system prompt of a session.
import { MochiError } from '../contract/errors.ts';
import { isPromptContent } from '../contract/prompt.ts';
import type { PromptFiles } from '../store/prompt-files.ts';
import { readPrompt } from '../store/prompts.ts';

export interface SystemText {
  readonly content: string;
  /** The file that the text is from, or a label of the client's. */
  readonly sourceFile: string | null;
}

/** @throws MochiError invalid_filename, prompt_not_found, invalid_content, session_load_error */
export async function readPromptText(files: PromptFiles, name: string): Promise<SystemText> {
  const { filename, content } = await readPrompt(files, name);
  if (isPromptContent(content)) return { content, sourceFile: filename };
  throw new MochiError(
    'invalid_content',
    `The system prompt file ${filename} is blank, or longer than 20,000 characters. Change it first.`,
    { filename },
  );
}
