import { beforeEach, expect, it } from 'vitest';
import { createModelWindows, type ModelWindows } from './model-windows.ts';

const MINUTE = 60_000;
const MODEL = 'llama3.2:latest';

let now: number;
let windows: ModelWindows;
beforeEach(() => {
  now = 0;
  windows = createModelWindows(() => now);
});
const held = (window: number | null, expiresInMs: number | null = 5 * MINUTE, weights = MODEL) => ({
  model: `a name of ${weights}`,
  digest: null,
  weights,
  window,
  expiresInMs,
});

it('knows nothing of a model at first', () => {
  expect([windows.current(MODEL), windows.loaded(MODEL)]).toEqual([null, null]);
});

it('raises the step of a model and never lowers it', () => {
  windows.raise(MODEL, 16_384);
  windows.raise(MODEL, 8192);
  expect([windows.current(MODEL), windows.current('other')]).toEqual([16_384, null]);
});

it('knows the window of a model from its use, and from what the engine says', () => {
  windows.noteUse(MODEL, 8192);
  expect(windows.loaded(MODEL)).toBe(8192);
  windows.learn([held(32_768), held(4096, null, 'other')]);
  expect([windows.loaded(MODEL), windows.loaded('other')]).toEqual([32_768, 4096]);
  // The engine's own default says nothing, and a model that is being loaded has no window yet.
  windows.noteUse(MODEL, null);
  windows.learn([held(null)]);
  expect(windows.loaded(MODEL)).toBe(32_768);
});

it('knows what the engine gives of itself only while that is what it holds', () => {
  windows.noteUse(MODEL, 8192);
  windows.learn([held(8192)]);
  expect(windows.own(MODEL)).toBeNull();
  windows.noteUse(MODEL, null);
  expect(windows.own(MODEL)).toBeNull();
  windows.learn([held(4096)]);
  expect([windows.own(MODEL), windows.isStale(MODEL, null)]).toEqual([4096, false]);
  windows.noteUse(MODEL, 16_384);
  expect(windows.own(MODEL)).toBeNull();
});

it('forgets what the engine has unloaded', () => {
  windows.raise(MODEL, 16_384);
  windows.noteUse(MODEL, 16_384);
  windows.learn([held(4096, null, 'other')]);
  expect([windows.current(MODEL), windows.loaded(MODEL)]).toEqual([null, null]);
});

it('forgets what the engine must have unloaded by now', () => {
  windows.raise(MODEL, 16_384);
  windows.noteUse(MODEL, 16_384);
  now += 4 * MINUTE;
  windows.noteUse(MODEL, 16_384);
  now += 4 * MINUTE;
  expect(windows.current(MODEL)).toBe(16_384);
  now += MINUTE;
  expect([windows.current(MODEL), windows.loaded(MODEL)]).toEqual([null, null]);
});

it('keeps a model for as long as the engine does', () => {
  windows.learn([held(16_384, 24 * 60 * MINUTE)]);
  windows.raise(MODEL, 16_384);
  now += 60 * MINUTE;
  windows.noteUse(MODEL, 16_384);
  now += 23 * 60 * MINUTE;
  expect(windows.current(MODEL)).toBe(16_384);
});

it('asks anew after a minute, and where the engine holds another window', () => {
  expect(windows.isStale(MODEL, 8192)).toBe(true);
  windows.noteUse(MODEL, 8192);
  expect(windows.isStale(MODEL, 8192)).toBe(true);
  windows.learn([held(8192)]);
  expect(windows.isStale(MODEL, 8192)).toBe(false);
  // What it gives where nobody asks for a window is another thing.
  expect(windows.isStale(MODEL, null)).toBe(true);
  expect(windows.isStale(MODEL, 16_384)).toBe(true);
  now += MINUTE + 1;
  expect(windows.isStale(MODEL, 8192)).toBe(true);
});

it('keeps a model for as long as a call is being answered, and after that as after any use', () => {
  windows.raise(MODEL, 16_384);
  const use = windows.beginUse(MODEL, 16_384);
  now += 60 * MINUTE;
  expect(windows.loaded(MODEL)).toBe(16_384);
  // The list may have been made before it was loaded.
  windows.learn([]);
  expect(windows.loaded(MODEL)).toBe(16_384);
  use.end();
  use.end();
  const other = windows.beginUse(MODEL, 16_384);
  now += 4 * MINUTE;
  other.end();
  expect(windows.loaded(MODEL)).toBe(16_384);
  now += 2 * MINUTE;
  expect(windows.loaded(MODEL)).toBeNull();
});

it('a model that the engine holds is loaded, although it does not say for how long', () => {
  windows.noteUse(MODEL, 8192);
  now += 5 * MINUTE - 1;
  windows.learn([held(8192, null)]);
  now += MINUTE;
  expect(windows.loaded(MODEL)).toBe(8192);
});

it('what answers is what is in memory, where that is one model only', () => {
  windows.noteUse('copy', 8192);
  windows.learn([held(8192)], 'copy');
  windows.raise('copy', 16_384);
  expect([windows.current(MODEL), windows.loaded('copy')]).toEqual([16_384, 8192]);
  windows.noteUse('stranger', 4096);
  windows.learn([held(8192), held(8192, MINUTE, 'another')], 'stranger');
  expect(windows.current('stranger')).toBeNull();
  // The engine names it after all.
  windows.learn([held(4096, MINUTE, 'copy')]);
  expect([windows.loaded(MODEL), windows.loaded('copy')]).toEqual([null, 4096]);
});

it('a model whose runner has died is not loaded before it is used again, whatever the engine lists', () => {
  windows.raise(MODEL, 16_384);
  windows.noteUse(MODEL, 16_384);
  windows.noteUnloaded(MODEL);
  windows.learn([held(16_384)]);
  expect([windows.loaded(MODEL), windows.current(MODEL)]).toEqual([null, 16_384]);
  windows.noteUse(MODEL, 16_384);
  windows.learn([held(16_384)]);
  expect(windows.loaded(MODEL)).toBe(16_384);
});
