// How the text of a variable or flag becomes a value.
import { isIP } from 'node:net';
import { parseOllamaHost } from './parse-ollama-host.ts';
import { parseOrigins } from './parse-origins.ts';
import { splitList } from './split-list.ts';

export interface Parser<T> {
  /** What stands for the value in `--flag <value>`. */
  readonly valueName: string;
  /** Completes "MOCHI_PORT must be …". */
  readonly expected: string;
  /** @returns undefined when the text is not as expected; never throws */
  readonly parse: (text: string) => T | undefined;
}

const DECIMAL = /^\d*\.?\d+$/;

export function wholeNumber(least: number, most: number): Parser<number> {
  return {
    valueName: 'number',
    expected: `a whole number from ${least} to ${most}`,
    parse: (text) => (/^\d+$/.test(text) ? within(Number(text), least, most) : undefined),
  };
}

export function number(least: number, most: number): Parser<number> {
  return {
    valueName: 'number',
    expected: `a number from ${least} to ${most}`,
    parse: (text) => (DECIMAL.test(text) ? within(Number(text), least, most) : undefined),
  };
}

/** From a millisecond up: a shorter time would round to 0, which timers take for "no limit". */
export function seconds(most: number): Parser<number> {
  return {
    valueName: 'seconds',
    expected: `a number of seconds from 0.001 to ${most}`,
    parse: (text) => (DECIMAL.test(text) ? within(Number(text), 0.001, most) : undefined),
  };
}

/** 0 switches off what would happen then. */
export function secondsOrNever(most: number): Parser<number> {
  const { valueName, parse } = seconds(most);
  return {
    valueName,
    expected: `a number of seconds from 0.001 to ${most}, or 0`,
    parse: (text) => (text === '0' ? 0 : parse(text)),
  };
}

function within(value: number, least: number, most: number): number | undefined {
  return value >= least && value <= most ? value : undefined;
}

/** One of the given words, in any letter case. */
export function oneOf<T>(valueName: string, expected: string, words: Readonly<Record<string, T>>): Parser<T> {
  const values = new Map(Object.entries(words));
  return { valueName, expected, parse: (text) => values.get(text.toLowerCase()) };
}

export const boolean = oneOf('boolean', 'true or false (or 1/0, yes/no, on/off)', {
  true: true,
  yes: true,
  on: true,
  1: true,
  false: false,
  no: false,
  off: false,
  0: false,
});

export const directory: Parser<string> = {
  valueName: 'directory',
  expected: 'a directory',
  parse: (text) => (text === '' ? undefined : text),
};

export const file: Parser<string> = { ...directory, valueName: 'file', expected: 'a file' };

export const command: Parser<string> = {
  valueName: 'command',
  expected: 'a command or the path of a program',
  parse: (text) => (text === '' ? undefined : text),
};

export const variableNames: Parser<readonly string[]> = {
  valueName: 'list',
  expected: 'a comma list of names of variables such as WEATHER_KEY',
  parse: (text) => {
    const names = splitList(text);
    return names?.every((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) ? names : undefined;
  },
};

export const toolNames: Parser<readonly string[]> = {
  valueName: 'list',
  expected: 'a comma list of names of tools such as current_time',
  parse: (text) => {
    const names = splitList(text);
    return names?.every((name) => /^[A-Za-z0-9_-]{1,64}$/.test(name)) ? names : undefined;
  },
};

export const host: Parser<string> = {
  valueName: 'host',
  expected: 'a host name or an IP address, without scheme and port',
  parse: parseHost,
};

function parseHost(text: string): string | undefined {
  const name = text.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return isIP(name) !== 0 || /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/.test(name) ? name : undefined;
}

export const hostList: Parser<readonly string[]> = {
  valueName: 'list',
  expected: 'a comma list of host names such as chat.example.com',
  parse: (text) => {
    const hosts = splitList(text)?.map((entry) => parseHost(entry.replace(/^(\[.*\]|[^:]*):\d+$/, '$1')));
    return hosts?.every((name) => name !== undefined) ? hosts : undefined;
  },
};

export const hostsAndNetworks: Parser<readonly string[]> = {
  valueName: 'list',
  expected: 'a comma list of host names, addresses and CIDRs such as wiki.example.com,10.1.0.0/16',
  parse: (text) => {
    const entries = splitList(text)?.map((entry) => parseNetwork(entry) ?? parseHost(entry));
    return entries?.every((entry) => entry !== undefined) ? entries : undefined;
  },
};

function parseNetwork(text: string): string | undefined {
  const [address = '', prefix = '', ...rest] = text.split('/');
  const most = { 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return rest.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= most ? text : undefined;
}

export const ollamaHost: Parser<string> = {
  valueName: 'url',
  expected: 'a host, host:port or http(s) URL such as http://localhost:11434',
  parse: parseOllamaHost,
};

export const httpUrl: Parser<string> = {
  valueName: 'url',
  expected: 'an http(s) URL such as https://hub.example.com',
  parse: (text) => {
    const url = URL.parse(text);
    return url !== null && /^https?:$/.test(url.protocol) ? url.href.replace(/\/+$/, '') : undefined;
  },
};

export const modelName: Parser<string> = {
  valueName: 'name',
  expected: 'the name of a model, without blanks, of at most 512 characters',
  parse: (text) => (/^\S{1,512}$/.test(text) ? text : undefined),
};

export const origins: Parser<'*' | readonly string[]> = {
  valueName: 'list',
  expected:
    '"*", or a comma list or JSON array of origins such as https://chat.example.com:8443, without path',
  parse: parseOrigins,
};

export const apiKeys: Parser<readonly string[]> = {
  valueName: 'list',
  expected: 'a comma list of keys in visible ASCII characters, without blanks',
  parse: (text) => {
    const keys = splitList(text);
    // Other characters do not survive an HTTP header: such a key could never be presented.
    return keys?.every((key) => /^[\x21-\x7e]+$/.test(key)) ? keys : undefined;
  },
};
