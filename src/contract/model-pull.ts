// The fetching of a model: its request, and the events that tell how far it is.
import { type TSchema, Type } from 'typebox';
import { DISCONNECT_POLICIES } from './chat.ts';
import { eventUnion, nullable, oneOf, pascal, ref } from './schema.ts';
import { ErrorObject } from './turn.ts';

const PulledName = Type.String({
  minLength: 1,
  maxLength: 512,
  description:
    'Ollama: a name of its library. Embedded engine: `qwen3-0.6b`, `smollm2-135m`, or `hf.co/OWNER/REPO/FILE.gguf`. Addresses are refused here: `mochi-server pull URL` takes them.',
});

export const PullModel = Type.Object(
  {
    model: Type.Optional(PulledName),
    name: Type.Optional({ ...PulledName, description: 'The same as `model`: send one of them.' }),
    on_disconnect: Type.Optional(
      oneOf(DISCONNECT_POLICIES, {
        default: 'cancel',
        description:
          'What the closing of this connection does to the pull. Where several have asked for the same name: what becomes of it when all are gone, and the newest request decides.',
      }),
    ),
  },
  {
    $id: 'PullModel',
    oneOf: [{ required: ['model'] }, { required: ['name'] }],
    examples: [{ model: 'qwen3-0.6b' }, { name: 'qwen3-0.6b', on_disconnect: 'continue' }],
  },
);

const Bytes = nullable(Type.Integer({ description: 'Bytes; null where the engine does not say.' }));

export const PULL_EXAMPLES = {
  progress: { status: 'downloading qwen3-0.6b', completed: 1_048_576, total: 639_446_688 },
  done: { name: 'qwen3-0.6b' },
  error: { code: 'model_pull_failed', message: 'The model could not be fetched.', details: {} },
} as const;

function event<const Name extends keyof typeof PULL_EXAMPLES, T extends TSchema>(
  name: Name,
  data: T,
  description: string,
) {
  const examples = [{ event: name, data: PULL_EXAMPLES[name] }];
  return Type.Object(
    { event: Type.Literal(name), data },
    { $id: `Pull${pascal(name)}Event`, description, examples },
  );
}

/** Every event by name, in the order in which they come. */
export const PULL_EVENTS = {
  progress: event(
    'progress',
    Type.Object({ status: Type.String(), completed: Bytes, total: Bytes }),
    'Again and again: what is being done, and how far it is.',
  ),
  done: event('done', Type.Object({ name: Type.String() }), 'Last: the model can be used.'),
  error: event('error', ref(ErrorObject), 'Last, in place of `done`: the model could not be fetched.'),
} as const;

/** One of them. */
export const PullEvent = eventUnion('PullEvent', PULL_EVENTS);
