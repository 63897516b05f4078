// What lies below /v1 whoever's clients come: the models there are, vectors of texts, and texts that go on.
import type { Dialect } from '../dialect.ts';
import { tellOpenAiError } from '../openai-chat/error-body.ts';
import { completionRoute } from './complete-text.ts';
import { embeddingsRoute } from './embeddings.ts';
import { modelRoutes } from './list-models.ts';

export const v1: Dialect = {
  names: ['openai-chat', 'openai-responses', 'anthropic'],
  tag: { name: 'v1', description: "What OpenAI's and Anthropic's clients share below `/v1`." },
  namesSessions: true,
  owns: (path) => /^\/v1(?:\/|$)/.test(path),
  tellError: tellOpenAiError,
  routes: [...modelRoutes, embeddingsRoute, completionRoute],
};
