// A tool that comes with the server, run as a source: what a model reads is its outcome.
import { type BuiltinTool, createBuiltinSource } from '../../src/tools/builtin/builtin-tool.ts';
import type { ToolOutcome } from '../../src/tools/tool.ts';

export interface BuiltinRunner {
  (args: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<ToolOutcome>;
}

export function runnerOf(tool: BuiltinTool, { timeoutMs = 30_000 } = {}): BuiltinRunner {
  const source = createBuiltinSource('tool', tool, { timeoutMs, maxOutputBytes: 1024 * 1024 });
  return (args, signal = new AbortController().signal) =>
    source.run('tool', args, {
      sessionId: null,
      turnId: null,
      toolCallId: null,
      executionId: 'exec_000000000001',
      attempt: 1,
      idempotencyKey: 'key',
      signal,
      onProgress: () => undefined,
    });
}
