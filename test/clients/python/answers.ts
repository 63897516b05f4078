// A model that does what it is asked for, so that clients in another process need no queue of scripts.
import type { RequestBody } from '../../fake-ollama/chat-request.ts';
import { type ChatScript, text, thinking, toolCalls } from '../../fake-ollama/chat-script.ts';
import { errorAfter, hangAfter, script } from '../../fake-ollama/script-modifiers.ts';

const CITY = { city: 'Paris' };

/**
 * `weather 2` calls the first tool twice, `break` and `hang` do so after two words; results of tools are told, pictures
 * described, schemas filled. All else is answered `Paris.`, after a thought where the model may think.
 */
export function answers({ messages = [], tools = [], format, think }: RequestBody): ChatScript {
  if (typeof format === 'object' && format !== null) return text(JSON.stringify(fill({ ...format })));
  const results = messages.slice(messages.findLastIndex(({ role }) => role !== 'tool') + 1);
  if (results.length > 0) return text(`Told: ${results.map(({ content }) => content).join(', ')}`);
  const { content, images } = messages.findLast(({ role }) => role === 'user') ?? {};
  const [verb = '', count = '1'] = (content ?? '').split(' ');
  const [tool] = tools;
  if (images?.length) return text('A dot.');
  if (verb === 'weather' && tool !== undefined) {
    const call = { name: tool.function?.name ?? '', args: CITY };
    return toolCalls(Array.from({ length: Number(count) }, () => call));
  }
  if (verb === 'break')
    return script(text('It ', 'is '), errorAfter(2, 'llama runner process has terminated'));
  if (verb === 'hang') return script(text('It ', 'is ', 'long'), hangAfter(2));
  return think ? thinking(['Hm.'], ['Par', 'is.']) : text('Par', 'is.');
}

/** What fits one of the schemas of these clients: the place, or a call of the one tool among several. */
function fill(schema: Record<string, unknown>): unknown {
  const { properties, anyOf } = schema;
  if (Array.isArray(anyOf)) return fill({ ...anyOf[0] });
  const { name, arguments: args } = Object(properties);
  return name === undefined ? CITY : { name: name.const ?? name.enum?.[0], arguments: fill({ ...args }) };
}
