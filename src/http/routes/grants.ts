// Grants: approvals that were to be remembered, looked over and revoked.
import { Type } from 'typebox';
import { revokeGrant, shownGrants } from '../../approvals/grants.ts';
import { GrantList } from '../../contract/approval.ts';
import { ref } from '../../contract/schema.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { BODY_ERRORS, jsonAnswer, NO_CONTENT, responses } from '../document.ts';

export function grantRoutes(app: App, { db, tools }: AppDeps): void {
  const tags = ['approvals'];
  app.get(
    '/api/v1/tool-grants',
    {
      schema: {
        tags,
        operationId: 'listToolGrants',
        summary: 'What may run unasked, because somebody said so',
        description:
          'The newest first. With `session_id`: what holds in that session, which are its own and those of all sessions.',
        querystring: Type.Object({ session_id: Type.Optional(Type.String({ maxLength: 64 })) }),
        response: responses(200, jsonAnswer('The grants.', ref(GrantList)), [
          'validation_error',
          'session_load_error',
        ]),
      },
    },
    async ({ query }) => ({ grants: await shownGrants({ db, tools }, query.session_id) }),
  );
  app.delete(
    '/api/v1/tool-grants/:grant_id',
    {
      schema: {
        tags,
        operationId: 'revokeToolGrant',
        summary: 'Remember it no longer',
        description: 'Calls that it let run are asked about again.',
        params: Type.Object({
          grant_id: Type.String({ description: 'Id of the grant.', examples: ['grant_8c1f5e2a90b4'] }),
        }),
        response: responses(204, NO_CONTENT, ['grant_not_found', ...BODY_ERRORS, 'session_save_error']),
      },
    },
    async ({ params }, reply) => {
      await revokeGrant(db, params.grant_id);
      return reply.code(204).send();
    },
  );
}
