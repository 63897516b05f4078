// Model: what an engine can run.
import { type Static, Type } from 'typebox';

export const Model = Type.Object(
  {
    name: Type.String(),
    size_mb: Type.Number({ description: 'Bytes / 1 048 576, one decimal.' }),
    format: Type.String(),
    family: Type.String(),
    parameter_size: Type.String(),
    quantization_level: Type.String(),
    capabilities: Type.Array(Type.String()),
    context_length: Type.Integer({
      description: 'The length the model was trained with; 2048 when the engine does not say.',
    }),
  },
  {
    $id: 'Model',
    examples: [
      {
        name: 'qwen3:14b',
        size_mb: 8629.1,
        format: 'gguf',
        family: 'qwen3',
        parameter_size: '14.8B',
        quantization_level: 'Q4_K_M',
        capabilities: ['completion', 'tools', 'thinking'],
        context_length: 40960,
      },
    ],
  },
);
export type Model = Static<typeof Model>;
