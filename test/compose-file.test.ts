// The compose file of docs/scaling.md: what it says of this server is so. Docker itself is not needed for that.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { unknownVariables } from '../src/config/unknown-variables.ts';
import { loadConfig } from '../src/config.ts';

interface Service {
  readonly image: string;
  readonly command?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly stop_grace_period?: string;
}

const page = readFileSync(new URL('../docs/scaling.md', import.meta.url), 'utf8');
const [, file = ''] = /^```yaml\n(x-server[^]*?)^```$/m.exec(page) ?? [];
const { services } = parse(file, { merge: true }) as { services: Record<string, Service> };
const servers = Object.entries(services).filter(([, { image }]) => image.startsWith('node:'));

it('has three servers with settings that there are, on the database and the ports that it names', () => {
  expect(servers.map(([name]) => name)).toEqual(['one', 'two', 'three']);
  for (const [, { command = '', environment = {} }] of servers) {
    const typed = command.replace('$$(hostname -i)', '172.18.0.3');
    const [, name = '', value = ''] = /(MOCHI_\w+)=(\S+)/.exec(typed) ?? [];
    const env = { ...environment, [name]: value };
    expect(unknownVariables(env)).toEqual([]);
    const [, flags = ''] = /exec mochi-server (.*)'$/.exec(command) ?? [];
    expect(flags).toBe('--host 0.0.0.0 --data-dir /data');
    const loaded = loadConfig({ flags: { host: '0.0.0.0', dataDir: '/data' }, env });
    if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
    const { databaseUrl, port, instanceUrl } = loaded.config;
    const { hostname, password } = new URL(databaseUrl ?? '');
    expect(services[hostname]?.environment?.['POSTGRES_PASSWORD']).toBe(password);
    expect(new URL(instanceUrl ?? '').port).toBe(String(port));
  }
});

it('the balancer leads to all of them, and whoever needs another one waits until it is healthy', () => {
  const targets = Array.from((services['balancer']?.command ?? '').matchAll(/--to (\S+)/g), ([, to]) => to);
  expect(targets).toEqual(servers.map(([name]) => `${name}:8000`));
  for (const { depends_on: needs = {} } of Object.values(services)) {
    for (const [name, { condition }] of Object.entries(needs)) {
      expect(condition).toBe('service_healthy');
      expect(services[name]?.healthcheck).toBeDefined();
    }
  }
  expect(Object.keys(services['balancer']?.depends_on ?? {})).toEqual(['one', 'two', 'three']);
});

it('gives turns the time to end that a server that stops gives them', () => {
  const loaded = loadConfig({ flags: {}, env: {} });
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  const { drainSeconds, shutdownGraceSeconds } = loaded.config;
  for (const [, { stop_grace_period: grace = '' }] of servers)
    expect(Number.parseInt(grace, 10)).toBeGreaterThanOrEqual(drainSeconds + shutdownGraceSeconds + 5);
});
