// What the original stores beside the messages. The migrations 1.0 → 1.4 live here, told by what is there and not by
// `format_version`: coco writes nulls into every version, and the original relabels what it did not migrate.
import {
  type ContextWindowConfig,
  WINDOW_REASONS,
  type WindowReason,
} from '../../contract/context-window.ts';
import type { SessionSummary } from '../../contract/session.ts';
import { type AgentSettings, EXECUTION_POLICIES, type ToolSettings } from '../../contract/tool.ts';
import { parseOriginalTimestamp } from './timestamp.ts';
import {
  asBoolean,
  asCount,
  asList,
  asObject,
  asText,
  hasKeys,
  isJsonObject,
  isNothing,
  type JsonObject,
  take,
  takeNames,
  takeSection,
} from './values.ts';

type ExecutionPolicy = ToolSettings['execution_policy'];
type Adjustment = ContextWindowConfig['adjustment_history'][number];

const FIRST_WINDOW = 8192;
/** Ollama's `num_ctx` is a C int. */
const LARGEST_WINDOW = 2 ** 31 - 1;

/** A policy that we do not know (`auto`, `confirm_destructive`) asks: the safe reading of an unknown wish. */
const POLICY_WHEN_UNKNOWN: ExecutionPolicy = 'always_confirm';

export function takeSummary(extra: JsonObject, value: unknown): SessionSummary | null {
  // coco before September 2025 stored the text alone.
  if (typeof value === 'string' && value !== '') return { summary: value, topics: [] };
  return takeSection(extra, 'summary', value, ({ summary, topics, ...leftover }) => {
    const text = take(leftover, 'summary', summary, asText);
    const names = takeNames(leftover, 'topics', topics);
    const isEmpty = text === null && names.length === 0;
    return { result: isEmpty ? null : { summary: text ?? '', topics: names }, leftover };
  });
}

export function takeToolSettings(extra: JsonObject, value: unknown): ToolSettings {
  return takeSection(extra, 'tool_settings', value, (section) => {
    const { tools, tool_group, execution_policy, confirmation_necessary, tool_policies, ...leftover } =
      section;
    // Kept where a caller that knows the groups can find it.
    if (!isNothing(tool_group)) extra.tool_group = tool_group;
    // As in coco: the old flag counts only where the policy is absent.
    const policy = isNothing(execution_policy)
      ? take(leftover, 'confirmation_necessary', confirmation_necessary, policyOfConfirmation)
      : take(leftover, 'execution_policy', execution_policy, asPolicy);
    const result = {
      tools: takeNames(leftover, 'tools', tools),
      execution_policy: policy ?? POLICY_WHEN_UNKNOWN,
      tool_policies: takeToolPolicies(leftover, tool_policies),
    };
    return { result, leftover };
  });
}

function takeToolPolicies(leftover: JsonObject, value: unknown): ToolSettings['tool_policies'] {
  const policies = take(leftover, 'tool_policies', value, asObject) ?? {};
  const entries = Object.entries(policies).filter(([, policy]) => !isNothing(policy));
  if (entries.some(([, policy]) => asPolicy(policy) === null)) leftover.tool_policies = policies;
  return Object.fromEntries(entries.map(([tool, policy]) => [tool, asPolicy(policy) ?? POLICY_WHEN_UNKNOWN]));
}

export function takeAgentSettings(extra: JsonObject, value: unknown): AgentSettings {
  return takeSection(extra, 'agent_settings', value, ({ enabled_agents, ...leftover }) => {
    return { result: { enabled_agents: takeNames(leftover, 'enabled_agents', enabled_agents) }, leftover };
  });
}

export function takeContextWindow(extra: JsonObject, value: unknown): ContextWindowConfig {
  return takeSection(extra, 'context_window_config', value, (section) => {
    const {
      dynamic_enabled,
      current_window,
      last_adjustment,
      adjustment_history,
      manual_override,
      ...leftover
    } = section;
    const reason = take(leftover, 'last_adjustment', last_adjustment, asWindowReason);
    const result = {
      dynamic_enabled: take(leftover, 'dynamic_enabled', dynamic_enabled, asBoolean) ?? true,
      current_window: take(leftover, 'current_window', current_window, asWindow) ?? FIRST_WINDOW,
      // coco's `performance_optimization` is no reason of ours; claiming `initial_setup` for it would be wrong.
      last_adjustment: reason ?? (isNothing(last_adjustment) ? 'initial_setup' : 'no_adjustment'),
      adjustment_history: takeAdjustments(leftover, adjustment_history),
      manual_override: take(leftover, 'manual_override', manual_override, asBoolean) ?? false,
    };
    return { result, leftover };
  });
}

/** Takes the entries that can be read; the whole list stays in `leftover` as soon as one says more than we read. */
function takeAdjustments(leftover: JsonObject, value: unknown): Adjustment[] {
  const entries = take(leftover, 'adjustment_history', value, asList) ?? [];
  const adjustments: Adjustment[] = [];
  for (const entry of entries) {
    const { reason, window, window_size, usage_tokens, timestamp, ...unknown } = isJsonObject(entry)
      ? entry
      : {};
    const size = take(unknown, 'window', window ?? window_size, asWindow);
    const adjustment = {
      reason: take(unknown, 'reason', reason, asText) ?? 'no_adjustment',
      usage_tokens: take(unknown, 'usage_tokens', usage_tokens, asCount) ?? 0,
      timestamp: take(unknown, 'timestamp', timestamp, parseOriginalTimestamp),
    };
    if (size !== null) adjustments.push({ ...adjustment, window: size });
    if (size === null || hasKeys(unknown)) leftover.adjustment_history = entries;
  }
  return adjustments;
}

function asPolicy(value: unknown): ExecutionPolicy | null {
  return EXECUTION_POLICIES.find((policy) => policy === value) ?? null;
}

function policyOfConfirmation(value: unknown): ExecutionPolicy | null {
  if (typeof value !== 'boolean') return null;
  return value ? 'always_confirm' : 'never_confirm';
}

function asWindow(value: unknown): number | null {
  const window = asCount(value);
  return window !== null && window > 0 && window <= LARGEST_WINDOW ? window : null;
}

function asWindowReason(value: unknown): WindowReason | null {
  return WINDOW_REASONS.find((reason) => reason === value) ?? null;
}
