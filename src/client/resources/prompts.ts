// Files of system prompts.
import { type Api, type CallOptions, segment } from '../api.ts';
import type { CreatePrompt, ListPromptsAnswer, Prompt } from '../wire.ts';

export function prompts({ json, get }: Api) {
  const at = (filename: string) => `/system-prompts/${segment(filename)}`;
  return {
    list: (options?: CallOptions) => get<ListPromptsAnswer>('/system-prompts', {}, options),
    get: (filename: string, options?: CallOptions) => get<Prompt>(at(filename), {}, options),
    /** @throws MochiError `prompt_exists` */
    create: (prompt: CreatePrompt, options?: CallOptions) =>
      json<Prompt>({ method: 'POST', path: '/system-prompts', body: prompt, ...options }),
    /** Changes one that is there. */
    update: (filename: string, content: string, options?: CallOptions) =>
      json<Prompt>({ method: 'PUT', path: at(filename), body: { content }, repeated: 'safe', ...options }),
    /** Writes it, whether it is there or not. */
    save: (filename: string, content: string, options?: CallOptions) =>
      json<Prompt>({ method: 'POST', path: at(filename), body: { content }, repeated: 'safe', ...options }),
    delete: (filename: string, options?: CallOptions) =>
      json<void>({ method: 'DELETE', path: at(filename), ...options }),
  };
}
