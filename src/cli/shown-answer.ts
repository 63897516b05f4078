// An answer on the terminal as it is written: thinking dimmed, tools in a line each, text as it is.
import type { TurnEvent } from '../client/index.ts';
import { callLine, cutLine } from './approval-text.ts';
import { dim, say, terminalWidth } from './terminal.ts';

/** Of one turn. */
export class ShownAnswer {
  private isDim = false;
  /** Whether what was written last stands alone at the beginning of a line. */
  private isAtStart = true;

  show({ event, data }: TurnEvent): void {
    switch (event) {
      case 'thinking_delta':
      case 'content_delta':
        this.style(event === 'thinking_delta');
        this.write(data.content);
        break;
      case 'tool_call':
        this.note(`· ${callLine(data.tool_name, data.arguments, terminalWidth() - 2)}`);
        break;
      case 'tool_result':
        this.note(`  ${resultText(data)}`);
        break;
      case 'message_complete':
        if (data.finish_reason === 'length') this.write(' (cut: finish_reason length)');
        break;
      default:
    }
  }

  /** What follows is no part of the answer. */
  endLine(): void {
    this.style(false);
    if (!this.isAtStart) this.write('\n');
  }

  end(): void {
    this.style(false);
    say('\n');
  }

  private note(line: string): void {
    this.endLine();
    this.style(true);
    this.write(line);
    this.endLine();
  }

  private style(isDim: boolean): void {
    if (isDim === this.isDim) return;
    dim(isDim);
    this.isDim = isDim;
    if (!isDim && !this.isAtStart) this.write('\n');
  }

  private write(text: string): void {
    if (text === '') return;
    say(text);
    this.isAtStart = text.endsWith('\n');
  }
}

type ToolResult = Extract<TurnEvent, { event: 'tool_result' }>['data'];

function resultText({ success, result, error }: ToolResult): string {
  const [first = ''] = (success ? result : (error ?? '')).split('\n');
  return cutLine(`${success ? '→' : 'not done:'} ${first}`, terminalWidth() - 2);
}
