// Approvals: asked in somebody's transaction, decided once, remembered as far as was said, over in time.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestStore, type TestStore } from '../../test/support/open-test-store.ts';
import { ScriptedSource } from '../../test/support/scripted-source.ts';
import type { Approval } from '../contract/approval.ts';
import { MochiError } from '../contract/errors.ts';
import { timestampNow } from '../kit/clock.ts';
import { randomHex } from '../kit/ids.ts';
import { createLog } from '../kit/log.ts';
import { hideSession } from '../store/hidden-sessions.ts';
import { listGrants } from '../store/tool-grants.ts';
import { parseToolPolicy } from '../tools/policy/tool-policy.ts';
import { digestOfCall } from '../tools/prepare-call.ts';
import { createTools, type Tools } from '../tools/tools.ts';
import { Approvals } from './approvals.ts';
import type { NewApproval } from './draft-approval.ts';
import { revokeGrant, shownGrants } from './grants.ts';
import type { ApprovalDecision } from './judge-decision.ts';

const SCHEMA = {
  type: 'object',
  properties: { path: { type: 'string' }, times: { type: 'integer' } },
  required: ['path'],
  additionalProperties: false,
};

let store: TestStore;
let tools: Tools;
let description: string;
let approvals: Approvals;

beforeEach(async () => {
  store = await openTestStore();
  description = 'Deletes a file.';
  tools = await createTools({
    discover: async () => [
      new ScriptedSource('files', { tools: [{ name: 'delete_file', description, inputSchema: SCHEMA }] }),
    ],
    readPolicy: async () => parseToolPolicy('{"deny":["delete_file(path=/etc/*)"]}', 'tool-policy.json'),
  });
  await tools.ready();
  approvals = open();
});

afterEach(async () => {
  approvals.close();
  await tools.close();
  await store.close();
});

function open(confirmTimeoutMs: number | null = null, now = timestampNow): Approvals {
  const log = createLog({ level: 'fatal', format: 'json' });
  return new Approvals({ db: store.db, log, tools, confirmTimeoutMs, newId: randomHex, now });
}

function call(draft: Partial<NewApproval> = {}): NewApproval {
  const args = { path: 'draft.txt' };
  const fingerprint = tools.registry().tools.get('delete_file')?.fingerprint ?? '';
  return {
    kind: 'tool',
    sessionId: 's',
    turnId: 'turn_1',
    messageId: 'm',
    callIndex: 0,
    toolCallId: 'call_1',
    toolName: 'delete_file',
    arguments: args,
    inputSchema: SCHEMA,
    digest: digestOfCall({ policyName: 'delete_file', fingerprint }, args),
    fingerprint,
    rule: 'execution_policy',
    ...draft,
  };
}

async function ask(...drafts: readonly Partial<NewApproval>[]): Promise<Approval[]> {
  const asked = await store.db
    .transaction()
    .execute((db) => approvals.insert(db, (drafts.length === 0 ? [{}] : drafts).map(call)));
  approvals.announce(asked);
  return asked;
}

async function askOne(draft: Partial<NewApproval> = {}): Promise<string> {
  const [asked] = await ask(draft);
  return asked?.confirmation_id ?? '';
}

async function decide(id: string, given: Omit<ApprovalDecision, 'confirmation_id'>): Promise<Approval> {
  const [approval] = await approvals.decide([{ confirmation_id: id, ...given }], { requestId: 'req' });
  if (approval === undefined) throw new Error('nothing was decided');
  return approval;
}

/** The kind of the error that a decision ends with, or the state of the approval. */
async function outcomeOf(id: string, given: Omit<ApprovalDecision, 'confirmation_id'>): Promise<string> {
  return decide(id, given).then(
    ({ state }) => state,
    (error: unknown) => {
      if (error instanceof MochiError) return error.kind;
      throw error;
    },
  );
}

const stateOf = async (id: string) => (await approvals.find(id)).state;

