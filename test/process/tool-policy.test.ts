// The operator's rules for tools: a file that cannot be read stops the start, with everything that is wrong at once.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeOllama, startFakeOllama } from '../fake-ollama/fake-ollama.ts';
import { runCommand, spawnServer } from '../support/spawned-server.ts';

// Processes start slowly on a machine that does much else.
describe('tool-policy.json', { timeout: 90_000 }, () => {
  let folder: string;
  let ollama: FakeOllama;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mochi-policy-'));
    ollama = await startFakeOllama();
  });
  afterAll(async () => {
    await ollama.close();
    await rm(folder, { recursive: true });
  });

  it('that cannot be read stops the start: exit 2, all problems, and no database', async () => {
    const dataDir = join(folder, 'bad');
    await mkdir(dataDir);
    const file = join(dataDir, 'tool-policy.json');
    await writeFile(file, '{"deny":["delete_*(","ok"],"allow":"all","forbid":[],"ask":[7]}');
    const end = await runCommand(['--port', '0', '--data-dir', dataDir]);
    expect(end).toMatchObject({ status: 2, stdout: '' });
    expect(end.stderr.trimEnd().split('\n')).toEqual([
      `mochi-server: ${file}: "forbid" is not one of allow, ask and deny.`,
      `mochi-server: ${file}: deny[0] is no rule: "delete_*(". A rule is NAME or NAME(argument=GLOB).`,
      `mochi-server: ${file}: ask[0] is no rule: 7. A rule is NAME or NAME(argument=GLOB).`,
      `mochi-server: ${file}: allow must be a list of rules.`,
    ]);
  });

  it('may be missing where it was not named, and only there', async () => {
    const named = join(folder, 'named.json');
    const end = await runCommand(['--port', '0', '--data-dir', folder, '--tool-policy', named]);
    expect(end).toMatchObject({ status: 2, stderr: `mochi-server: ${named} cannot be read (ENOENT).\n` });
  });

  it('is not the only one: a tool of the server that there is not stops the start, too', async () => {
    const env = { MOCHI_BUILTIN_TOOLS: 'calculator,clock' };
    const end = await runCommand(['--port', '0', '--data-dir', folder], { env });
    expect(end).toMatchObject({ status: 2, stdout: '' });
    expect(end.stderr).toMatch(
      /names clock, and there is no such tool\. There are: current_time, calculator, /,
    );
  });

  it('that breaks later makes the reload say so, and what was read before stands', async () => {
    const dataDir = join(folder, 'later');
    const server = await spawnServer({ dataDir, ollamaHost: ollama.url });
    await writeFile(join(dataDir, 'tool-policy.json'), '{"deny":[');
    const { status, body } = await server.post('/tools/reload');
    expect(status).toBe(200);
    expect(body).toMatchObject({ success: false, tools_count: 0 });
    expect(body.problems).toEqual([
      { source: 'tool-policy.json', message: expect.stringContaining('is not JSON') },
    ]);
    await writeFile(join(dataDir, 'tool-policy.json'), '{"deny":["erase"]}');
    expect((await server.post('/tools/reload')).body).toEqual({
      success: true,
      tools_count: 0,
      message: 'Successfully reloaded 0 tools',
      problems: [],
    });
    await server.kill('SIGTERM');
  });
});
