// A tool that was taken into the registry: as its source describes it, with what is made of that.
import type { ValidateFunction } from 'ajv/dist/2020.js';
import type { EngineTool } from '../contract/engine.ts';
import type { DescribedTool, ToolSource } from './tool.ts';

export interface RegisteredTool extends DescribedTool, EngineTool {
  /** What models are shown: the schema made flat. */
  readonly parameters: EngineTool['parameters'];
  /** SHA-256 of source, name, description and whole schema: whoever trusted the tool trusted these. */
  readonly fingerprint: string;
  readonly source: ToolSource;
  /** Against the whole schema; tells every misfit. */
  readonly validate: ValidateFunction;
}
