// Where a run of an agent comes from: which agent, in which chat, and for whom.
import type { ValidAgent } from '../agents/agent.ts';
import type { NewRun, RunParent } from '../store/agent-runs.ts';

/** What makes a turn the run of an agent. */
export interface RunOrigin {
  /** As it is when the run is accepted. */
  readonly agent: ValidAgent;
  /** With which it works. */
  readonly model: string;
  /** Its chat is made with it; else it goes on in one. */
  readonly isNew: boolean;
  /** The call that started it; null: a client did. */
  readonly parent: RunParent | null;
}

/** As the row of its turn has it. */
export function toNewRun({ agent, parent }: RunOrigin): NewRun {
  return {
    agentName: agent.name,
    phase: agent.skill.run.planning ? 'planning' : 'executing',
    parent,
  };
}
