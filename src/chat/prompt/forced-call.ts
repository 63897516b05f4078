// A call that the model must make. Engines know no such thing: it is asked for as structured output, in which the model
// can say nothing but the arguments, and its answer is told as the call.
import { invalidField } from '../../contract/errors.ts';
import { parseModelJson } from '../../kit/model-json.ts';
import type { Offer } from '../../tools/offer.ts';
import type { RegisteredTool } from '../../tools/registered-tool.ts';
import type { ToolChoice } from '../answer-wishes.ts';

type Schema = Readonly<Record<string, unknown>>;

/** @throws MochiError validation_error for a tool that is not there */
export function chosenOffer(offer: Offer, choice: ToolChoice): Offer {
  if (choice === 'auto') return offer;
  if (choice === 'none') return { ...offer, tools: [] };
  const forced = choice === 'required' ? offer.tools : offer.tools.filter(({ name }) => name === choice.name);
  if (forced.length === 0) {
    const wanted = choice === 'required' ? 'needs tools to choose from' : 'must name one of the tools';
    throw invalidField('/tool_choice', wanted);
  }
  return { ...offer, forced };
}

/** What the model may do after its first round: as it likes. */
export function freeOffer({ tools, missing }: Offer): Offer {
  return { tools, missing };
}

/** The arguments of the one tool; of several, its name, too. */
export function forcedFormat(forced: readonly RegisteredTool[]): Schema | null {
  const [only, ...others] = forced;
  if (only === undefined) return null;
  if (others.length === 0) return asObject(only.parameters);
  return { anyOf: forced.map(namedCall) };
}

function namedCall({ name, parameters }: RegisteredTool): Schema {
  return {
    type: 'object',
    properties: { name: { type: 'string', enum: [name] }, arguments: asObject(parameters) },
    required: ['name', 'arguments'],
    additionalProperties: false,
  };
}

function asObject(parameters: Schema): Schema {
  return { type: 'object', ...parameters };
}

/** The model is offered no tools then, so it is told of them; null: nothing is forced. */
export function forcedNudge(forced: readonly RegisteredTool[]): string | null {
  const [only, ...others] = forced;
  if (only === undefined) return null;
  const told = forced.map(
    ({ name, description, parameters }) =>
      `${name}${description === '' ? '' : `: ${description}`}\n${JSON.stringify(parameters)}`,
  );
  const how =
    others.length === 0
      ? `Call the function ${only.name} now: answer with its arguments as a JSON object.`
      : 'Call one of these functions now: answer with {"name": …, "arguments": {…}}.';
  return `${how}\n\n${told.join('\n\n')}`;
}

/** @returns null where the text is no such call, as one that was cut */
export function readForcedCall(
  forced: readonly RegisteredTool[],
  text: string,
): { readonly name: string; readonly arguments: Schema } | null {
  let value: unknown;
  try {
    value = parseModelJson(text);
  } catch {
    return null;
  }
  const [only, ...others] = forced;
  if (!isObject(value) || only === undefined) return null;
  if (others.length === 0) return { name: only.name, arguments: value };
  const { name, arguments: args } = value;
  const isOffered = forced.some((tool) => tool.name === name);
  return typeof name === 'string' && isOffered && isObject(args) ? { name, arguments: args } : null;
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
