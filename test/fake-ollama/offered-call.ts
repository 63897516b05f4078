// Makes up a call of a tool that the request offers, so that programs work with any tools.

import type { OfferedTool, RequestBody } from './chat-request.ts';
import type { FakeToolCall } from './chat-script.ts';

type Schema = Readonly<Record<string, unknown>>;

/** A valid call of the tool at this position (of the first one when there are fewer); none without tools. */
export function offeredCall(body: RequestBody, position = 0): FakeToolCall | undefined {
  const tool = body.tools?.[position] ?? body.tools?.[0];
  return tool && { name: tool.function.name, args: sampleArguments(tool) };
}

function sampleArguments(tool: OfferedTool): Record<string, unknown> {
  return sampleObject(tool.function.parameters ?? {});
}

/** Required properties only. */
function sampleObject(schema: Schema): Record<string, unknown> {
  const properties = (schema['properties'] ?? {}) as Record<string, Schema>; // JSON Schema by contract
  const required = (schema['required'] ?? []) as string[];
  return Object.fromEntries(required.map((name) => [name, sampleValue(properties[name] ?? {})]));
}

/** A value that fits a schema as clients send them. */
export function sampleValue(schema: Schema): unknown {
  const choices = schema['enum'];
  if (Array.isArray(choices)) return choices[0];
  const type = Array.isArray(schema['type']) ? schema['type'][0] : schema['type'];
  switch (type) {
    case 'integer':
    case 'number':
      return 1;
    case 'boolean':
      return true;
    case 'array':
      return [sampleValue((schema['items'] ?? {}) as Schema)];
    case 'object':
      return sampleObject(schema);
    default:
      return 'Paris';
  }
}
