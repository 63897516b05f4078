// Ollama's API: what runs on Ollama's own address by default, and every program that knows it.
import type { Dialect } from '../dialect.ts';
import { chatRoutes } from './chat-routes.ts';
import { embedRoutes } from './embed-routes.ts';
import { tellOllamaError } from './error-body.ts';
import { modelRoutes } from './model-routes.ts';

export const ollama: Dialect = {
  names: ['ollama'],
  tag: {
    name: 'ollama',
    description:
      "Ollama's API, for programs that speak it: give them the address of this server. Every path is also there below `/s/{session}`, and the header `x-mochi-session` says the same: answers are stored in that session then.",
  },
  namesSessions: true,
  // Our own API lies beside it.
  owns: (path) => /^\/api(?:\/|$)/.test(path) && !/^\/api\/v1(?:\/|$)/.test(path),
  tellError: tellOllamaError,
  routes: [...chatRoutes, ...modelRoutes, ...embedRoutes],
};
