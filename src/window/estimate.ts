// How many tokens a text will cost, before anyone has counted them.
import { addText, measureText, NO_TEXT, type TextSize } from './text-size.ts';

/** How many UTF-8 bytes a token holds, by kind of text. */
export interface BytesPerToken {
  readonly plain: number;
  readonly dense: number;
}

/**
 * To start from. Words of English take about four bytes a token; digits, and letters beyond ASCII, take from one
 * byte (a small model reads Chinese in two or three tokens a character) to five.
 */
export const START_BYTES_PER_TOKEN: BytesPerToken = { plain: 3.5, dense: 1.5 };
/** Role marks and separators that a chat template puts around a message. */
const TOKENS_PER_MESSAGE = 4;
/** What Ollama itself counts for an image (server/prompt.go). */
const TOKENS_PER_IMAGE = 768;
/** Words of another language, or code, may take so much more than what was learned. */
const PLAIN_UNCERTAINTY = 1.25;
/** What a template says of itself where no system message was sent: the date, a greeting. */
const TEMPLATE_TOKENS = 64;

export interface EstimatedMessage {
  readonly content: string;
  readonly thinking?: string | null;
  readonly images?: readonly string[];
  readonly tool_calls?: readonly unknown[] | null;
}

/** What the tokens of messages depend on; independent of the model. */
export interface PromptSize {
  /** Text and tool calls. */
  readonly text: TextSize;
  /** Apart: templates drop the thinking of older messages, so it may cost nothing. */
  readonly thinking: TextSize;
  readonly messages: number;
  readonly images: number;
}

export const NO_SIZE: PromptSize = { text: NO_TEXT, thinking: NO_TEXT, messages: 0, images: 0 };

export function sizeOf(message: EstimatedMessage): PromptSize {
  const { content, thinking, images = [], tool_calls: toolCalls } = message;
  const text = measureText(content);
  return {
    text: toolCalls ? addText(text, measureText(JSON.stringify(toolCalls))) : text,
    thinking: thinking ? measureText(thinking) : NO_TEXT,
    messages: 1,
    images: images.length,
  };
}

export function addSizes(left: PromptSize, right: PromptSize): PromptSize {
  return {
    text: addText(left.text, right.text),
    thinking: addText(left.thinking, right.thinking),
    messages: left.messages + right.messages,
    images: left.images + right.images,
  };
}

/** Rounded up, thinking included: an estimate that plans too much wastes room, one that plans too little fails. */
export function estimateTokens(size: PromptSize, ratio: BytesPerToken): number {
  return Math.ceil(textTokens(addText(size.text, size.thinking), ratio)) + fixedTokens(size);
}

/** What text costs by a ratio, not rounded. */
export function textTokens({ plain, dense }: TextSize, ratio: BytesPerToken): number {
  return plain / ratio.plain + dense / ratio.dense;
}

/** Tokens that do not depend on the length of the text. */
export function fixedTokens(size: PromptSize): number {
  return size.messages * TOKENS_PER_MESSAGE + size.images * TOKENS_PER_IMAGE;
}

/** What a prompt can take at most: no token of dense text is shorter than a byte. */
export function mostTokens(size: PromptSize, ratio: BytesPerToken): number {
  const text = addText(size.text, size.thinking);
  const plain = Math.max(1, ratio.plain / PLAIN_UNCERTAINTY);
  return Math.ceil(textTokens(text, { plain, dense: 1 })) + fixedTokens(size) + TEMPLATE_TOKENS;
}
