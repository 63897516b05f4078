// Approvals: what tools may not do before a person has said so, and what is remembered of the answers.
import { type Api, type CallOptions, listOf, segment } from '../api.ts';
import { followStream } from '../follow-stream.ts';
import type {
  Approval,
  ApprovalList,
  ApprovalPage,
  ConfirmToolInput,
  DecideInput,
  DecideManyInput,
  GrantList,
  ToolConfirmed,
} from '../wire.ts';

export interface ListApprovals {
  /** Default: pending. */
  readonly status?: 'pending' | 'all';
  readonly session_id?: string;
  readonly turn_id?: string;
  readonly limit?: number;
  readonly cursor?: string;
}

export interface WatchApprovals extends CallOptions {
  /** The last change that was seen; default: the pending ones come first. */
  readonly after?: number;
}

export function approvals({ json, get, send, connection }: Api) {
  const at = (id: string, rest = '') => `/approvals/${segment(id)}${rest}`;

  async function* watch({ after = -1, signal }: WatchApprovals = {}): AsyncGenerator<Approval, void> {
    const reading = signal ?? new AbortController().signal;
    const follower = { signal: reading, onLink: () => undefined, renew: () => undefined };
    const open = (place: { readonly after: number; readonly signal: AbortSignal }) =>
      send(
        {
          method: 'GET',
          path: '/approvals/stream',
          headers: place.after < 0 ? {} : { 'last-event-id': String(place.after) },
          accept: 'events',
          repeated: 'never',
          signal: place.signal,
        },
        (response) => response,
      );
    const streaming = { ...connection, transport: 'stream' } as const;
    for await (const { event, data } of followStream(streaming, { open }, follower, after)) {
      if (event === 'approval') yield data as Approval;
    }
  }

  return {
    /** Pending ones, the oldest first; all of them, the newest first. */
    list: (query: ListApprovals = {}, options?: CallOptions) =>
      listOf(
        (cursor) => get<ApprovalPage>('/approvals', { ...query, cursor: cursor ?? query.cursor }, options),
        (page) => page.approvals,
      ),
    get: (id: string, options?: CallOptions) => get<Approval>(at(id), {}, options),
    /** The first answer counts. @throws MochiError `approval_decided` with the one that did */
    decide: (id: string, input: DecideInput, options?: CallOptions) =>
      json<Approval>({ method: 'POST', path: at(id, '/decide'), body: input, ...options }),
    /** All of them or none. */
    decideMany: (input: DecideManyInput, options?: CallOptions) =>
      json<ApprovalList>({ method: 'POST', path: '/approvals/decide', body: input, ...options }),
    /** Yes or no, in the words of the original. */
    confirmTool: (sessionId: string, input: ConfirmToolInput, options?: CallOptions) =>
      json<ToolConfirmed>({
        method: 'POST',
        path: `/chat/${segment(sessionId)}/confirm-tool`,
        body: input,
        ...options,
      }),
    /** Every new and every changed one, without end. */
    watch,
    grants: (query: { session_id?: string } = {}, options?: CallOptions) =>
      get<GrantList>('/tool-grants', query, options),
    revoke: (grantId: string, options?: CallOptions) =>
      json<void>({ method: 'DELETE', path: `/tool-grants/${segment(grantId)}`, ...options }),
  };
}
