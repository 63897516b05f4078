// Approvals inside of an event: those of a whole round can be large, and the inbox has them whole.
import type { Approval } from '../../contract/approval.ts';

const MAX_SHOWN = 32;
/** Of arguments, and of a schema, as JSON. */
const MAX_LENGTH = 4096;

export function shownApprovals(approvals: readonly Approval[]): Approval[] {
  return approvals.slice(0, MAX_SHOWN).map((approval) => ({
    ...approval,
    arguments: unlessLong(approval.arguments),
    input_schema: unlessLong(approval.input_schema),
  }));
}

function unlessLong<T>(value: T): T | null {
  return JSON.stringify(value).length > MAX_LENGTH ? null : value;
}
