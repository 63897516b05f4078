// Messages → tokens, by the chat template of the model.
import type { EngineMessage } from '../../contract/engine.ts';
import { randomHex } from '../../kit/ids.ts';
import type { Jinja, LoadedModel, Token } from './binding.ts';

export interface PromptRequest {
  readonly messages: readonly EngineMessage[];
  readonly think: boolean;
}

export interface RenderedPrompt {
  readonly tokens: Token[];
  /** The template itself has opened the thinking: the answer begins inside it. */
  readonly opensThinking: boolean;
}

/** For models that bring no template. */
const CHATML =
  "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

/** @returns a function that turns messages into tokens; the template is compiled once */
export function createPromptRenderer(
  jinja: Jinja,
  model: LoadedModel,
): (request: PromptRequest) => RenderedPrompt {
  const template = new jinja.Template(model.fileInfo.metadata.tokenizer?.chat_template ?? CHATML);

  function render(messages: readonly EngineMessage[], think: boolean, marks: Marks): string {
    return template.render({
      messages: messages.map((message, index) => toTemplateMessage(message, marks.of(index))),
      add_generation_prompt: messages.at(-1)?.role !== 'assistant',
      enable_thinking: think,
      bos_token: model.tokens.bosString ?? '',
      eos_token: model.tokens.eosString ?? '',
    });
  }

  return ({ messages, think }) => {
    const marks = createMarks();
    let sent = messages;
    let text: string;
    try {
      text = render(sent, think, marks);
    } catch (error) {
      // Some templates refuse a system message.
      sent = withoutSystem(messages);
      if (sent === messages) throw error;
      text = render(sent, think, marks);
    }
    // To be gone on with: nothing may follow what the model said.
    const lastMark = marks.of(sent.length - 1);
    if (sent.at(-1)?.role === 'assistant') text = text.slice(0, text.lastIndexOf(lastMark) + lastMark.length);
    return { tokens: tokenize(model, sent, text, marks), opensThinking: /<think>\s*$/.test(text) };
  };
}

function toTemplateMessage(message: EngineMessage, content: string): Record<string, unknown> {
  return {
    role: message.role,
    content,
    ...(message.toolCalls !== undefined && {
      tool_calls: message.toolCalls.map(({ id, name, arguments: given }) => ({
        id,
        type: 'function',
        function: { name, arguments: given },
      })),
    }),
    ...(message.toolName !== undefined && { name: message.toolName }),
    ...(message.toolCallId !== undefined && { tool_call_id: message.toolCallId }),
  };
}

function withoutSystem(messages: readonly EngineMessage[]): readonly EngineMessage[] {
  const [system, first, ...rest] = messages;
  if (system?.role !== 'system' || first?.role !== 'user') return messages;
  return [{ ...first, content: `${system.content}\n\n${first.content}` }, ...rest];
}

interface Marks {
  of(index: number): string;
  readonly pattern: RegExp;
}

/**
 * The template sees marks in place of texts. What people write is tokenized apart, as plain text: nobody can
 * write a token that ends their message and begins another one. The marks cannot be guessed.
 */
function createMarks(): Marks {
  const key = randomHex(16);
  return { of: (index) => `\u0002${key}:${index}\u0003`, pattern: new RegExp(`\u0002${key}:(\\d+)\u0003`) };
}

function tokenize(
  model: LoadedModel,
  messages: readonly EngineMessage[],
  text: string,
  { pattern }: Marks,
): Token[] {
  const { bos, bosString, shouldPrependBosToken } = model.tokens;
  const hasBos = bosString !== null && bosString !== '' && text.startsWith(bosString);
  const tokens: Token[] = shouldPrependBosToken && bos !== null && !hasBos ? [bos] : [];
  // Every second part is the number of a message.
  for (const [place, part] of text.split(pattern).entries()) {
    const isText = place % 2 === 1;
    const piece = isText ? (messages[Number(part)]?.content ?? '') : part;
    if (piece !== '') for (const token of model.tokenize(piece, !isText)) tokens.push(token);
  }
  return tokens;
}
