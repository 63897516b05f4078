// Summary: what a session is about, in a few sentences.
import { type Static, Type } from 'typebox';
import { nullable } from './schema.ts';
import { ModelName } from './session.ts';

const Topics = Type.Array(Type.String(), { description: 'What it is about, in a word or a few each.' });

export const SummarizeInput = Type.Object(
  {
    model: Type.Optional(
      nullable({
        ...ModelName,
        description: 'Writes the summary, and is remembered as `summary_model`.',
      }),
    ),
  },
  { $id: 'SummarizeInput', examples: [{}, { model: 'qwen3-0.6b' }] },
);
export type SummarizeInput = Static<typeof SummarizeInput>;

const EXAMPLE = {
  summary: 'The user asks for the capital of France. The assistant answers Paris.',
  topics: ['France', 'capitals'],
  model_used: 'llama3.2:latest',
};

export const WrittenSummary = Type.Object(
  {
    summary: Type.String({ description: 'Two to five sentences.' }),
    topics: Topics,
    model_used: Type.String(),
  },
  { $id: 'WrittenSummary', examples: [EXAMPLE] },
);
export type WrittenSummary = Static<typeof WrittenSummary>;

export const LatestSummary = Type.Object(
  {
    summary: nullable(Type.String({ description: 'null: there is none yet.' })),
    topics: Topics,
    model_used: Type.Optional(
      nullable(Type.String({ description: 'Left out when there is no summary; null for an imported one.' })),
    ),
  },
  { $id: 'LatestSummary', examples: [EXAMPLE, { summary: null, topics: [] }] },
);
export type LatestSummary = Static<typeof LatestSummary>;
