// What agents do for a turn, in dim lines under the call that began them.
import type { TurnEvent } from '../../client/index.ts';
import { callLine, cutLine } from '../approval-text.ts';
import { outcomeMark } from '../outcome-mark.ts';
import { terminalWidth } from '../terminal.ts';
import { StepText } from './step-text.ts';

/** Has a lifetime: that of a turn. */
export class AgentSteps {
  /** What agents are saying, each on its own: several may work at the same time. */
  readonly #words = new Map<string, StepText>();

  /** @returns lines to show, without what indents them; null: the event is not about an agent */
  hear(event: TurnEvent): readonly string[] | null {
    const width = Math.max(terminalWidth() - 4, 10);
    switch (event.event) {
      case 'agent_start': {
        const { agent_name: agent, model, continued } = event.data;
        return [cutLine(`${agent} ${continued ? 'goes on' : 'begins'} with ${model}`, width)];
      }
      case 'agent_planning':
      case 'agent_execution':
        return this.#say(event.data, event.event === 'agent_planning' ? 'plan: ' : '', width);
      case 'agent_tool_call': {
        const { tool_name: tool, arguments: args } = event.data;
        return [...this.#flush(event.data.turn_id, width), `· ${callLine(tool, args, width - 2)}`];
      }
      case 'agent_tool_result': {
        const { success, result, error } = event.data;
        const [first = ''] = (success ? result : (error ?? '')).split('\n');
        return [cutLine(`  ${outcomeMark(first, success)} ${first}`, width)];
      }
      case 'agent_complete': {
        const { agent_name: agent, reason, rounds, turn_id: turnId } = event.data;
        const left = this.#flush(turnId, width);
        const how = ENDS[reason] ?? reason;
        return [
          ...left,
          cutLine(`${agent} ${how} after ${rounds} ${rounds === 1 ? 'round' : 'rounds'}`, width),
        ];
      }
      case 'agent_status':
        return [];
      default:
        return null;
    }
  }

  #say(
    { turn_id: run, message_id: message, content }: { turn_id: string; message_id: string; content: string },
    before: string,
    width: number,
  ): string[] {
    const words = this.#words.get(run);
    const isNew = words?.message !== message;
    const left = isNew ? this.#flush(run, width) : [];
    const current = isNew || words === undefined ? new StepText(message, before) : words;
    this.#words.set(run, current);
    return [...left, ...current.push(content, width)];
  }

  #flush(run: string, width: number): string[] {
    const left = this.#words.get(run)?.end(width) ?? [];
    this.#words.delete(run);
    return left;
  }
}

const ENDS: Readonly<Record<string, string>> = {
  completed: 'is done',
  max_iterations: 'used up its rounds',
  timeout: 'used up its time',
  token_limit: 'used up its tokens',
  plan_denied: 'was not allowed its plan',
  cancelled: 'was stopped',
  failed: 'failed',
};
