// Settings of a session as a client gives them, completed with their defaults.
import type { AgentSettings, AgentSettingsInput, ToolSettings, ToolSettingsInput } from '../contract/tool.ts';

export function completeToolSettings(input: ToolSettingsInput | null | undefined): ToolSettings {
  return {
    tools: input?.tools ?? [],
    execution_policy: input?.execution_policy ?? 'always_confirm',
    tool_policies: input?.tool_policies ?? {},
  };
}

export function completeAgentSettings(input: AgentSettingsInput | null | undefined): AgentSettings {
  return { enabled_agents: input?.enabled_agents ?? [] };
}
