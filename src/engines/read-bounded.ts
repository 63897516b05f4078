// An answer read whole, but never without end.

export interface BoundedText {
  readonly text: string;
  /** There was more; the connection was closed instead of reading it. */
  readonly isCut: boolean;
}

/** The body as text, at most so many bytes of it. Its time is the business of the request's signal. */
export async function readBounded(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<BoundedText> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body) {
    const room = maxBytes - length;
    parts.push(part.length > room ? part.subarray(0, room) : part);
    length += part.length;
    // Leaving the loop destroys the body.
    if (length > maxBytes) break;
  }
  return { text: Buffer.concat(parts).toString('utf8'), isCut: length > maxBytes };
}