describe('what is asked', () => {
  it('is shown whole, nulls included, with what can be decided', async () => {
    const [asked] = await ask();
    expect(asked).toEqual({
      confirmation_id: expect.stringMatching(/^conf_[0-9a-f]{12}$/),
      kind: 'tool',
      state: 'pending',
      session_id: 's',
      turn_id: 'turn_1',
      message_id: 'm',
      call_index: 0,
      tool_call_id: 'call_1',
      tool_name: 'delete_file',
      agent_name: null,
      agent_session_id: null,
      arguments: { path: 'draft.txt' },
      input_schema: SCHEMA,
      digest: call().digest,
      rule: 'execution_policy',
      question: null,
      plan: null,
      previous: null,
      allowed_decisions: ['approve', 'edit', 'respond', 'deny'],
      allowed_scopes: ['once', 'session', 'always'],
      created_at: expect.stringMatching(/^\d{4}-/),
      expires_at: null,
      decided_at: null,
      decision: null,
    });
    expect(await approvals.find(asked?.confirmation_id ?? '')).toEqual(asked);
    expect(await approvals.ofTurn(store.db, 'turn_1')).toEqual([asked]);
  });

  it.each([
    [{ rule: 'ask: delete_*' }, ['once']],
    [{ rule: 'unknown_outcome' }, ['once']],
    [{ rule: 'needs_approval' }, ['once', 'session', 'always']],
    [{ kind: 'outcome' as const }, ['once']],
    [{ kind: 'question' as const }, ['once']],
    [{ kind: 'plan' as const }, ['once']],
  ])('by %j is remembered as far as %j', async (draft, scopes) => {
    expect((await ask(draft))[0]?.allowed_scopes).toEqual(scopes);
  });

  it('is gone when the transaction is', async () => {
    const lost = store.db.transaction().execute(async (db) => {
      await approvals.insert(db, [call()]);
      throw new Error('lost');
    });
    await expect(lost).rejects.toThrow('lost');
    expect(await approvals.ofTurn(store.db, 'turn_1')).toEqual([]);
  });

  it('stands in the order in which it was asked', async () => {
    const asked = await ask({ callIndex: 0 }, { callIndex: 1 }, { callIndex: 2 });
    const found = await approvals.ofTurn(store.db, 'turn_1');
    expect(found.map(({ call_index }) => call_index)).toEqual([0, 1, 2]);
    expect(found).toEqual(asked);
  });
});

