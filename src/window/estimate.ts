// How many tokens a text will cost, before anyone has counted them.

/**
 * UTF-8 bytes per token to start from. Bytes, because a Chinese character (3 bytes) costs about a token
 * where three English letters do not: one figure serves both better than characters would.
 */
export const START_BYTES_PER_TOKEN = 3.5;
/** Role marks and separators that a chat template puts around a message. */
const TOKENS_PER_MESSAGE = 4;
/** What Ollama itself counts for an image (server/prompt.go). */
const TOKENS_PER_IMAGE = 768;

export interface EstimatedMessage {
  readonly content: string;
  readonly thinking?: string | null;
  readonly images?: readonly string[];
  readonly tool_calls?: readonly unknown[] | null;
}

/** What the tokens of messages depend on; independent of the model. */
export interface PromptSize {
  /** UTF-8 bytes of text and tool calls. */
  readonly bytes: number;
  /** UTF-8 bytes of thinking: templates drop that of older messages, so it may cost nothing. */
  readonly thinkingBytes: number;
  readonly messages: number;
  readonly images: number;
}

export const NO_SIZE: PromptSize = { bytes: 0, thinkingBytes: 0, messages: 0, images: 0 };

export function sizeOf(message: EstimatedMessage): PromptSize {
  const { content, thinking, images = [], tool_calls: toolCalls } = message;
  return {
    bytes: Buffer.byteLength(content) + (toolCalls ? Buffer.byteLength(JSON.stringify(toolCalls)) : 0),
    thinkingBytes: thinking ? Buffer.byteLength(thinking) : 0,
    messages: 1,
    images: images.length,
  };
}

export function addSizes(left: PromptSize, right: PromptSize): PromptSize {
  return {
    bytes: left.bytes + right.bytes,
    thinkingBytes: left.thinkingBytes + right.thinkingBytes,
    messages: left.messages + right.messages,
    images: left.images + right.images,
  };
}

/** Rounded up, thinking included: an estimate that plans too much wastes room, one that plans too little fails. */
export function estimateTokens(size: PromptSize, bytesPerToken: number): number {
  return Math.ceil((size.bytes + size.thinkingBytes) / bytesPerToken) + fixedTokens(size);
}

/** Tokens that do not depend on the length of the text. */
export function fixedTokens(size: PromptSize): number {
  return size.messages * TOKENS_PER_MESSAGE + size.images * TOKENS_PER_IMAGE;
}
