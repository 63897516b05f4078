// The tools of a turn as one model call offers them, what they cost, and what the receipt says of them.
import { createHash } from 'node:crypto';
import type { ContextReceipt } from '../../contract/context-window.ts';
import { type EngineTool, mayDo } from '../../contract/engine.ts';
import type { RegisteredTool } from '../../tools/registered-tool.ts';
import { estimateTokens, NO_SIZE, type PromptSize, sizeOf } from '../../window/estimate.ts';
import { toolSettingsOf } from '../turn-request.ts';
import type { PlanDeps, PlannedRequest } from './ask-window.ts';

type ToolsQuestion = Pick<PlannedRequest, 'offer' | 'model'>;

/** None to a model that cannot call tools. */
export function offeredTools({ offer, model }: ToolsQuestion): readonly RegisteredTool[] {
  // A call that is forced needs no more than structured output.
  return mayDo(model, 'tools') || offer.forced !== undefined ? offer.tools : [];
}

/** Of these the model has to call one now, which it is not sent as tools; none: it does as it likes. */
export function forcedOf({ offer }: Pick<ToolsQuestion, 'offer'>): readonly RegisteredTool[] {
  return offer.forced ?? [];
}

/** What engines are told: a source has more to say of its tools. */
export function toEngineTools(tools: readonly EngineTool[]): EngineTool[] {
  return tools.map(({ name, description, parameters }) => ({ name, description, parameters }));
}

/** Of what is written into the prompt for them. */
export function toolsSize(question: ToolsQuestion): PromptSize {
  const tools = forcedOf(question).length > 0 ? [] : offeredTools(question);
  return tools.length === 0 ? NO_SIZE : sizeOf({ content: JSON.stringify(toEngineTools(tools)) });
}

/** By which the tools of two prompts are compared; null: none. */
export function toolsDigest(question: ToolsQuestion): string | null {
  const tools = offeredTools(question);
  if (tools.length === 0 || forcedOf(question).length > 0) return null;
  return createHash('sha256')
    .update(JSON.stringify(toEngineTools(tools)))
    .digest('hex')
    .slice(0, 16);
}

/** Nothing where neither the session names tools nor the request brings any. */
export function toolsReceipt(
  deps: PlanDeps,
  question: PlannedRequest,
): Pick<ContextReceipt, 'tools_offered' | 'tools_missing' | 'tools_tokens'> {
  const { offer, session, request } = question;
  if (toolSettingsOf(session, request).tools.length === 0 && offer.tools.length === 0) return {};
  return {
    tools_offered: offeredTools(question).map(({ name }) => name),
    tools_missing: [...offer.missing],
    tools_tokens: estimateTokens(toolsSize(question), deps.tokenRatios.current(session.model)),
  };
}
