// Server-sent events as the specification reads them, strictly: what a browser would drop, a test must see.

export interface StreamedEvent {
  /** 0: the frame has none. */
  readonly id: number;
  readonly event: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect; a wrong guess fails the test.
  readonly data: any;
}

export async function* readEvents(response: Response): AsyncGenerator<StreamedEvent, void> {
  if (response.body !== null) yield* parseEvents(response.body.pipeThrough(new TextDecoderStream()));
}

/** @param texts the body, cut anywhere but inside a character */
export async function* parseEvents(texts: AsyncIterable<string>): AsyncGenerator<StreamedEvent, void> {
  let rest = '';
  for await (const text of texts) {
    const frames = (rest + text).split('\n\n');
    rest = frames.pop() ?? '';
    for (const frame of frames) {
      if (frame.startsWith(':')) continue;
      yield toEvent(frame);
    }
  }
  if (rest !== '') throw new Error(`the stream ended inside a frame: ${rest}`);
}

function toEvent(frame: string): StreamedEvent {
  const match = /^(?:id: (\d+)\n)?event: (\w+)\ndata: ([^\n]*)$/.exec(frame);
  if (match === null) throw new Error(`not a frame of ours: ${frame}`);
  return { id: Number(match[1] ?? 0), event: match[2] ?? '', data: JSON.parse(match[3] ?? '') };
}
