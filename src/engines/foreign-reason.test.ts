import { expect, it } from 'vitest';
import { runCommand } from './embedded/run-command.ts';
import { foreignReason } from './foreign-reason.ts';

it.each([
  ['dial tcp: lookup registry.ollama.ai on 127.0.0.53:53: server misbehaving', 'looked up'],
  ['dial tcp: lookup registry.ollama.ai: no such host', 'looked up'],
  ['dial tcp: lookup registry.ollama.ai: i/o timeout', 'in time'],
  ['dial tcp 104.21.75.227:443: connect: connection refused', 'refused'],
  ['dial tcp 104.21.75.227:443: connect: network is unreachable', 'no network'],
  ['tls: failed to verify certificate: x509: certificate signed by unknown authority', 'certificate'],
  ['net/http: TLS handshake timeout', 'in time'],
  ['read: connection reset by peer', 'cut'],
  ['npm error code ENOTFOUND\nnpm error syscall getaddrinfo', 'looked up'],
  ['npm error code EAI_AGAIN', 'looked up'],
  ['npm error code SELF_SIGNED_CERT_IN_CHAIN', 'certificate'],
  ['[Errno -3] Temporary failure in name resolution', 'looked up'],
  ['[Errno -2] Name or service not known', 'looked up'],
  ['SSLError(SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] …"))', 'certificate'],
])('says %s in plain words', (text, says) => {
  expect(foreignReason(text)).toContain(says);
});

it.each(['no space left on device', 'invalid model name', 'No matching distribution found', ''])(
  'leaves other texts alone: %s',
  (text) => expect(foreignReason(text)).toBeNull(),
);

const run = (text: string) => {
  const code = `console.error(${JSON.stringify(text)}); process.exit(1)`;
  const { signal } = new AbortController();
  return runCommand(process.execPath, ['-e', code], { cwd: '.', signal });
};

it('a program that had no network says so, whatever advice it gives last', async () => {
  const advice = 'npm error network In most cases you are behind a proxy\n'.repeat(5);
  const { status, lastWords } = await run(`npm error code ENOTFOUND\n${advice}`);
  expect([status, lastWords]).toEqual([
    1,
    expect.stringMatching(/^its registry could not be reached: its name/),
  ]);
  expect((await run('one\ntwo\nthree\nsome other fault')).lastWords).toBe('two three some other fault');
});

it('a program that is not there is said to be missing', async () => {
  const end = await runCommand('no-such-program', [], { cwd: '.', signal: new AbortController().signal });
  expect(end).toEqual({ status: null, lastWords: 'no-such-program is not installed' });
});
