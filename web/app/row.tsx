// One message that is stored, with what can be done with it.
import { Component } from 'preact';
import type { Message } from '../../src/client/index.ts';
import { AnswerRow } from './answer-row.tsx';
import { SystemRow } from './system-row.tsx';
import { UserRow } from './user-row.tsx';

export interface RowProps {
  readonly message: Message;
  /** Of its tool calls. */
  readonly results: readonly Message[];
  /** From 1. */
  readonly position: number;
  readonly total: number;
  readonly isLast: boolean;
  /** With the message before it, it is one answer, which was cut and gone on with. */
  readonly goesOn: boolean;
  /** The same, with the message after it. */
  readonly isGoneOn: boolean;
}

export class Row extends Component<RowProps> {
  /** What is stored changes by its replacement only. */
  override shouldComponentUpdate(next: RowProps): boolean {
    const { message, isLast, position, results, goesOn, isGoneOn } = this.props;
    return (
      next.message !== message ||
      next.isLast !== isLast ||
      next.goesOn !== goesOn ||
      next.isGoneOn !== isGoneOn ||
      next.position !== position ||
      next.results.length !== results.length
    );
  }

  override render(props: RowProps) {
    const { message } = props;
    if (message.role === 'user') return <UserRow {...props} />;
    return message.role === 'assistant' ? <AnswerRow {...props} /> : <SystemRow {...props} />;
  }
}
