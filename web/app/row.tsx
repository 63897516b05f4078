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
}

export class Row extends Component<RowProps> {
  /** What is stored changes by its replacement only. */
  override shouldComponentUpdate(next: RowProps): boolean {
    const { message, isLast, position, results } = this.props;
    return (
      next.message !== message ||
      next.isLast !== isLast ||
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