describe('a decision', () => {
  it('is noted with who made it', async () => {
    const approved = await decide(await askOne(), { decision: 'approve', decided_by: 'Ada' });
    expect(approved).toMatchObject({
      state: 'approved',
      decided_at: expect.stringMatching(/^\d{4}-/),
      decision: {
        decision: 'approve',
        arguments: null,
        content: null,
        reason: null,
        scope: 'once',
        match: 'tool',
        digest: call().digest,
        grant_id: null,
        decided_by: 'Ada',
        request_id: 'req',
      },
    });
  });

  it.each([
    ['tool', 'approve', {}, 'approved'],
    ['tool', 'respond', { content: 'It is gone already.' }, 'answered'],
    ['tool', 'deny', { reason: 'Keep it.' }, 'denied'],
    ['tool', 'retry', {}, 'decision_not_allowed'],
    ['tool', 'respond', {}, 'validation_error'],
    ['tool', 'respond', { content: { a: 1 } }, 'validation_error'],
    ['tool', 'respond', { content: 'x'.repeat(300_000) }, 'validation_error'],
    ['outcome', 'retry', {}, 'approved'],
    ['outcome', 'respond', { content: 'It was done.' }, 'answered'],
    ['outcome', 'deny', {}, 'denied'],
    ['outcome', 'approve', {}, 'decision_not_allowed'],
    ['outcome', 'edit', { arguments: { path: 'a' } }, 'decision_not_allowed'],
    ['question', 'respond', { content: { age: 7 } }, 'answered'],
    ['question', 'respond', { content: { age: 'old' } }, 'validation_error'],
    ['question', 'respond', { content: 'seven' }, 'validation_error'],
    ['question', 'deny', {}, 'denied'],
    ['question', 'approve', {}, 'decision_not_allowed'],
    ['plan', 'approve', {}, 'approved'],
    ['plan', 'edit', { content: '1. Wait.' }, 'approved'],
    ['plan', 'edit', { content: '  ' }, 'validation_error'],
    ['plan', 'edit', {}, 'validation_error'],
    ['plan', 'respond', { content: 'x' }, 'decision_not_allowed'],
  ] as const)('about a %s: %s %j is %s', async (kind, decision, given, outcome) => {
    const details =
      kind === 'question'
        ? {
            question: {
              message: 'How old?',
              schema: { type: 'object', properties: { age: { type: 'integer' } }, required: ['age'] },
              server: 'census',
            },
          }
        : kind === 'plan'
          ? { plan: '1. Go.' }
          : {};
    const id = await askOne({ kind, ...details });
    expect(await outcomeOf(id, { decision, ...given })).toBe(outcome);
    const isSettled = ['approved', 'answered', 'denied'].includes(outcome);
    expect(await stateOf(id)).toBe(isSettled ? outcome : 'pending');
  });

  it.each([
    [{ decision: 'deny', scope: 'session' }],
    [{ decision: 'respond', content: 'x', scope: 'always' }],
  ] as const)('that lets nothing run is not remembered: %j', async (given) => {
    expect(await outcomeOf(await askOne(), given)).toBe('decision_not_allowed');
  });

  it('is made once: fifty at the same time', async () => {
    const id = await askOne();
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        outcomeOf(id, { decision: index % 2 === 0 ? 'approve' : 'deny' }),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'approval_decided')).toHaveLength(49);
    expect(outcomes).toContain(await stateOf(id));
  });

  it('that comes too late is told what was decided', async () => {
    const id = await askOne();
    await decide(id, { decision: 'deny', reason: 'No.' });
    await expect(decide(id, { decision: 'approve' })).rejects.toMatchObject({
      kind: 'approval_decided',
      details: { state: 'denied', decision: { decision: 'deny', reason: 'No.' } },
    });
  });

  it('holds for all or for none', async () => {
    const ids = (await ask({ callIndex: 0 }, { callIndex: 1 })).map((asked) => asked.confirmation_id);
    const [first = '', second = ''] = ids;
    const both = (decision: 'approve' | 'retry') => [
      { confirmation_id: first, decision: 'approve' as const, scope: 'always' as const },
      { confirmation_id: second, decision },
    ];
    await expect(approvals.decide(both('retry'), { requestId: null })).rejects.toMatchObject({
      kind: 'decision_not_allowed',
    });
    expect(await Promise.all(ids.map(stateOf))).toEqual(['pending', 'pending']);
    expect(await listGrants(store.db, 's')).toEqual([]);
    await approvals.decide(both('approve'), { requestId: null });
    expect(await Promise.all(ids.map(stateOf))).toEqual(['approved', 'approved']);
  });

  it('names an approval once', async () => {
    const id = await askOne();
    const twice = [id, id].map((confirmation_id) => ({ confirmation_id, decision: 'approve' as const }));
    await expect(approvals.decide(twice, { requestId: null })).rejects.toMatchObject({
      kind: 'validation_error',
    });
  });

  it('about nothing, or about what a deleted session asked, is not found', async () => {
    expect(await outcomeOf('conf_0123456789ab', { decision: 'approve' })).toBe('confirmation_not_found');
    const id = await askOne();
    await hideSession(store.db, 's', 'deleted', Date.now());
    expect(await outcomeOf(id, { decision: 'approve' })).toBe('confirmation_not_found');
  });
});

