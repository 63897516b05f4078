// What is told of a run to whoever called the agent: what it said and did, by the plan that counted.
import type { RunStep } from '../agents/result-text.ts';
import type { Db } from '../store/database.ts';
import { listRunSteps } from '../store/run-steps.ts';
import { PLAN_INSTEAD } from './approve-plan.ts';

/** The plan of a person stands in the place of the agent's. */
export async function listToldSteps(db: Db, chatId: string, runId: string): Promise<RunStep[]> {
  const steps: RunStep[] = [];
  for (const step of await listRunSteps(db, chatId, runId)) {
    if (step.kind !== 'said') {
      steps.push(step);
      continue;
    }
    if (steps.at(-1)?.kind === 'text') steps.pop();
    steps.push({ kind: 'text', text: step.text.replace(PLAN_INSTEAD, '') });
  }
  return steps;
}
