// System prompt files: list, read, create, update, delete.
import { Type } from 'typebox';
import { invalidField } from '../../contract/errors.ts';
import { CreatePrompt, Prompt, PromptInput, PromptListItem } from '../../contract/prompt.ts';
import { ref } from '../../contract/schema.ts';
import { promptNameFault } from '../../store/prompt-name.ts';
import {
  createPrompt,
  deletePrompt,
  listPrompts,
  readPrompt,
  savePrompt,
  updatePrompt,
} from '../../store/prompts.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { BODY_ERRORS, jsonAnswer, NO_CONTENT, responses } from '../document.ts';

const PromptParams = Type.Object({
  filename: Type.String({ description: 'Name of the file, with `.md`.', examples: ['reviewer.md'] }),
});
const WRITE_ERRORS = [
  'invalid_filename',
  ...BODY_ERRORS,
  'session_load_error',
  'session_save_error',
] as const;

const SAVED: Record<number, object> = {
  ...responses(201, jsonAnswer('Created.', ref(Prompt)), [
    // What cannot be decoded is no name.
    'not_found',
    'prompt_exists',
    ...WRITE_ERRORS,
  ]),
  200: jsonAnswer('Changed.', ref(Prompt)),
};

export function systemPromptRoutes(app: App, { promptFiles }: AppDeps): void {
  const tags = ['system prompts'];

  app.get(
    '/api/v1/system-prompts',
    {
      schema: {
        tags,
        operationId: 'listPrompts',
        summary: 'List the system prompt files',
        description: 'Files that cannot be read are left out.',
        response: responses(
          200,
          jsonAnswer('Sorted by name.', Type.Object({ prompts: Type.Array(ref(PromptListItem)) })),
          ['session_load_error'],
        ),
      },
    },
    async () => ({ prompts: await listPrompts(promptFiles) }),
  );

  app.post(
    '/api/v1/system-prompts',
    {
      schema: {
        tags,
        operationId: 'createPrompt',
        summary: 'Create a system prompt file',
        description: 'Of two requests for one name one succeeds.',
        body: ref(CreatePrompt),
        response: responses(201, jsonAnswer('The new file.', ref(Prompt)), [
          'prompt_exists',
          ...WRITE_ERRORS.filter((kind) => kind !== 'invalid_filename'),
        ]),
      },
    },
    async ({ body }, reply) => {
      const fault = promptNameFault(body.filename);
      if (fault !== null) throw invalidField('/filename', fault);
      return reply.code(201).send(await createPrompt(promptFiles, body));
    },
  );

  app.get(
    '/api/v1/system-prompts/:filename',
    {
      schema: {
        tags,
        operationId: 'getPrompt',
        summary: 'Read a system prompt file',
        params: PromptParams,
        response: responses(200, jsonAnswer('The file.', ref(Prompt)), [
          'invalid_filename',
          'prompt_not_found',
          'session_load_error',
        ]),
      },
    },
    async ({ params }) => readPrompt(promptFiles, params.filename),
  );

  app.put(
    '/api/v1/system-prompts/:filename',
    {
      schema: {
        tags,
        operationId: 'updatePrompt',
        summary: 'Change a system prompt file',
        description: 'Never creates one.',
        params: PromptParams,
        body: ref(PromptInput),
        response: responses(200, jsonAnswer('The file.', ref(Prompt)), ['prompt_not_found', ...WRITE_ERRORS]),
      },
    },
    async ({ params, body }) => updatePrompt(promptFiles, { ...params, ...body }),
  );

  app.post(
    '/api/v1/system-prompts/:filename',
    {
      schema: {
        tags,
        operationId: 'savePrompt',
        summary: 'Create or change a system prompt file',
        params: PromptParams,
        body: ref(PromptInput),
        response: SAVED,
      },
    },
    async ({ params, body }, reply) => {
      const { prompt, isNew } = await savePrompt(promptFiles, { ...params, ...body });
      return reply.code(isNew ? 201 : 200).send(prompt);
    },
  );

  app.delete(
    '/api/v1/system-prompts/:filename',
    {
      schema: {
        tags,
        operationId: 'deletePrompt',
        summary: 'Delete a system prompt file',
        description: 'Sessions that were given its text keep it.',
        params: PromptParams,
        response: responses(204, NO_CONTENT, ['prompt_not_found', ...WRITE_ERRORS]),
      },
    },
    async ({ params }, reply) => {
      await deletePrompt(promptFiles, params.filename);
      return reply.code(204).send();
    },
  );
}
