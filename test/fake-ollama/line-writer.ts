// Writes lines to the response in the script's pieces.
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SplitMode } from './chat-script.ts';

/**
 * `write` returns a promise only when the caller has to wait, so that fast answers stay in one tick. `flush` sends
 * the rest.
 */
export type LineWriter = {
  write(line: Buffer): Promise<void> | undefined;
  flush(): void;
};

export function createLineWriter(response: ServerResponse, mode: SplitMode, signal: AbortSignal): LineWriter {
  if (mode === 'joined') return joinedWriter(response);
  if (mode === 'whole') return { write: (line) => writeWhole(response, line, signal), flush() {} };
  return pieceWriter(response, mode === 'byte' ? 1 : mode, signal);
}

function writeWhole(response: ServerResponse, line: Buffer, signal: AbortSignal): Promise<void> | undefined {
  if (response.write(line)) return undefined;
  return once(response, 'drain', { signal }).then(() => undefined);
}

/**
 * Each piece is an HTTP chunk of its own, so that the client's parser cannot join two pieces even if the kernel does.
 * A turn of the event loop makes it a TCP write of its own, too (node:http sets TCP_NODELAY); further turns let a
 * client in the same process read it before the next one comes. Pieces go over the ends of lines: what is left of a
 * line comes with the next one.
 */
function pieceWriter(response: ServerResponse, size: number, signal: AbortSignal): LineWriter {
  let rest: Buffer = Buffer.alloc(0);
  return {
    async write(line) {
      rest = Buffer.concat([rest, line]);
      while (rest.length >= size) {
        const hasRoom = response.write(rest.subarray(0, size));
        rest = rest.subarray(size);
        for (let turn = 0; turn < 3; turn += 1) await nextTurn(undefined, { signal });
        if (!hasRoom && response.writableNeedDrain) await once(response, 'drain', { signal });
      }
    },
    flush() {
      if (rest.length > 0) response.write(rest);
      rest = Buffer.alloc(0);
    },
  };
}

function joinedWriter(response: ServerResponse): LineWriter {
  const lines: Buffer[] = [];
  return {
    write(line) {
      lines.push(line);
      return undefined;
    },
    flush() {
      if (lines.length > 0) response.write(Buffer.concat(lines.splice(0)));
    },
  };
}
