// Messages → tokens, by the chat template of the model.
import type { EngineMessage, EngineTool } from '../../contract/engine.ts';
import type { Jinja, LoadedModel, Token } from './binding.ts';
import { createMarks, type Marks } from './prompt-marks.ts';

export interface PromptRequest {
  readonly messages: readonly EngineMessage[];
  readonly think: boolean;
  readonly tools?: readonly EngineTool[];
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

  function render({ messages, think, tools = [] }: PromptRequest, marks: Marks): string {
    return template.render({
      messages: messages.map((message, index) =>
        toTemplateMessage(message, marks, index === messages.length - 1),
      ),
      ...(tools.length > 0 && { tools: tools.map((tool) => toTemplateTool(tool, marks)) }),
      add_generation_prompt: messages.at(-1)?.role !== 'assistant',
      enable_thinking: think,
      bos_token: model.tokens.bosString ?? '',
      eos_token: model.tokens.eosString ?? '',
    });
  }

  return (request) => {
    let marks = createMarks();
    let { messages } = request;
    let text: string;
    try {
      text = render(request, marks);
    } catch (error) {
      // Some templates refuse a system message.
      messages = withoutSystem(request.messages);
      if (messages === request.messages) throw error;
      marks = createMarks();
      text = render({ ...request, messages }, marks);
    }
    // To be gone on with: nothing may follow what the model said.
    if (messages.at(-1)?.role === 'assistant') text = marks.cutAfterContent(text, messages.length - 1);
    return { tokens: tokenize(model, text, marks), opensThinking: /<think>\s*$/.test(text) };
  };
}

function toTemplateMessage(message: EngineMessage, marks: Marks, isLast: boolean): Record<string, unknown> {
  const { thinking } = message;
  return {
    role: message.role,
    content: marks.content(message.content, isLast && message.role === 'assistant'),
    ...(thinking !== undefined && thinking !== '' && { reasoning_content: marks.text(thinking) }),
    ...(message.toolCalls !== undefined && {
      tool_calls: message.toolCalls.map(({ id, name, arguments: given }) => ({
        id,
        type: 'function',
        function: { name: marks.json(name), arguments: marks.json(given) },
      })),
    }),
    ...(message.toolName !== undefined && { name: marks.json(message.toolName) }),
    ...(message.toolCallId !== undefined && { tool_call_id: marks.json(message.toolCallId) }),
  };
}

function toTemplateTool(tool: EngineTool, marks: Marks): Record<string, unknown> {
  const { name, description, parameters } = tool;
  return { type: 'function', function: marks.json({ name, description, parameters }) };
}

function withoutSystem(messages: readonly EngineMessage[]): readonly EngineMessage[] {
  const [system, first, ...rest] = messages;
  if (system?.role !== 'system' || first?.role !== 'user') return messages;
  return [{ ...first, content: `${system.content}\n\n${first.content}` }, ...rest];
}

function tokenize(model: LoadedModel, text: string, marks: Marks): Token[] {
  const { bos, bosString, shouldPrependBosToken } = model.tokens;
  const hasBos = bosString !== null && bosString !== '' && text.startsWith(bosString);
  const tokens: Token[] = shouldPrependBosToken && bos !== null && !hasBos ? [bos] : [];
  for (const { piece, isTemplate } of marks.split(text)) {
    if (piece !== '') for (const token of model.tokenize(piece, isTemplate)) tokens.push(token);
  }
  return tokens;
}
