// A tool that was taken into the registry: as its source describes it, with what is made of that.
import type { ValidateFunction } from 'ajv/dist/2020.js';
import type { EngineTool } from '../contract/engine.ts';
import type { CheckedArguments } from './arguments/check-arguments.ts';
import type { DescribedTool, ToolSource } from './tool.ts';

export interface RegisteredTool extends DescribedTool, EngineTool {
  /**
   * What rules, grants and the registry know it by: its name; `agent__{agent}__{name}` for a tool of an agent, whose name
   * is its own there alone.
   */
  readonly policyName: string;
  /** What models are shown: the schema made flat. */
  readonly parameters: EngineTool['parameters'];
  /** SHA-256 of source, name, description and whole schema: whoever trusted the tool trusted these. */
  readonly fingerprint: string;
  readonly source: ToolSource;
  /** Against the whole schema; tells every misfit. */
  readonly validate: ValidateFunction;
  /** Instead of the usual check of what a model wrote, for a tool that knows more than its schema says. */
  readonly check?: (given: unknown) => CheckedArguments;
}