describe('what was asked and what would run', () => {
  it('is the same digest', async () => {
    const id = await askOne();
    expect(await outcomeOf(id, { decision: 'approve', digest: 'f'.repeat(64) })).toBe('approval_changed');
    expect(await outcomeOf(id, { decision: 'approve', digest: call().digest ?? '' })).toBe('approved');
  });

  it('is the same tool; one that has changed can be denied', async () => {
    const id = await askOne();
    description = 'Deletes a folder.';
    await tools.reload();
    expect(await outcomeOf(id, { decision: 'approve' })).toBe('approval_changed');
    expect(await outcomeOf(id, { decision: 'edit', arguments: { path: 'b' } })).toBe('approval_changed');
    expect(await outcomeOf(id, { decision: 'deny' })).toBe('denied');
  });

  it('need not be there just now where a server or a session has it; of its own the server knows', async () => {
    const away = { toolName: 'mcp__server__tool', fingerprint: 'f'.repeat(64) };
    for (const toolName of [away.toolName, 'agent', 'agent__coder__count'])
      expect(await outcomeOf(await askOne({ ...away, toolName }), { decision: 'approve' })).toBe('approved');
    const gone = await askOne({ ...away, toolName: 'gone' });
    expect(await outcomeOf(gone, { decision: 'approve' })).toBe('approval_changed');
    expect(await outcomeOf(gone, { decision: 'deny' })).toBe('denied');
  });

  it('is not what the operator has denied meanwhile', async () => {
    const id = await askOne({ arguments: { path: '/etc/passwd' } });
    expect(await outcomeOf(id, { decision: 'approve' })).toBe('tool_execution_denied');
    expect(await stateOf(id)).toBe('pending');
    expect(await outcomeOf(id, { decision: 'deny' })).toBe('denied');
  });

  it('says of several which one does not fit', async () => {
    const ids = (await ask({ callIndex: 0 }, { callIndex: 1 })).map((asked) => asked.confirmation_id);
    const decisions = ids.map((confirmation_id, index) => ({
      confirmation_id,
      decision: 'edit' as const,
      arguments: index === 0 ? { path: 'b' } : { where: 1 },
    }));
    const refused = approvals.decide(decisions, { requestId: null, isList: true });
    await expect(refused).rejects.toMatchObject({
      kind: 'validation_error',
      message: expect.stringMatching(new RegExp(`^${ids[1]}: `)),
      details: { confirmation_id: ids[1], errors: [{ path: '/decisions/1/arguments/path' }, {}] },
    });
    expect(await Promise.all(ids.map(stateOf))).toEqual(['pending', 'pending']);
  });

  it('is what it was edited to, as it stands', async () => {
    const id = await askOne();
    const args = { path: 'old.txt', times: 2 };
    const edited = await decide(id, { decision: 'edit', arguments: args });
    const { fingerprint = '' } = call();
    expect(edited.decision).toMatchObject({
      arguments: args,
      digest: digestOfCall({ policyName: 'delete_file', fingerprint }, args),
    });
    expect([edited.arguments, edited.digest]).toEqual([{ path: 'draft.txt' }, call().digest]);
  });

  it.each([
    [undefined, 'validation_error'],
    [{}, 'validation_error'],
    [{ path: 'a', force: true }, 'validation_error'],
    [{ path: 'a', times: '2' }, 'validation_error'],
    [{ path: '/etc/passwd' }, 'tool_execution_denied'],
  ])('is not edited to %j: %s', async (args, kind) => {
    const id = await askOne();
    expect(await outcomeOf(id, { decision: 'edit', ...(args && { arguments: args }) })).toBe(kind);
    expect(await stateOf(id)).toBe('pending');
  });

  it('is not what an approval says beside', async () => {
    const approved = await decide(await askOne(), { decision: 'approve', arguments: { path: 'other.txt' } });
    expect(approved.decision).toMatchObject({ arguments: null, digest: call().digest });
  });
});

