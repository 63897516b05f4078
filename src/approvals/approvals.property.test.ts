// Approvals against a model of them: asked, decided one by one, together and at once, expired, cancelled, deleted, over
// restarts. What a watcher was told last is what the rows say.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openTestStore, type TestStore } from '../../test/support/open-test-store.ts';
import type { Approval, ApprovalState, DecisionName } from '../contract/approval.ts';
import { MochiError } from '../contract/errors.ts';
import { formatMicroseconds } from '../kit/clock.ts';
import { createLog } from '../kit/log.ts';
import { deleteSession } from '../store/clear-session.ts';
import { NO_POLICY } from '../tools/policy/tool-policy.ts';
import { createTools, type Tools } from '../tools/tools.ts';
import { Approvals } from './approvals.ts';

const SESSIONS = 2;
const TURNS = 3;
const DECISIONS = ['approve', 'respond', 'deny', 'retry'] as const satisfies readonly DecisionName[];
const STATES = { approve: 'approved', respond: 'answered', deny: 'denied' } as const;

type Step =
  | { readonly do: 'ask'; readonly turn: number; readonly count: number; readonly isPatient: boolean }
  | { readonly do: 'decide'; readonly at: readonly number[]; readonly decision: (typeof DECISIONS)[number] }
  | { readonly do: 'rush'; readonly at: number; readonly deciders: number }
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'cancel'; readonly turn: number }
  | { readonly do: 'delete'; readonly session: number }
  | { readonly do: 'restart' };

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('ask'),
      turn: fc.nat(TURNS - 1),
      count: fc.integer({ min: 1, max: 3 }),
      isPatient: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('decide'),
      at: fc.array(fc.nat(30), { minLength: 1, maxLength: 3 }),
      decision: fc.constantFrom(...DECISIONS),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('rush'),
      at: fc.nat(30),
      deciders: fc.integer({ min: 2, max: 6 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait'), seconds: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel'), turn: fc.nat(TURNS - 1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete'), session: fc.nat(SESSIONS - 1) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('restart') }) },
);

interface Expected {
  readonly session: string;
  readonly turn: string;
  readonly expiresAt: number | null;
  state: ApprovalState | 'deleted';
}

const TIMEOUT_SECONDS = 60;
/** Far from now, so that no timer fires by itself: what is over is seen by a decision, or by the next start. */
const START = Date.parse('2999-01-01T00:00:00Z') / 1000;

class World {
  readonly model = new Map<string, Expected>();
  /** What a watcher was told last. */
  readonly told = new Map<string, string>();
  #seconds = START;
  #micros = 0;
  #ids = 0;
  #approvals: Approvals;
  #watching = new AbortController();
  #lastChange: number | null = null;
  #watched: Promise<void> = Promise.resolve();
  readonly #store: TestStore;
  readonly #tools: Tools;

  constructor(store: TestStore, tools: Tools) {
    this.#store = store;
    this.#tools = tools;
    this.#approvals = this.#open(true);
    this.#watch();
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'ask':
        return this.#ask(step);
      case 'decide':
        return this.#decide([...new Set(step.at.map((index) => this.#idAt(index)))], step.decision);
      case 'rush':
        return this.#rush(this.#idAt(step.at), step.deciders);
      case 'wait':
        this.#seconds += step.seconds;
        return undefined;
      case 'cancel':
        return this.#cancel(`turn ${step.turn}`);
      case 'delete':
        return this.#delete(`session ${step.session}`);
      case 'restart':
        return this.#restart();
    }
  }

  async check(): Promise<void> {
    const rows = await this.#approvals.list({ isPending: false, limit: 1000, after: null });
    const states = Object.fromEntries(rows.map((row) => [row.confirmation_id, row.state]));
    expect(states).toEqual(Object.fromEntries(this.#seen().map(([id, { state }]) => [id, state])));
    const pending = await this.#approvals.list({ isPending: true, limit: 1000, after: null });
    expect(pending.map(({ confirmation_id: id }) => id)).toEqual(
      this.#seen()
        .filter(([, { state }]) => state === 'pending')
        .map(([id]) => id),
    );
    for (const { state, decision, decided_at } of rows) {
      const isDecided = ['approved', 'answered', 'denied'].includes(state);
      expect([decision !== null, decided_at !== null]).toEqual([isDecided, state !== 'pending']);
    }
  }

  async end(): Promise<void> {
    await this.#stopWatching();
    this.#watch();
    // Nothing has changed since it was last told, so that the end of this batch is the end of all.
    await this.#stopWatching();
    for (const [id, { state }] of this.#seen()) expect([id, this.told.get(id)]).toEqual([id, state]);
    this.#approvals.close();
  }

  #seen() {
    return [...this.model].filter(([, { state }]) => state !== 'deleted');
  }

  #idAt(index: number): string {
    const ids = [...this.model.keys()];
    return ids[index % Math.max(ids.length, 1)] ?? 'conf_nobody';
  }

  #open(isPatient: boolean): Approvals {
    return new Approvals({
      db: this.#store.db,
      log: createLog({ level: 'fatal', format: 'json' }),
      tools: this.#tools,
      confirmTimeoutMs: isPatient ? null : TIMEOUT_SECONDS * 1000,
      newId: (digits) => String((this.#ids += 1)).padStart(digits, '0'),
      now: () => formatMicroseconds(this.#seconds * 1_000_000 + (this.#micros += 1)),
    });
  }

  async #ask({ turn, count, isPatient }: Extract<Step, { do: 'ask' }>): Promise<void> {
    const session = `session ${turn % SESSIONS}`;
    const isThere = await this.#store.db
      .selectFrom('sessions')
      .where('id', '=', session)
      .select('id')
      .execute();
    if (isThere.length === 0) return;
    const drafts = Array.from({ length: count }, (_, callIndex) => ({
      kind: 'tool' as const,
      sessionId: session,
      turnId: `turn ${turn}`,
      callIndex,
      toolName: 'mcp__server__tool',
      arguments: {},
      digest: 'd',
      fingerprint: 'f',
      rule: 'default',
    }));
    const asker = this.#open(isPatient);
    const asked = await this.#store.db.transaction().execute((db) => asker.insert(db, drafts));
    asker.close();
    for (const { confirmation_id: id } of asked) {
      const expiresAt = isPatient ? null : this.#seconds + TIMEOUT_SECONDS;
      this.model.set(id, { session, turn: `turn ${turn}`, expiresAt, state: 'pending' });
    }
    this.#approvals.announce(asked);
  }

  /** What is in the way of a decision about it; null: nothing. */
  #obstacle(id: string): string | null {
    const expected = this.model.get(id);
    if (expected === undefined || expected.state === 'deleted') return 'confirmation_not_found';
    const isLate = expected.expiresAt !== null && expected.expiresAt <= this.#seconds;
    if (expected.state === 'expired' || (expected.state === 'pending' && isLate)) return 'approval_expired';
    return expected.state === 'pending' ? null : 'approval_decided';
  }

  async #decide(ids: readonly string[], decision: (typeof DECISIONS)[number]): Promise<void> {
    const faults = ids.map(
      (id) => this.#obstacle(id) ?? (decision === 'retry' ? 'decision_not_allowed' : null),
    );
    const fault = faults.find((found) => found !== null) ?? null;
    expect(await this.#outcome(ids, decision)).toBe(fault ?? 'decided');
    if (fault !== null || decision === 'retry') return;
    for (const id of ids) this.#settle(id, STATES[decision]);
  }

  /** Several at once: one of them decides, where any can. */
  async #rush(id: string, deciders: number): Promise<void> {
    const obstacle = this.#obstacle(id);
    const outcomes = await Promise.all(
      Array.from({ length: deciders }, (_, index) =>
        this.#outcome([id], index % 2 === 0 ? 'deny' : 'approve'),
      ),
    );
    const won = outcomes.filter((outcome) => outcome === 'decided');
    const lost = outcomes.filter((outcome) => outcome !== 'decided');
    expect([won.length, ...new Set(lost)]).toEqual(
      obstacle === null ? [1, 'approval_decided'] : [0, obstacle],
    );
    if (obstacle === null) this.#settle(id, (await this.#approvals.find(id)).state);
  }

  async #outcome(ids: readonly string[], decision: DecisionName): Promise<string> {
    const content = decision === 'respond' ? { content: 'x' } : {};
    const decisions = ids.map((confirmation_id) => ({ confirmation_id, decision, ...content }));
    return this.#approvals.decide(decisions, { requestId: null }).then(
      () => 'decided',
      (error: unknown) => (error instanceof MochiError ? error.kind : Promise.reject(error)),
    );
  }

  #settle(id: string, state: ApprovalState): void {
    const expected = this.model.get(id);
    if (expected !== undefined) expected.state = state;
  }

  async #cancel(turn: string): Promise<void> {
    const cancelled = await this.#store.db
      .transaction()
      .execute((db) => this.#approvals.cancelOfTurn(db, turn));
    this.#approvals.announce(cancelled);
    for (const [id, expected] of this.model) {
      if (expected.turn === turn && expected.state === 'pending') this.#settle(id, 'cancelled');
    }
    expect(cancelled.every(({ state }: Approval) => state === 'cancelled')).toBe(true);
  }

  async #delete(session: string): Promise<void> {
    await this.#store.db.transaction().execute((db) => deleteSession(db, session, Date.now()));
    for (const expected of this.model.values()) if (expected.session === session) expected.state = 'deleted';
  }

  async #restart(): Promise<void> {
    await this.#stopWatching();
    this.#approvals.close();
    this.#approvals = this.#open(true);
    await this.#approvals.start();
    for (const [id, { state, expiresAt }] of this.model) {
      if (state === 'pending' && expiresAt !== null && expiresAt <= this.#seconds)
        this.#settle(id, 'expired');
    }
    this.#watch();
  }

  #watch(): void {
    this.#watching = new AbortController();
    this.#watched = this.#follow(this.#approvals.watch(this.#lastChange, this.#watching.signal));
  }

  async #follow(changes: ReturnType<Approvals['watch']>): Promise<void> {
    for await (const batch of changes) {
      for (const { change, approval } of batch) {
        // Numbers only grow: whoever goes on after one has missed nothing before it.
        expect(change).toBeGreaterThan(this.#lastChange ?? 0);
        this.#lastChange = change;
        this.told.set(approval.confirmation_id, approval.state);
      }
    }
  }

  /** When it has read what there is. */
  async #stopWatching(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#watching.abort();
    await this.#watched;
  }
}

it('are what a model of them says, whatever happens in whichever order', { timeout: 60_000 }, async () => {
  const tools = await createTools({ discover: async () => [], readPolicy: async () => NO_POLICY });
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 40 }), async (list) => {
      const store = await openTestStore();
      try {
        for (let session = 0; session < SESSIONS; session += 1) await store.addSession(`session ${session}`);
        const world = new World(store, tools);
        for (const step of list) {
          await world.take(step);
          await world.check();
        }
        await world.end();
      } finally {
        await store.close();
      }
    }),
    { numRuns: 60 },
  );
  await tools.close();
});
