// (page) The page in a real browser: how soon it can be used, how it scrolls, and whether frames are lost while an answer comes.
import type { Browser, Page } from 'playwright-core';
import { text } from '../test/fake-ollama/chat-script.ts';
import { startFakeOllama } from '../test/fake-ollama/fake-ollama.ts';
import { everyMs, script } from '../test/fake-ollama/script-modifiers.ts';
import { openBrowser } from '../test/support/browser.ts';
import { startServer, temporaryFolder } from './processes.ts';
import { type Findings, number, type Target } from './report.ts';
import type { BenchOptions } from './scenario.ts';
import { seed } from './seed.ts';
import { median, percentile } from './statistics.ts';

const MODEL = 'llama3.2:latest';
const MESSAGES = 5000;
const SLOWED = 4;
const TOKENS_PER_SECOND = 250;
/** A frame that a person sees as a hitch. */
const LONG_FRAME_MS = 50;

/** In the page: when it can be written in, in milliseconds since the navigation. */
const USABLE = `new Promise((resolve) => {
  const look = () => document.querySelector('.composer textarea') ? resolve(performance.now()) : requestAnimationFrame(look);
  look();
})`;

/** In the page: how long each frame takes, until \`stopFrames()\`. */
const FRAMES = `(() => {
  const frames = [];
  let last = performance.now(), isOn = true;
  globalThis.stopFrames = () => { isOn = false; return frames; };
  const next = (now) => { frames.push(now - last); last = now; if (isOn) requestAnimationFrame(next); };
  requestAnimationFrame(next);
})()`;

export async function measurePage({ server: kind, isQuick, say }: BenchOptions): Promise<Findings> {
  const browser = await openBrowser();
  if (browser === null)
    return {
      columns: ['', ''],
      rows: [],
      targets: [],
      notes: ['There is no browser: MOCHI_TEST_BROWSER names one.'],
    };
  const dataDir = temporaryFolder();
  const [[long = ''] = []] = await seed(dataDir, [
    { model: MODEL, sessions: 1, messages: MESSAGES, hasTurns: false },
  ]);
  const ollama = await startFakeOllama();
  ollama.setDefault(script(text(...prose(isQuick ? 500 : 2000)), everyMs(1000 / TOKENS_PER_SECOND)));
  const server = await startServer({ kind, dataDir, ollamaUrl: ollama.url });
  const rounds = isQuick ? 3 : 10;
  try {
    const usable = await loads(browser, { url: server.url, rounds, slowed: 1 });
    const slowed = await loads(browser, { url: server.url, rounds, slowed: SLOWED });
    say('loaded');
    const page = await browser.newPage();
    const opened = await openings(page, { url: server.url, sessionId: long, rounds });
    const { nodes, heapMb } = await weight(page);
    say(`${number(MESSAGES, 0)} messages opened`);
    const scrolled = await scrolling(page);
    say('scrolled');
    const streamed = await streaming(page, server.url);
    const lost = streamed.filter((frame) => frame > LONG_FRAME_MS);
    const row = (name: string, values: readonly number[]) => [
      name,
      number(median(values), 0),
      number(percentile(values, 95), 0),
      number(Math.max(...values), 0),
    ];
    return {
      columns: ['ms', 'median', 'p95', 'longest'],
      rows: [
        row('navigation to usable', usable),
        row(`the same, CPU ÷ ${SLOWED}`, slowed),
        row(`opening ${number(MESSAGES, 0)}, from the answer on`, opened),
        row('frames while scrolling', scrolled),
        row(`frames at ${TOKENS_PER_SECOND} tokens a second`, streamed),
      ],
      targets: [
        atMost('navigation to usable', median(usable), 300, ' ms'),
        atMost(`the same, CPU ÷ ${SLOWED}`, median(slowed), 900, ' ms'),
        atMost(`opening ${number(MESSAGES, 0)}`, median(opened), 200, ' ms'),
        atMost('its nodes', nodes, 3000, ''),
        atMost('its heap', heapMb, 30, ' MB'),
        atMost('scrolling, p95 of a frame', percentile(scrolled, 95), 20, ' ms'),
        atMost(`frames over ${LONG_FRAME_MS} ms while an answer comes`, lost.length, 0, ''),
      ],
    };
  } finally {
    await browser.close();
    await server.stop();
    await ollama.close();
  }
}

