// The answer of /api/chat with `stream: false`: the whole script as one JSON object.
import type { ChatScript } from './chat-script.ts';
import { jsonAnswer, sendAnswer } from './http-answer.ts';
import { type Stage, untilAborted, wait } from './play-script.ts';
import { createLineRenderer } from './render-line.ts';

/** The same script as a stream would be, in one object: what fails in mid-stream is a status 500 here. */
export async function foldScript(script: ChatScript, stage: Stage): Promise<void> {
  const { response, signal } = stage;
  await wait(script.firstTokenMs ?? 0, signal);
  if (script.answer) return sendAnswer(response, script.answer);

  const renderer = createLineRenderer(script, stage);
  // Nobody asks for it: text that is completed comes in a stream.
  if (stage.isGenerated) throw new Error('A whole answer of /api/generate is not made here.');
  const message = { role: 'assistant', content: '', thinking: '', tool_calls: [] as unknown[] };
  // Without a done chunk Ollama answers 200 with `done: false`.
  let rest: Record<string, unknown> = { model: stage.model, done: false };

  for (const step of script.steps) {
    if (step.type === 'hang') await untilAborted(signal);
    else if (step.type === 'destroy') return stage.drop();
    else if (step.type === 'pause') await wait(step.ms, signal);
    else if (step.type === 'gate') await Promise.race([step.opens, untilAborted(stage.signal)]);
    else if (step.type === 'line') {
      if (step.text.startsWith('{"error'))
        return sendAnswer(response, jsonAnswer(500, JSON.parse(step.text)));
    } else {
      rest = renderer.body(step);
      const {
        content = '',
        thinking = '',
        tool_calls: calls = [],
      } = rest['message'] as Partial<typeof message>;
      message.content += content;
      message.thinking += thinking;
      message.tool_calls.push(...calls);
      if (step.type === 'chunk') await wait(script.everyMs ?? 0, signal);
    }
  }
  const { thinking, tool_calls: calls, ...plain } = message;
  const shown = { ...plain, ...(thinking && { thinking }), ...(calls.length > 0 && { tool_calls: calls }) };
  sendAnswer(response, jsonAnswer(200, { ...rest, message: shown }));
}
