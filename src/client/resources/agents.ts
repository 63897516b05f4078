// Agents: models with a task and tools of their own.
import { type Api, type CallOptions, segment } from '../api.ts';
import type { AgentDetail, AgentList, AgentsReloaded } from '../wire.ts';

export function agents({ json, get }: Api) {
  return {
    /** Those that cannot work, too, with the reason. */
    list: (options?: CallOptions) => get<AgentList>('/agents', {}, options),
    get: (name: string, options?: CallOptions) =>
      get<AgentDetail>(`/agents/agent/${segment(name)}`, {}, options),
    /** Looks at the folders anew. */
    reload: (options?: CallOptions) =>
      json<AgentsReloaded>({ method: 'POST', path: '/agents/reload', repeated: 'safe', ...options }),
  };
}
