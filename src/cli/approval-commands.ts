// The commands about approvals; each is loaded when it is asked for.
import { type Command, Option } from 'commander';
import type { Verdict } from './approvals.ts';
import { complain, configure, type Flags, withSettings } from './command.ts';

export function addApprovalCommands(program: Command): void {
  const approvals = withSettings(
    program
      .command('approvals')
      .description('list what waits for a decision of yours in the running server')
      .option('--all', 'what was decided, too, the newest first')
      .option('--follow', 'go on with what is asked and decided from now on'),
  ).action(async ({ all, follow, ...flags }: Flags) => {
    const config = configure(flags);
    const { listApprovals } = await import('./approvals.ts');
    await listApprovals(config, { all: all === true, follows: follow === true });
  });

  withSettings(approvals.command('show').description('all about one').argument('<id>', 'its id')).action(
    async (id: string, flags: Flags, command: Command) => {
      const { showApproval } = await import('./approvals.ts');
      await showApproval(configureBelow(command, flags), id);
    },
  );

  withSettings(
    approvals
      .command('approve')
      .description('let them run; several are decided together, or none of them')
      .argument('<id...>', 'their ids')
      .addOption(
        new Option('--remember <where>', 'the tool need not ask again there').choices(['session', 'always']),
      )
      .option('--same', 'with --remember: only for exactly these arguments')
      .option('--arguments <json>', 'run with these instead, all of them as one JSON object')
      .option('--plan <text>', 'of an agent: go by this plan instead'),
  ).action(async (ids: string[], given: Flags, command: Command) => {
    const { remember, same, arguments: text, plan, ...flags } = given;
    const verdict: Verdict = {
      decision: 'approve',
      ...(remember !== undefined && { scope: remember === 'session' ? 'session' : 'always' }),
      ...(same === true && { match: 'arguments' }),
      ...(typeof text === 'string' && { arguments: parseObject(text) }),
      ...(typeof plan === 'string' && { content: plan }),
    };
    await decide(command, flags, ids, verdict);
  });

  withSettings(
    approvals
      .command('deny')
      .description('do not let them run')
      .argument('<id...>', 'their ids')
      .option('--reason <text>', 'why: the model is told'),
  ).action(async (ids: string[], { reason, ...flags }: Flags, command: Command) => {
    await decide(command, flags, ids, {
      decision: 'deny',
      ...(typeof reason === 'string' && { reason }),
    });
  });

  withSettings(
    approvals
      .command('respond')
      .description('do not let it run, and say what its result is; or answer a question')
      .argument('<id>', 'its id')
      .argument('<content>', 'text; for a question a JSON object'),
  ).action(async (id: string, content: string, flags: Flags, command: Command) => {
    await decide(command, flags, [id], { decision: 'respond', content });
  });
}

async function decide(command: Command, flags: Flags, ids: string[], verdict: Verdict): Promise<void> {
  const config = configureBelow(command, flags);
  const { decideApprovals } = await import('./approvals.ts');
  await decideApprovals(config, ids, verdict);
}

/** What stands before the command below belongs to it as well. */
function configureBelow(command: Command, flags: Flags) {
  const { all: _all, follow: _follow, ...above } = command.parent?.opts<Flags>() ?? {};
  return configure({ ...above, ...flags });
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Said below.
  }
  throw complain(['The arguments must be a JSON object such as \'{"path": "draft.txt"}\', in quotes.']);
}