describe('what is remembered', () => {
  it('is the tool in the session, until its settings say otherwise', async () => {
    const approved = await decide(await askOne(), { decision: 'approve', scope: 'session' });
    const { fingerprint = '' } = call();
    const id = approved.decision?.grant_id ?? '';
    expect(await listGrants(store.db, 's')).toMatchObject([
      { id, toolName: 'delete_file', fingerprint, digest: null },
    ]);
    await store.addSession('other');
    expect(await listGrants(store.db, 'other')).toEqual([]);
    expect(await shownGrants({ db: store.db, tools }, 's')).toEqual([
      {
        grant_id: id,
        scope: 'session',
        session_id: 's',
        tool_name: 'delete_file',
        match: 'tool',
        arguments: null,
        created_at: approved.decided_at,
        confirmation_id: approved.confirmation_id,
        valid: true,
      },
    ]);
  });

  it('is the one call, everywhere, as it was edited', async () => {
    const args = { path: 'old.txt' };
    await decide(await askOne(), { decision: 'edit', arguments: args, scope: 'always', match: 'arguments' });
    const [grant] = await shownGrants({ db: store.db, tools });
    expect(grant).toMatchObject({ scope: 'always', session_id: null, match: 'arguments', arguments: args });
    const { fingerprint = '' } = call();
    const digest = digestOfCall({ policyName: 'delete_file', fingerprint }, args);
    expect(await listGrants(store.db, 'any')).toMatchObject([{ digest }]);
  });

  it('is there once, and gone when it is revoked', async () => {
    const ids = [await askOne(), await askOne()];
    const grants = [];
    for (const id of ids) grants.push((await decide(id, { decision: 'approve', scope: 'always' })).decision);
    expect(grants[0]?.grant_id).toBe(grants[1]?.grant_id);
    const grantId = grants[0]?.grant_id ?? '';
    await revokeGrant(store.db, grantId);
    expect(await listGrants(store.db, 's')).toEqual([]);
    await expect(revokeGrant(store.db, grantId)).rejects.toMatchObject({ kind: 'grant_not_found' });
  });

  it('is void when the tool has changed, and still listed', async () => {
    await decide(await askOne(), { decision: 'approve', scope: 'always' });
    description = 'Deletes a folder.';
    await tools.reload();
    expect(await shownGrants({ db: store.db, tools })).toMatchObject([{ valid: false }]);
  });

  it('is nothing where it is asked each time', async () => {
    const id = await askOne({ rule: 'ask: delete_*' });
    expect(await outcomeOf(id, { decision: 'approve', scope: 'session' })).toBe('decision_not_allowed');
    expect(await outcomeOf(id, { decision: 'approve' })).toBe('approved');
    expect(await listGrants(store.db, 's')).toEqual([]);
  });
});

describe('time', () => {
  it('is over by itself, and told', async () => {
    approvals = open(20);
    const settled = Promise.withResolvers<void>();
    approvals.onSettled('turn_1', () => settled.resolve());
    const id = await askOne();
    await settled.promise;
    expect(await approvals.find(id)).toMatchObject({ state: 'expired', decision: null });
    expect(await outcomeOf(id, { decision: 'approve' })).toBe('approval_expired');
  });

  it('is over although nobody has noticed', async () => {
    let now = '2999-03-01T00:00:00.000000Z';
    approvals = open(60_000, () => now);
    const id = await askOne();
    // Its timer has not fired: it was set for a later hour.
    now = '2999-03-01T00:01:00.000000Z';
    expect((await approvals.find(id)).expires_at).toBe('2999-03-01T00:01:00.000000Z');
    expect(await outcomeOf(id, { decision: 'approve' })).toBe('approval_expired');
  });

  it('goes on while no server runs', async () => {
    let now = '2999-03-01T00:00:00.000000Z';
    approvals = open(60_000, () => now);
    const id = await askOne();
    approvals.close();
    now = '2999-03-01T00:01:00.000000Z';
    expect(await stateOf(id)).toBe('pending');
    approvals = open(null, () => now);
    await approvals.start();
    expect(await stateOf(id)).toBe('expired');
  });

  it('is waited for after a restart, too', async () => {
    approvals = open(80);
    await askOne();
    approvals.close();
    approvals = open(null);
    const settled = Promise.withResolvers<void>();
    approvals.onSettled('turn_1', () => settled.resolve());
    await approvals.start();
    await settled.promise;
    expect(await approvals.ofTurn(store.db, 'turn_1')).toMatchObject([{ state: 'expired' }]);
  });
});

