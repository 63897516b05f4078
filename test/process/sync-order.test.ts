// What the system sees: the log is written, then synced, then the client is told. With the real disk, where strace is.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { spawnServer } from '../support/spawned-server.ts';

const canTrace = process.platform === 'linux' && spawnSync('strace', ['true']).status === 0;
if (!canTrace) console.warn('There is no strace here: the order of syncs and answers is not looked at.');

interface Call {
  readonly what: 'log written' | 'sync begins' | 'sync ends' | 'told';
  readonly line: string;
}

/** Of `strace -f -y`, what matters here: calls of the same thread may begin on one line and end on another. */
function readTrace(trace: string): Call[] {
  const syncing = new Set<string>();
  return trace.split('\n').flatMap((line): Call[] => {
    const thread = /^\d+/.exec(line)?.[0] ?? '';
    if (/pwrite64\(\d+<[^>]*-wal>/.test(line)) return [{ what: 'log written', line }];
    if (/f(data)?sync\(\d+<[^>]*-wal>/.test(line)) {
      if (!line.includes('<unfinished')) {
        return [
          { what: 'sync begins', line },
          { what: 'sync ends', line },
        ];
      }
      syncing.add(thread);
      return [{ what: 'sync begins', line }];
    }
    if (syncing.has(thread) && /f(data)?sync resumed>\) += 0/.test(line)) {
      syncing.delete(thread);
      return [{ what: 'sync ends', line }];
    }
    return /^\d+ +(write|writev|sendto|sendmsg)\(/.test(line) ? [{ what: 'told', line }] : [];
  });
}

it.skipIf(!canTrace).each(['shared', 'commit'])(
  '%s: syncs the log before it tells of what is in it',
  async (sync) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'mochi-order-'));
    const ollama = await startFakeOllama();
    const server = await spawnServer({ dataDir, ollamaHost: ollama.url, env: { MOCHI_SQLITE_SYNC: sync } });
    try {
      const sessionId = await server.createSession();
      const output = join(dataDir, 'trace');
      const calls = 'trace=pwrite64,fsync,fdatasync,write,writev,sendto,sendmsg';
      const pid = String(server.pid);
      const tracer = spawn('strace', ['-f', '-y', '-s', '4000', '-e', calls, '-o', output, '-p', pid]);
      const ended = new Promise((resolve) => tracer.once('close', resolve));
      await new Promise((resolve) =>
        tracer.stderr.on('data', (said) => /attached/.test(said) && resolve(null)),
      );
      ollama.reply(text('Yes', '.'));
      const stream = await server.stream(`/chat/${sessionId}/stream`, { message: 'Hello' });
      await stream.all();
      tracer.kill('SIGINT');
      await ended;

      const trace = readTrace(readFileSync(output, 'utf8'));
      for (const event of ['turn_start', 'message_complete']) {
        const at = trace.findIndex(({ what, line }) => what === 'told' && line.includes(`event: ${event}`));
        const before = trace.slice(0, at).map(({ what }) => what);
        const written = before.lastIndexOf('log written');
        const begun = before.indexOf('sync begins', written);
        expect({ event, written, begun, ended: before.indexOf('sync ends', begun) }).toEqual({
          event,
          written: expect.toSatisfy((index: number) => index >= 0),
          begun: expect.toSatisfy((index: number) => index > written),
          ended: expect.toSatisfy((index: number) => index > begun),
        });
      }
    } finally {
      await server.kill('SIGTERM');
      await ollama.close();
      await rm(dataDir, { recursive: true });
    }
  },
);
