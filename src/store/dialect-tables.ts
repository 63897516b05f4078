// Tables for clients of other APIs, as the query functions see them.
import type { Generated } from 'kysely';

/** How a history that was told to a client is recognised when it comes back. */
export interface HistoryMarkTable {
  /** Of everything that was said up to the message, as its client has it. */
  hash: string;
  session_id: string;
  /** The answer with which the history ends. */
  message_id: string;
}

/** What a turn was asked as a response of the Responses API; of no other turn. */
export interface ResponseTable {
  turn_id: string;
  /** JSON. */
  request: string;
  /** 1: its client does not want to find it any more. */
  deleted: Generated<number>;
}
