// The question for the loaded windows, which nobody waits for: it comes once an answer has begun.
import type { FakeOllama } from '../fake-ollama/fake-ollama.ts';

/** Resolves when it was asked after the last chat: no request of that turn is under way any more. */
export async function windowsLearned(ollama: FakeOllama): Promise<void> {
  const lastChat = ollama.requests.findLastIndex(({ path }) => path === '/api/chat');
  await ollama.waitForRequest('/api/ps', (request) => ollama.requests.indexOf(request) > lastChat);
}
