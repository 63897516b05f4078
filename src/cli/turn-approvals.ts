// The approvals of a turn that somebody watches at the terminal: asked one by one, withdrawn when others decided.
import { isMochiError, type Mochi, type TurnEvent } from '../client/index.ts';
import { askApproval } from './ask-approval.ts';
import type { TypedLines } from './chat/typed-lines.ts';
import { say, sayError } from './terminal.ts';

/** What a call becomes that was asked about. */
const SETTLED: ReadonlySet<string> = new Set(['tool_call', 'tool_result']);
/** Nobody waits for an answer any more. */
const OVER: ReadonlySet<string> = new Set(['error', 'done']);

interface TurnApprovalDeps {
  readonly mochi: Mochi;
  /** Null: nobody sits at the terminal. */
  readonly typed: TypedLines | null;
  /** Whoever was asked has left. */
  readonly onLeft: () => void;
}

/** Has a lifetime: that of the turn. */
export class TurnApprovals {
  private readonly deps: TurnApprovalDeps;
  private asked: { readonly withdraw: AbortController; readonly ended: Promise<void> } | null = null;

  constructor(deps: TurnApprovalDeps) {
    this.deps = deps;
  }

  /** @throws what the client throws */
  async hear({ event, data }: TurnEvent): Promise<void> {
    const { typed } = this.deps;
    if (SETTLED.has(event)) await this.withdraw('decided elsewhere');
    if (OVER.has(event)) await this.close();
    if (event !== 'tool_call_confirmation_required') return;
    const { confirmation_id: id } = data;
    if (typed === null) {
      sayError(`Waiting for an approval: mochi-server approvals show ${id}\n`);
      return;
    }
    await this.close();
    const withdraw = new AbortController();
    const ended = this.ask(id, typed, withdraw.signal);
    // It is waited for when something else has happened; until then nobody would catch what it throws.
    ended.catch(() => undefined);
    this.asked = { withdraw, ended };
  }

  /** Nothing is asked any more. */
  async close(): Promise<void> {
    await this.withdraw(null);
  }

  private async withdraw(why: string | null): Promise<void> {
    const { asked } = this;
    this.asked = null;
    asked?.withdraw.abort(why);
    await asked?.ended;
  }

  private async ask(id: string, typed: TypedLines, signal: AbortSignal): Promise<void> {
    const { mochi, onLeft } = this.deps;
    try {
      const isSettled = await askApproval({ mochi, typed, signal }, await mochi.approvals.get(id));
      if (isSettled) return;
      if (!signal.aborted) onLeft();
      else if (signal.reason !== null) say(`\n(${String(signal.reason)})\n`);
    } catch (error) {
      // The turn goes on, or its stream says why not.
      if (!isMochiError(error)) throw error;
      say(`${error.message}\n`);
    }
  }
}
