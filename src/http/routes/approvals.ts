// Approvals: what waits for a person, and the answers.
import { Type } from 'typebox';
import { confirmTool } from '../../approvals/confirm-tool.ts';
import {
  Approval,
  ApprovalList,
  ApprovalPage,
  ConfirmToolInput,
  DecideInput,
  DecideManyInput,
  ToolConfirmed,
} from '../../contract/approval.ts';
import type { ErrorKindName } from '../../contract/errors.ts';
import { oneOf, ref } from '../../contract/schema.ts';
import { requireSession } from '../../sessions/require.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { APPROVAL_STREAM_ANSWER, sendApprovals } from '../approval-stream.ts';
import { BODY_ERRORS, jsonAnswer, responses } from '../document.ts';
import { fromCursor, PageQuery, splitPage, toCursor } from '../paging.ts';
import { lastSeenEvent, SessionParams, sessionIdOf } from '../params.ts';

/** Approvals on a page when no limit is given (API.md §2). */
const DEFAULT_LIMIT = 100;

const tags = ['approvals'];

const ApprovalParams = Type.Object({
  confirmation_id: Type.String({ description: 'Id of the approval.', examples: ['conf_3f0a9c1d77be'] }),
});

const DECIDE_ERRORS: readonly ErrorKindName[] = [
  'confirmation_not_found',
  'tool_execution_denied',
  'approval_decided',
  'approval_changed',
  'approval_expired',
  'decision_not_allowed',
  ...BODY_ERRORS,
  'session_load_error',
  'session_save_error',
  'database_busy',
  'storage_lost',
];

const DECIDE_TEXT =
  'The first answer wins. What was asked is what runs: arguments of the body count for `edit` alone, and those are held against the schema of the tool and the rules of the operator.';

export function approvalRoutes(app: App, deps: AppDeps): void {
  addReadRoutes(app, deps);
  addStreamRoute(app, deps);
  addDecideRoutes(app, deps);
  addConfirmRoute(app, deps);
}

function addReadRoutes(app: App, { approvals }: AppDeps): void {
  app.get(
    '/api/v1/approvals',
    {
      schema: {
        tags,
        operationId: 'listApprovals',
        summary: 'What waits for a person',
        description: 'Pending ones come oldest first; with `status=all` the newest comes first.',
        querystring: Type.Object({
          status: Type.Optional(oneOf(['pending', 'all'] as const, { default: 'pending' })),
          session_id: Type.Optional(Type.String({ maxLength: 64 })),
          turn_id: Type.Optional(Type.String({ maxLength: 64 })),
          ...PageQuery.properties,
        }),
        response: responses(200, jsonAnswer('A page of approvals.', ref(ApprovalPage)), [
          'invalid_cursor',
          'validation_error',
          'session_load_error',
        ]),
      },
    },
    async ({ query }) => {
      const { status = 'pending', session_id: sessionId, turn_id: turnId } = query;
      const limit = query.limit ?? DEFAULT_LIMIT;
      const list = `approvals ${JSON.stringify([status, sessionId, turnId])}`;
      const position =
        query.cursor === undefined ? null : fromCursor(list, query.cursor, ['string', 'string']);
      const found = await approvals.list({
        isPending: status === 'pending',
        sessionId,
        turnId,
        limit: limit + 1,
        after: position && { createdAt: position[0], id: position[1] },
      });
      const { items, last } = splitPage(found, limit);
      const next = last && toCursor(list, [last.created_at, last.confirmation_id]);
      return { approvals: [...items], next_cursor: next };
    },
  );
  app.get(
    '/api/v1/approvals/:confirmation_id',
    {
      schema: {
        tags,
        operationId: 'getApproval',
        summary: 'One approval',
        params: ApprovalParams,
        response: responses(200, jsonAnswer('The approval.', ref(Approval)), [
          'confirmation_not_found',
          'session_load_error',
        ]),
      },
    },
    async ({ params }) => approvals.find(params.confirmation_id),
  );
}

function addStreamRoute(app: App, { approvals }: AppDeps): void {
  app.get(
    '/api/v1/approvals/stream',
    {
      // A HEAD would watch for ever to say nothing.
      exposeHeadRoute: false,
      schema: {
        tags,
        operationId: 'watchApprovals',
        summary: 'Approvals as they are asked, decided and settled',
        description:
          'Pending ones come first, then each that is created or changed. With `Last-Event-ID` it goes on after that change instead.',
        headers: Type.Object({ 'last-event-id': Type.Optional(Type.String()) }),
        response: { ...responses(200, APPROVAL_STREAM_ANSWER, ['overloaded']) },
      },
    },
    async ({ headers }, reply) => {
      const seen = headers['last-event-id'] === undefined ? null : lastSeenEvent(headers, undefined);
      await sendApprovals(reply, (left) => approvals.watch(seen, left));
      return reply;
    },
  );
}

function addDecideRoutes(app: App, { approvals }: AppDeps): void {
  app.post(
    '/api/v1/approvals/:confirmation_id/decide',
    {
      schema: {
        tags,
        operationId: 'decideApproval',
        summary: 'Decide an approval',
        description: DECIDE_TEXT,
        params: ApprovalParams,
        body: ref(DecideInput),
        response: responses(200, jsonAnswer('As it was decided.', ref(Approval)), DECIDE_ERRORS),
      },
    },
    async ({ params, body, id: requestId }) => {
      const { confirmation_id } = params;
      const [decided] = await approvals.decide([{ ...body, confirmation_id }], { requestId });
      return decided;
    },
  );
  app.post(
    '/api/v1/approvals/decide',
    {
      schema: {
        tags,
        operationId: 'decideApprovals',
        summary: 'Decide several approvals: all of them, or none',
        description: `${DECIDE_TEXT} When one cannot be decided like this, the error names it, and nothing is decided.`,
        body: ref(DecideManyInput),
        response: responses(
          200,
          jsonAnswer('In the order of the request.', ref(ApprovalList)),
          DECIDE_ERRORS,
        ),
      },
    },
    async ({ body, id: requestId }) => ({
      approvals: await approvals.decide(body.decisions, { requestId, isList: true }),
    }),
  );
}

function addConfirmRoute(app: App, { approvals, db }: AppDeps): void {
  app.post(
    '/api/v1/chat/:session_id/confirm-tool',
    {
      schema: {
        tags,
        operationId: 'confirmTool',
        summary: 'Approve or deny, and nothing more',
        description:
          'For clients that know yes and no. What is settled already, too old or of another session is not found. A call whose outcome is unknown is run again when it is approved; what needs more than a yes is refused.',
        params: SessionParams,
        body: ref(ConfirmToolInput),
        response: responses(200, jsonAnswer('Decided.', ref(ToolConfirmed)), [
          'session_not_found',
          'confirmation_not_found',
          'tool_execution_denied',
          'approval_changed',
          'decision_not_allowed',
          ...BODY_ERRORS,
          'session_load_error',
          'session_save_error',
          'database_busy',
          'storage_lost',
        ]),
      },
    },
    async ({ params, body, id: requestId }) => {
      const sessionId = sessionIdOf(params);
      await requireSession(db, sessionId);
      const confirmation = {
        sessionId,
        confirmationId: body.confirmation_id,
        isApproved: body.approved,
      };
      return confirmTool(approvals, confirmation, { requestId });
    },
  );
}
