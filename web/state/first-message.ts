// The first message, written before there is a model: it waits in this browser, and goes when there is one.
import { computed, effect, signal } from '@preact/signals';
import type { SendSettings } from '../../src/client/chat-store.ts';
import { keep, recall } from '../lib/kept.ts';
import { begin } from './chat.ts';
import { models, refreshModels } from './models.ts';
import { route } from './route.ts';
import { attempt } from './server.ts';

interface FirstMessage {
  readonly text: string;
  readonly settings: SendSettings;
}

const NAME = 'outbox.new';

/** Null: none waits. */
export const firstMessage = signal(recall<FirstMessage>(NAME));

/** There are none, or none of them can chat. Not known: no. */
export const isWithoutModel = computed(
  () => models.value?.every(({ capabilities }) => !capabilities.includes('completion')) ?? false,
);

/** Null: it does not wait any more. */
export function holdFirst(message: FirstMessage | null): void {
  firstMessage.value = message;
  keep(NAME, message);
}

/** Looks for one. @returns whether a new conversation has a model to begin with, as far as anybody knows */
export async function findModel(): Promise<boolean> {
  await refreshModels();
  return !isWithoutModel.value;
}

// It is of a new conversation: while another one is looked at, it waits on.
effect(() => {
  const isDue = firstMessage.value !== null && models.value !== null && !isWithoutModel.value;
  if (isDue && route.value.sessionId === null) queueMicrotask(() => void sendFirst());
});

async function sendFirst(): Promise<void> {
  const message = firstMessage.peek();
  if (message === null || route.peek().sessionId !== null) return;
  const store = await begin();
  if (store === null) return;
  // It is in the outbox of its conversation from here on.
  const sent = store.send(message.text, message.settings);
  holdFirst(null);
  await attempt(async () => sent);
}
