// Behaviours that are selected by the name of the model, for use from a shell and by benchmarks.
import type { RequestBody } from './chat-request.ts';
import { type ChatScript, mute, text, tokens, toolCall, toolCalls, twoChunks } from './chat-script.ts';
import type { FakeModel } from './fake-model.ts';
import { offeredCall, sampleValue } from './offered-call.ts';
import { cutAfter, errorAfter, everyMs, finalFields, noCounts, script } from './script-modifiers.ts';

/** What can be set about the programs. */
export type ProgramOptions = {
  /** Length of `paced`'s answer, at 30 tokens a second. Default: 90. */
  readonly pacedTokens?: number;
  /** The tool that `rogue` calls without being offered it. Default: delete_file. */
  readonly rogueTool?: string;
};

/** Program by model name, without tag. */
export type Programs = Readonly<Record<string, (body: RequestBody) => ChatScript>>;

const flood: ChatScript = { ...tokens(400), cached: true };

export function createPrograms(options: ProgramOptions = {}): Programs {
  const { pacedTokens = 90, rogueTool = 'delete_file' } = options;
  const paced = script(tokens(pacedTokens), everyMs(1000 / 30));
  return {
    slow: () => script(tokens(20), everyMs(150)),
    mute: () => mute(),
    cut: () => script(text('Partial', ' answer'), cutAfter(2)),
    'mid-error': () => script(text('Partial', ' answer'), errorAfter(2, runnerError)),
    'early-tool': (body) => toolRound(body, () => firstCall(body, 'early')),
    'two-chunks': (body) => toolRound(body, () => bothCalls(body)),
    'final-tool': (body) => toolRound(body, () => firstCall(body, 'final')),
    loop: (body) => firstCall(body, 'early'),
    'string-args': (body) => toolRound(body, () => callAsText(body)),
    'wrong-name': (body) => toolRound(body, () => misnamedCall(body)),
    'same-again': (body) => (hasFailed(body) ? afterTools(body) : firstCall(body, 'early')),
    'mixed-policy': (body) => toolRound(body, () => everyCall(body)),
    'text-call': (body) => toolRound(body, () => writtenCall(body)),
    'blank-after-tool': (body) => (hasToolResult(body) ? text('') : speakOrCall(body)),
    'many-calls': (body) => toolRound(body, () => manyCalls(body)),
    rogue: (body) =>
      hasToolResult(body) ? afterTools(body) : toolCall(rogueTool, { path: 'important.txt' }),
    nocount: () => script(text('No', ' counts'), noCounts()),
    big: () => script(text('Big', ' prompt'), finalFields({ prompt_eval_count: 40_000 })),
    'tool-then-error': (body) =>
      hasToolResult(body) ? script(text(''), errorAfter(0, runnerError)) : firstCall(body, 'early'),
    flood: () => flood,
    endless: speakOn,
    paced: () => paced,
  };
}

/** The models that stand for the programs. */
export function programModels(programs: Programs): FakeModel[] {
  return Object.keys(programs).map((name) => ({
    name: `${name}:latest`,
    capabilities: ['completion', 'tools'],
    contextLength: 131_072,
  }));
}

const runnerError = 'an error was encountered while running the model: unexpected EOF';

/** What a small model came to before Ollama stopped it. */
const ENDLESS_TOKENS = 13_000;

/** Speaks on until it is stopped, whatever it was asked; only a schema has an end. */
function speakOn({ format, options }: RequestBody): ChatScript {
  if (typeof format === 'object' && format !== null) return text(JSON.stringify(sampleValue({ ...format })));
  const limit = options?.['num_predict'];
  const isCapped = typeof limit === 'number' && limit >= 0 && limit < ENDLESS_TOKENS;
  const count = isCapped ? limit : ENDLESS_TOKENS;
  return script(tokens(count), everyMs(10), finalFields({ done_reason: 'length', eval_count: count }));
}

/** One round of tools, then an answer that quotes the result. */
function toolRound(body: RequestBody, call: () => ChatScript): ChatScript {
  return hasToolResult(body) ? afterTools(body) : call();
}

function hasToolResult(body: RequestBody): boolean {
  return body.messages?.at(-1)?.role === 'tool';
}

function afterTools(body: RequestBody): ChatScript {
  return text('The tool answered: ', body.messages?.at(-1)?.content ?? '');
}

/** Without tools in the request Ollama never parses a call, so there is none. */
function firstCall(body: RequestBody, on: 'early' | 'final'): ChatScript {
  const call = offeredCall(body);
  return call ? toolCalls([call], on) : noTools;
}

function bothCalls(body: RequestBody): ChatScript {
  const [first, second] = [offeredCall(body, 0), offeredCall(body, 1)];
  return first && second ? twoChunks(first, second) : noTools;
}

/** Everything as text: the arguments, and each value in them. */
function callAsText(body: RequestBody): ChatScript {
  const call = offeredCall(body);
  if (call === undefined) return noTools;
  const values = Object.entries(call.args as object).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return toolCalls([{ ...call, args: JSON.stringify(Object.fromEntries(values)) }]);
}

/** As small models write names down from memory. */
function misnamedCall(body: RequestBody): ChatScript {
  const call = offeredCall(body);
  return call ? toolCalls([{ ...call, name: call.name.toUpperCase().replaceAll('_', '-') }]) : noTools;
}

function manyCalls(body: RequestBody): ChatScript {
  const call = offeredCall(body);
  return call ? toolCalls(Array.from({ length: MANY_CALLS }, () => call)) : noTools;
}

/** Each tool that is offered, once and in one message: whatever the policies of them are. */
function everyCall(body: RequestBody): ChatScript {
  const calls = (body.tools ?? []).map((_tool, index) => offeredCall(body, index));
  return calls.length === 0 ? noTools : toolCalls(calls.filter((call) => call !== undefined));
}

/** As models do that were not trained on the template which the server has for them. */
function writtenCall(body: RequestBody): ChatScript {
  const call = offeredCall(body);
  return call ? text(JSON.stringify({ name: call.name, parameters: call.args })) : noTools;
}

/** Right after a tool it has nothing to say; asked once more it has. */
function speakOrCall(body: RequestBody): ChatScript {
  const results = body.messages?.filter(({ role }) => role === 'tool') ?? [];
  return results.length > 0
    ? text('The tool answered: ', results.at(-1)?.content ?? '')
    : firstCall(body, 'early');
}

/** More than a message may have run. */
const MANY_CALLS = 130;

function hasFailed(body: RequestBody): boolean {
  return hasToolResult(body) && (body.messages?.at(-1)?.content ?? '').startsWith('Error: ');
}

const noTools = text('I have', ' no tools.');
