// Server-sent events out of text that is cut anywhere: lines that end in LF, CR or CRLF, gathered up to a blank one.

export interface ParsedEvent {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: string;
}

/** @returns what is to be fed each piece. A piece is looked at once, however long a line gets */
export function parseEvents(onEvent: (event: ParsedEvent) => void): (piece: string) => void {
  let begun = '';
  let endsInCr = false;
  let id: string | undefined;
  let event: string | undefined;
  let data: string | undefined;

  const take = (line: string) => {
    if (line === '') {
      if (data !== undefined) onEvent({ id, event: event || undefined, data });
      id = event = data = undefined;
      return;
    }
    const [, name, value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (name === 'data') data = data === undefined ? value : `${data}\n${value}`;
    if (name === 'event') event = value;
    if (name === 'id') id = value;
  };

  return (piece) => {
    // The other half of an end of line that was cut.
    const lines = (endsInCr && piece.startsWith('\n') ? piece.slice(1) : piece).split(/\r\n|\r|\n/);
    if (piece !== '') endsInCr = piece.endsWith('\r');
    const open = lines.pop() ?? '';
    for (const line of lines) {
      take(begun + line);
      begun = '';
    }
    begun += open;
  };
}