function atMost(name: string, reached: number, limit: number, unit: string): Target {
  return { name, reached, limit, bound: 'at most', unit };
}

/** Each in a browser that has nothing of it yet. */
async function loads(
  browser: Browser,
  { url, rounds, slowed }: { readonly url: string; readonly rounds: number; readonly slowed: number },
): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const context = await browser.newContext();
    const page = await context.newPage();
    const devtools = await context.newCDPSession(page);
    await devtools.send('Emulation.setCPUThrottlingRate', { rate: slowed });
    await page.goto(url, { waitUntil: 'commit' });
    times.push(await page.evaluate<number>(USABLE));
    await context.close();
  }
  return times;
}

/** From the last byte of the messages to their end in sight. */
async function openings(
  page: Page,
  { url, sessionId, rounds }: { readonly url: string; readonly sessionId: string; readonly rounds: number },
): Promise<number[]> {
  await page.goto(url);
  await page.locator('.composer textarea').waitFor();
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    times.push(
      await page.evaluate<number>(`new Promise((resolve) => {
        performance.clearResourceTimings();
        const look = () => {
          const read = performance.getEntriesByType('resource').find(({ name }) => name.includes('/messages?'));
          if (read !== undefined && document.querySelector('.row.answer .markdown') !== null)
            resolve(performance.now() - read.responseEnd);
          else requestAnimationFrame(look);
        };
        location.hash = '#/s/${sessionId}';
        look();
      })`),
    );
    if (round === rounds - 1) break;
    await page.evaluate("location.hash = '#/'");
    await page.locator('.row').first().waitFor({ state: 'detached' });
  }
  return times;
}

async function weight(page: Page): Promise<{ readonly nodes: number; readonly heapMb: number }> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await devtools.send('Runtime.getHeapUsage');
  return {
    nodes: await page.evaluate<number>("document.querySelectorAll('*').length"),
    heapMb: usedSize / 2 ** 20,
  };
}

const SCROLLED_MS = 4000;

async function scrolling(page: Page): Promise<number[]> {
  await page.evaluate(FRAMES);
  await page.locator('.scroller').hover();
  const end = performance.now() + SCROLLED_MS;
  while (performance.now() < end) await page.mouse.wheel(0, -400);
  return page.evaluate<number[]>('stopFrames()');
}

async function streaming(page: Page, url: string): Promise<number[]> {
  await page.goto(`${url}/#/`);
  await page.locator('.composer textarea').fill('Tell me something.');
  await page.keyboard.press('Enter');
  await page.locator('.row.answer').waitFor();
  await page.evaluate(FRAMES);
  await page
    .getByRole('button', { name: 'Stop', exact: true })
    .waitFor({ state: 'detached', timeout: 120_000 });
  return page.evaluate<number[]>('stopFrames()');
}

/** Pieces as of a model: paragraphs, lists and code. */
function prose(count: number): string[] {
  const pieces: string[] = [];
  for (let at = 0; pieces.length < count; at += 1) {
    pieces.push(
      'Some',
      ' words',
      ' of',
      ' a',
      ' paragraph',
      ' with',
      ' **bold**',
      ' ones',
      ' in',
      ' it',
      '.',
      '\n\n',
    );
    if (at % 4 === 1) pieces.push('- one', '\n', '- two', ' and', ' more', '\n\n');
    if (at % 6 === 2)
      pieces.push('```python\n', 'def f', '(x):', '\n', '    return', ' x', ' + 1', '\n', '```', '\n\n');
  }
  return pieces.slice(0, count);
}
