// Agents as people have them, at work: Python in both layouts, a skill with references, and a real MCP server through
// allowed-tools.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, toolCall } from '../fake-ollama/chat-script.ts';
import { type AgentServer, startAgentServer, UNASKED } from '../support/agent-server.ts';
import { nativeTool, pythonTool, skill } from '../support/agent-world.ts';
import { packaged } from '../support/mcp-world.ts';
import { HAS_PYTHON } from '../support/tool-groups.ts';

/** In the format as it is published: name, licence, compatibility, references. */
const REVIEWER = `---
name: reviewer
description: Reviews texts for tone. Use when a text is to be sent to customers, or when the user asks for a kinder wording.
license: Apache-2.0
compatibility: Needs no network.
allowed-tools: count_words
metadata:
  author: example
  version: "1.2"
---

# Reviewing tone

1. Read [the guide](references/GUIDE.md).
2. Compare the text with it, sentence by sentence.
3. Say what to change.
`;

const FILES = {
  'tools/words/index.mjs': nativeTool('count_words', 'return String(text.split(" ").length);'),
  'agents/reviewer/SKILL.md': REVIEWER,
  'agents/reviewer/references/GUIDE.md': '# Guide\n\nNever write "obviously".\n',
  'agents/reviewer/scripts/check.sh': 'echo never run\n',
  'agents/beside/SKILL.md': skill(),
  'agents/beside/__init__.py': 'from .beside import shout\n__all__ = ["shout"]\n',
  'agents/beside/beside.py': pythonTool('shout', 'return text.upper()'),
  'agents/inner/SKILL.md': skill(),
  'agents/inner/tools/__init__.py': pythonTool('whisper', 'return text.lower()'),
  'agents/librarian/SKILL.md': skill('allowed-tools: mcp__files'),
};

describe('agents at work', { timeout: 60_000 }, () => {
  let server: AgentServer;
  beforeAll(async () => {
    server = await startAgentServer((dataDir) => ({
      ...FILES,
      'shelf/poem.txt': 'Roses are red.',
      'mcp.json': JSON.stringify({
        mcpServers: { files: packaged('server-filesystem', `${dataDir}/shelf`) },
      }),
    }));
  }, 60_000);
  afterAll(() => server.close());

  /** A run that makes one call. @returns what the agent was offered, and its result */
  async function callOnce(agent: string, tool: string, args: object) {
    server.asked();
    server.ollama.reply(text('1. Do it.'), toolCall(tool, args), text('Done.'));
    const events = await server.run(agent, { instruction: 'Do it.', tool_settings: UNASKED });
    expect(events.at(-1)?.data.state).toBe('completed');
    const { success, result, error } = events.find(({ event }) => event === 'tool_result')?.data ?? {};
    return { tools: server.asked()[1]?.tools, result: success ? result : error };
  }

  it('a skill reads its references, and has the tools that it is allowed', async () => {
    expect((await server.get('/agents/agent/reviewer')).body).toMatchObject({
      valid: true,
      warnings: [],
      tools: ['count_words'],
      license: 'Apache-2.0',
      compatibility: 'Needs no network.',
      metadata: { author: 'example', version: '1.2' },
    });
    expect(await callOnce('reviewer', 'read_skill_file', { path: 'references/GUIDE.md' })).toEqual({
      tools: ['count_words', 'read_skill_file'],
      result: '# Guide\n\nNever write "obviously".\n',
    });
    expect((await callOnce('reviewer', 'count_words', { text: 'a b c' })).result).toBe('3');
    expect((await callOnce('reviewer', 'read_skill_file', { path: '../../mcp.json' })).result).toMatch(
      /^There is no file/,
    );
  });

  it.skipIf(!HAS_PYTHON)('tools in Python work beside SKILL.md and in tools/', async () => {
    expect(await callOnce('beside', 'shout', { text: 'hi' })).toEqual({ tools: ['shout'], result: 'HI' });
    expect(await callOnce('inner', 'whisper', { text: 'HI' })).toEqual({ tools: ['whisper'], result: 'hi' });
  });

  it('a server of npm’s works for the agent that is allowed it, and for no other', async () => {
    const { tools, result } = await callOnce('librarian', 'mcp__files__read_text_file', {
      path: `${server.dataDir}/shelf/poem.txt`,
    });
    expect(tools).toContain('mcp__files__list_directory');
    expect(result).toBe('Roses are red.');
    expect((await callOnce('reviewer', 'mcp__files__read_text_file', { path: 'x' })).result).toMatch(
      /^Tool 'mcp__files__read_text_file' is not available\./,
    );
  });
});
