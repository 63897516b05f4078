// A real browser for tests: one that is installed, else the one that is inside of a package.
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const INSTALLED = [
  '/usr/bin/google-chrome',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/microsoft-edge',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Nothing of the browser's own goes to any network. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // A host of the local network, which browsers trust less than this machine.
  '--host-resolver-rules=MAP lan.test 127.0.0.1',
];

/** @returns null where there is none */
export async function openBrowser(): Promise<Browser | null> {
  const executablePath = await findBrowser();
  return executablePath === null ? null : chromium.launch({ executablePath, args: FLAGS });
}

/** @returns where one is; null: nowhere */
export async function findBrowser(): Promise<string | null> {
  const named = process.env['MOCHI_TEST_BROWSER'];
  const installed = named ?? INSTALLED.find((path) => existsSync(path));
  if (installed !== undefined) return installed;
  if (process.platform !== 'linux' || process.arch !== 'x64') return null;
  // Unpacks its libraries, too, where it finds itself to be in need of them.
  process.env['AWS_LAMBDA_JS_RUNTIME'] = 'nodejs22.x';
  const { default: packaged } = await import('@sparticuz/chromium');
  return packaged.executablePath();
}
