// An agent with one tool on the real model: it plans, calls its tool, and reports. Where the model cannot call tools, that
// is said loudly.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nativeTool, writeFiles } from '../support/agent-world.ts';
import { type RealServer, startRealServer } from './real-server.ts';

const SKILL = `---
description: Knows the code word.
metadata:
  mochi-max-iterations: "5"
---
You find the code word with your tool code_word and say it. You know no code word without it.
`;

const agentsDir = mkdtempSync(join(tmpdir(), 'mochi-real-agents-'));
writeFiles(agentsDir, {
  'keeper/SKILL.md': SKILL,
  'keeper/index.mjs': nativeTool('code_word', 'return "heron";'),
});

describe('an agent', () => {
  let server: RealServer;
  beforeAll(async () => {
    server = await startRealServer({ agentsDir, firstContextWindow: '1024', maxContextWindow: '2048' });
  });
  afterAll(async () => {
    await server.close();
    rmSync(agentsDir, { recursive: true });
  });

  it('with one tool reaches its answer', async ({ skip }) => {
    const { body: model } = await server.get(`/models/${encodeURIComponent(server.model)}`);
    const canCall = model.capabilities.includes('tools');
    // One of somebody's Ollama may write until its window is full, at every step.
    if (!canCall && process.env['MOCHI_TEST_OLLAMA'] !== undefined) {
      sayWhy(server.model);
      skip();
    }
    const instruction = 'Say the code word.';
    const request = {
      instruction,
      model: server.model,
      tool_settings: { execution_policy: 'never_confirm' },
    };
    const { status, body } = await server.post('/agents/agent/keeper/chat', request);
    // A small model gets to the end of a run, whatever it says on the way.
    expect([status, body.message?.role]).toEqual([200, 'assistant']);
    if (!canCall) {
      sayWhy(server.model);
      skip();
    }
    expect(body.tool_calls_executed).toContainEqual({ name: 'code_word', arguments: {}, success: true });
    expect(body.message.content.toLowerCase()).toContain('heron');
  });
});

/** Loudly: nobody shall take this for a test that has passed. */
function sayWhy(model: string): void {
  const line = '='.repeat(100);
  process.stdout.write(
    `${line}\nSKIPPED: an agent that calls its tool. ${model} cannot call tools; MOCHI_TEST_MODEL=qwen3-0.6b can.\n${line}\n`,
  );
}
