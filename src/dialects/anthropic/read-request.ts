// The body of `POST /v1/messages` → what was said, and how it is to be answered. Pure.
import type { ToolChoice } from '../../chat/answer-wishes.ts';
import { invalidField } from '../../contract/errors.ts';
import { type History, toHistory } from '../history.ts';
import { isObject } from '../read-content.ts';
import {
  chooseTools,
  type GivenTool,
  readEffort,
  readOptions,
  readTools,
  type TurnSettings,
  USUAL_SETTINGS,
} from '../settings.ts';
import type { MessagesBody } from './messages-body.ts';
import { readMessages, readSystem } from './read-messages.ts';

export interface MessagesRequest {
  readonly model: string;
  readonly isStream: boolean;
  readonly history: History;
  readonly settings: TurnSettings;
}

/** @throws MochiError validation_error, image_url_not_supported */
export function readRequest(body: MessagesBody): MessagesRequest {
  return {
    model: body.model,
    isStream: body.stream ?? false,
    history: toHistory(readMessages(body.messages), readSystem(body.system)),
    settings: {
      ...USUAL_SETTINGS,
      ...readOptions(null, {
        num_predict: body.max_tokens,
        temperature: body.temperature,
        top_p: body.top_p,
        top_k: body.top_k,
        stop: body.stop_sequences,
      }),
      think: readThink(body),
      format: readFormat(body),
      ...chooseTools(readTools(readGivenTools(body)), readChoice(body)),
      isParallel: body.tool_choice?.disable_parallel_tool_use !== true,
    },
  };
}

/** Off unless it is asked for: a budget of tokens is none that an engine could keep. */
function readThink({ thinking, output_config: output }: MessagesBody): TurnSettings['think'] {
  if (thinking?.type !== 'enabled' && thinking?.type !== 'adaptive') return false;
  return readEffort(output?.effort) ?? true;
}

function readFormat({ output_config: output, output_format: older }: MessagesBody): TurnSettings['format'] {
  const format = output?.format ?? older ?? null;
  if (format === null) return null;
  if (format['type'] === 'json_schema' && isObject(format['schema'])) return format['schema'];
  throw invalidField('/output_config/format', 'must be of type json_schema, with a schema');
}

/** Those without a schema are run by Anthropic itself, and not offered. */
function readGivenTools({ tools }: MessagesBody): GivenTool[] {
  return (tools ?? []).flatMap((tool, index) => {
    const { name, description, input_schema: schema } = tool;
    if (!isObject(schema)) return [];
    const path = `/tools/${index}`;
    if (typeof name !== 'string') throw invalidField(`${path}/name`, 'must be a string');
    return [{ name, description: typeof description === 'string' ? description : null, schema, path }];
  });
}

function readChoice({ tool_choice: choice }: MessagesBody): ToolChoice {
  switch (choice?.type ?? 'auto') {
    case 'auto':
      return 'auto';
    case 'none':
      return 'none';
    case 'any':
      return 'required';
    case 'tool':
      if (choice?.name != null) return { name: choice.name };
      throw invalidField('/tool_choice/name', 'must name a tool');
    default:
      throw invalidField('/tool_choice/type', 'must be auto, any, tool or none');
  }
}
