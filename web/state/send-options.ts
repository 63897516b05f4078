// How the messages of a conversation are sent: its own options, kept in this browser.
import { effect, signal } from '@preact/signals';
import type { SendSettings } from '../../src/client/chat-store.ts';
import { keep, recall } from '../lib/kept.ts';
import { prefer, preferences } from './preferences.ts';
import { route } from './route.ts';

export type Think = boolean | 'low' | 'medium' | 'high';

/** What is left out is the model's own. */
export interface SendOptions {
  readonly think?: Think;
  readonly temperature?: number;
  readonly top_p?: number;
  readonly seed?: number;
  readonly num_predict?: number;
  readonly stop?: readonly string[];
  readonly json?: true;
}

/** Of the conversation that is shown. */
export const sendOptions = signal<SendOptions>({});

effect(() => {
  sendOptions.value = recall<SendOptions>(nameOf(route.value.sessionId)) ?? {};
});

/** Undefined takes one back. */
export function setOptions(
  change: { readonly [Name in keyof SendOptions]: SendOptions[Name] | undefined },
): void {
  const set = Object.entries({ ...sendOptions.value, ...change }).filter(([, value]) => value !== undefined);
  sendOptions.value = Object.fromEntries(set);
  keep(nameOf(route.value.sessionId), set.length === 0 ? null : sendOptions.value);
}

/** Where a conversation has no word of its own, it is as it was chosen last. */
export function thinkOf({ think = preferences.value.think }: SendOptions): Think {
  return think;
}

export function setThink(think: Think): void {
  setOptions({ think });
  prefer({ think });
}

/** How many there are besides thinking, which has a place of its own. */
export function countOptions({ think: _think, ...rest }: SendOptions): number {
  return Object.keys(rest).length;
}

/** As a request has them. */
export function sendSettings(): SendSettings {
  const { think: _think, json, stop, ...numbers } = sendOptions.value;
  const options = { ...numbers, ...(stop !== undefined && { stop: [...stop] }) };
  return {
    think: thinkOf(sendOptions.value),
    ...(Object.keys(options).length > 0 && { options }),
    ...(json === true && { format: 'json' as const }),
  };
}

/** What was chosen before the conversation began is about it. */
export function carryOptions(sessionId: string): void {
  if (countOptions(sendOptions.peek()) > 0) keep(nameOf(sessionId), sendOptions.peek());
  keep(nameOf(null), null);
}

export function forgetOptions(sessionId: string): void {
  keep(nameOf(sessionId), null);
}

function nameOf(sessionId: string | null): string {
  return `options.${sessionId ?? 'new'}`;
}
