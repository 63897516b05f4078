// A run of a tool that begins, for tests of the journal.
import type { ExecutionStart } from '../../src/store/tool-executions.ts';

export function executionStart(id: string, tool: Partial<ExecutionStart['tool']> = {}): ExecutionStart {
  return {
    id,
    bootId: 'boot_1',
    startedAt: '2026-02-15T09:49:38.310281Z',
    tool: {
      name: 'write_file',
      source: { name: { kind: 'native', group: 'files' } },
      fingerprint: 'f',
      readOnly: false,
      ...tool,
    },
    arguments: { n: 1 },
    digest: 'd',
    repairs: [],
  };
}
