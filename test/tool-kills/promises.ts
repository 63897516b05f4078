// What was promised about tools, held against the rows, the lines that they wrote, and what a client was told.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { faultsOf, readFamily, type StoredRows } from '../support/read-store.ts';

/** Keys of calls whose success somebody was told. */
export type ToldSuccesses = ReadonlySet<string>;

/** What does not hold of a session in which nothing runs, one line each. */
export async function brokenPromises(
  dataDir: string,
  sessionId: string,
  told: ToldSuccesses,
): Promise<string[]> {
  const rows = await readFamily(dataDir, sessionId);
  const lines = readLines(dataDir);
  const faults = faultsOf(rows);
  const twice = lines.filter((line, index) => lines.indexOf(line) !== index);
  faults.push(...twice.map((line) => `${line} was written twice by one attempt`));
  for (const run of rows.executions) {
    if (run.state === 'running') faults.push(`${run.id} is still running`);
  }
  faults.push(...agentFaults(rows));
  for (const call of rows.toolCalls.filter(({ name }) => name !== 'agent')) {
    const { key }: { key: string } = JSON.parse(call.ran_arguments ?? call.arguments);
    const decided = rows.approvals.filter(
      ({ message_id: message, call_index: index }) =>
        message === call.message_id && index === call.call_index,
    );
    const count = (kind: string, state: string) =>
      decided.filter((approval) => approval.kind === kind && approval.state === state).length;
    const written = lines.filter((line) => line.startsWith(`${key} `)).length;
    const mayRun = (call.verdict === 'ask' ? count('tool', 'approved') : 1) + count('outcome', 'approved');
    if (written > mayRun) faults.push(`${key} was written ${written} times, and might be ${mayRun} times`);
    const isTold = call.success === 1 || told.has(key);
    const isAnswered = count('outcome', 'answered') + count('tool', 'answered') > 0;
    if (isTold && !isAnswered && written === 0) faults.push(`${key} is a success, and was not written`);
    const runs = rows.executions.filter(
      ({ message_id: message, call_index: index }) =>
        message === call.message_id && index === call.call_index,
    );
    if (written === 0 && runs.some(({ state }) => state === 'succeeded')) {
      faults.push(`a run of ${key} has succeeded, and wrote nothing`);
    }
    // What took effect is known to have, or known to be unknown.
    if (written > 0 && !runs.some(({ state, read_only }) => state !== 'failed' || read_only === 1)) {
      faults.push(`${key} was written, and no run of it says so`);
    }
  }
  return faults;
}

/** A call of an agent is a run: one of them, which has ended as its call says. */
function agentFaults({ toolCalls, turns }: StoredRows): string[] {
  return toolCalls
    .filter(({ name }) => name === 'agent')
    .flatMap((call) => {
      const runs = turns.filter(
        ({ parent_message_id: message, parent_call_index: index }) =>
          message === call.message_id && index === call.call_index,
      );
      const [run] = runs;
      if (runs.length > 1) return [`call ${call.call_id} has ${runs.length} runs`];
      const isDone = run?.state === 'completed';
      if (isDone === (call.success === 1)) return [];
      return [`the run of call ${call.call_id} is ${run?.state}, and its call says ${call.success}`];
    });
}

function readLines(dataDir: string): string[] {
  const file = join(dataDir, 'lines.txt');
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
}
