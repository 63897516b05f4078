// A server in whose data folder people were asked before it started: approvals without the turns that wait for them.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Approvals } from '../../src/approvals/approvals.ts';
import type { NewApproval } from '../../src/approvals/draft-approval.ts';
import type { Config } from '../../src/config.ts';
import type { Approval } from '../../src/contract/approval.ts';
import { timestampNow } from '../../src/kit/clock.ts';
import { randomHex } from '../../src/kit/ids.ts';
import { createLog } from '../../src/kit/log.ts';
import { insertSession } from '../../src/store/sessions.ts';
import { NO_POLICY } from '../../src/tools/policy/tool-policy.ts';
import { digestOfCall } from '../../src/tools/prepare-call.ts';
import { createTools } from '../../src/tools/tools.ts';
import { TIME } from './open-test-store.ts';
import { ScriptedSource } from './scripted-source.ts';
import { openDatabaseOf } from './test-database.ts';
import { startTestServer, type TestServer } from './test-server.ts';

export interface AskingServer extends TestServer {
  /** In the order in which they were asked. */
  readonly asked: readonly Approval[];
}

export const FILE_SCHEMA = {
  type: 'object',
  properties: { path: { type: 'string' }, times: { type: 'integer' } },
  required: ['path'],
  additionalProperties: false,
};

export interface AskingOptions {
  readonly sessions: readonly string[];
  /** Of the session, and of `delete_file`, where nothing else is said. */
  readonly drafts: readonly (Partial<NewApproval> & { readonly sessionId: string })[];
  readonly config?: Partial<Config>;
  readonly confirmTimeoutMs?: number;
}

export async function startAskingServer(options: AskingOptions): Promise<AskingServer> {
  const source = () =>
    new ScriptedSource('files', { tools: [{ name: 'delete_file', inputSchema: FILE_SCHEMA }] });
  const dataDir = await mkdtemp(join(tmpdir(), 'mochi-asking-'));
  const asked = await ask(dataDir, source(), options);
  const { config = {} } = options;
  const server = await startTestServer({ dataDir, toolSources: [source()], config });
  const close = async () => {
    await server.close();
    await rm(dataDir, { recursive: true });
  };
  return Object.create(server, Object.getOwnPropertyDescriptors({ asked, close }));
}

async function ask(
  dataDir: string,
  source: ScriptedSource,
  { sessions, drafts, confirmTimeoutMs }: AskingOptions,
): Promise<Approval[]> {
  const { db, close } = await openDatabaseOf(dataDir, { exclusive: true });
  const tools = await createTools({ discover: async () => [source], readPolicy: async () => NO_POLICY });
  await tools.ready();
  const fingerprint = tools.registry().tools.get('delete_file')?.fingerprint ?? '';
  for (const id of sessions) await insertSession(db, { ...NEW_SESSION, id });
  const approvals = new Approvals({
    db,
    log: createLog({ level: 'fatal', format: 'json' }),
    tools,
    confirmTimeoutMs: confirmTimeoutMs ?? null,
    newId: randomHex,
    now: timestampNow,
  });
  const args = { path: 'draft.txt' };
  const asked = await db.transaction().execute((transaction) =>
    approvals.insert(
      transaction,
      drafts.map((draft) => ({
        kind: 'tool',
        turnId: `turn_of_${draft.sessionId}`,
        messageId: 'm',
        callIndex: 0,
        toolCallId: 'call_1',
        toolName: 'delete_file',
        arguments: args,
        inputSchema: FILE_SCHEMA,
        digest: digestOfCall({ policyName: 'delete_file', fingerprint }, args),
        fingerprint,
        rule: 'execution_policy',
        ...draft,
      })),
    ),
  );
  approvals.close();
  await tools.close();
  await close();
  return asked;
}

const NEW_SESSION = {
  model: 'llama3.2:latest',
  createdAt: TIME,
  updatedAt: TIME,
  title: null,
  metadata: {},
  toolSettings: {
    tools: ['delete_file'],
    execution_policy: 'always_confirm' as const,
    tool_policies: {},
  },
  agentSettings: { enabled_agents: [] },
  contextWindow: {
    dynamic_enabled: true,
    current_window: 8192,
    last_adjustment: 'initial_setup' as const,
    adjustment_history: [],
    manual_override: false,
  },
  summaryModel: null,
};
