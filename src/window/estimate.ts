// How many tokens a text will cost, before anyone has counted them.

/**
 * UTF-8 bytes per token to start from. Bytes, because a Chinese character (3 bytes) costs about a token
 * where three English letters do not: one figure serves both better than characters would.
 */
const BYTES_PER_TOKEN = 3.5;
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

function estimateText(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
}

export function estimateMessage(message: EstimatedMessage): number {
  const { content, thinking, images = [], tool_calls: toolCalls } = message;
  return (
    TOKENS_PER_MESSAGE +
    estimateText(content) +
    (thinking ? estimateText(thinking) : 0) +
    (toolCalls ? estimateText(JSON.stringify(toolCalls)) : 0) +
    images.length * TOKENS_PER_IMAGE
  );
}