describe('those who listen', () => {
  it('hear of decisions about their turn, after the commit, until they leave', async () => {
    const heard: string[] = [];
    const leave = approvals.onSettled('turn_1', () => heard.push('one'));
    const [first = '', second = '', third = ''] = (await ask({}, { turnId: 'turn_2' }, {})).map(
      ({ confirmation_id: id }) => id,
    );
    await decide(second, { decision: 'deny' });
    expect(heard).toEqual([]);
    await decide(first, { decision: 'deny' });
    expect(heard).toEqual(['one']);
    leave();
    await decide(third, { decision: 'deny' });
    expect(heard).toEqual(['one']);
  });

  it('hear of cancelled ones when these are announced', async () => {
    const [pending, decided] = await ask({}, {});
    await decide(decided?.confirmation_id ?? '', { decision: 'approve' });
    let heard = 0;
    approvals.onSettled('turn_1', () => (heard += 1));
    const cancelled = await store.db.transaction().execute((db) => approvals.cancelOfTurn(db, 'turn_1'));
    expect(cancelled).toMatchObject([{ confirmation_id: pending?.confirmation_id, state: 'cancelled' }]);
    expect(heard).toBe(0);
    approvals.announce(cancelled);
    expect(heard).toBe(1);
    expect(await outcomeOf(pending?.confirmation_id ?? '', { decision: 'approve' })).toBe('approval_decided');
  });
});

describe('those who watch', () => {
  const leaving = new AbortController();

  /** The next `count` changes as `[number of the change, id, state]`. */
  async function next(feed: ReturnType<Approvals['watch']>, count: number) {
    const seen: (readonly [number, string, string])[] = [];
    while (seen.length < count) {
      const { value, done } = await feed.next();
      if (done) break;
      for (const { change, approval } of value) {
        seen.push([change, approval.confirmation_id, approval.state]);
      }
    }
    return seen;
  }

  it('see what is pending first, then every change, in order', async () => {
    const [decided = '', pending = ''] = (await ask({}, {})).map(({ confirmation_id: id }) => id);
    await decide(decided, { decision: 'approve' });
    const feed = approvals.watch(null, leaving.signal);
    expect(await next(feed, 1)).toEqual([[2, pending, 'pending']]);
    const later = next(feed, 1);
    await decide(pending, { decision: 'deny' });
    expect(await later).toEqual([[4, pending, 'denied']]);
    await feed.return();
  });

  it('go on where they were, in another process, too; a number of nobody begins anew', async () => {
    const [first = '', second = ''] = (await ask({}, {})).map(({ confirmation_id: id }) => id);
    await decide(first, { decision: 'approve' });
    approvals.close();
    approvals = open();
    const feed = approvals.watch(1, leaving.signal);
    expect(await next(feed, 2)).toEqual([
      [2, second, 'pending'],
      [3, first, 'approved'],
    ]);
    await feed.return();
    const anew = approvals.watch(99, leaving.signal);
    expect(await next(anew, 1)).toEqual([[2, second, 'pending']]);
    await anew.return();
  });

  it('are not told the number of a row that is gone a second time', async () => {
    await ask();
    await store.db.deleteFrom('approvals').execute();
    const id = await askOne();
    const feed = approvals.watch(1, leaving.signal);
    expect(await next(feed, 1)).toEqual([[2, id, 'pending']]);
    await feed.return();
  });

  it('see all of many', async () => {
    const asked = await ask(...Array.from({ length: 120 }, () => ({})));
    const feed = approvals.watch(null, leaving.signal);
    const seen = await next(feed, 120);
    expect(seen.map(([, id]) => id)).toEqual(asked.map(({ confirmation_id: id }) => id));
    await feed.return();
  });

  it('are let go at the end', async () => {
    const feed = approvals.watch(null, leaving.signal);
    const ended = feed.next();
    approvals.close();
    expect(await ended).toEqual({ done: true, value: undefined });
  });
});
