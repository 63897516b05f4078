// Every way that the conversation has taken: its forks, and a jump to each of their branches.
import { useEffect, useState } from 'preact/hooks';
import type { TreeMessage } from '../../src/client/index.ts';
import { d } from '../lang/dialog-text.ts';
import { t } from '../lang/text.ts';
import { type Branch, listBranches } from '../lib/forks.ts';
import { showTime } from '../lib/times.ts';
import { chat } from '../state/chat.ts';
import { route } from '../state/route.ts';
import { mochi } from '../state/server.ts';
import { Dialog } from '../ui/dialog.tsx';
import { useTrial } from '../ui/use-trial.ts';
import type { DialogProps } from './dialogs.tsx';

const PAGE = 1000;
/** Of the indentation: what is deeper stands below it all the same. */
const DEEPEST = 8;

export function BranchesDialog({ onClose }: DialogProps) {
  const { sessionId } = route.value;
  const [branches, setBranches] = useState<readonly Branch[] | null>(null);
  const { fault, attempt } = useTrial();
  useEffect(() => {
    if (sessionId === null) return;
    void attempt(async () => setBranches(listBranches(await readTree(sessionId))));
  }, [attempt, sessionId]);
  const show = (messageId: string) => {
    onClose();
    void chat.value?.showBranch(messageId);
  };
  return (
    <Dialog title={d.branches.title} onClose={onClose}>
      {fault !== null && <p role="alert">{fault}</p>}
      {branches?.length === 0 && <p class="hint">{d.branches.none}</p>}
      <ul class="tree">
        {branches?.map(({ message, depth, length }) => (
          <li key={message.message_id} style={{ '--depth': Math.min(depth, DEEPEST) }}>
            <button
              type="button"
              class="quiet"
              aria-current={message.active ? 'true' : undefined}
              onClick={() => show(message.message_id)}
            >
              <span class="words" dir="auto">
                {wordsOf(message)}
              </span>
              <small>
                {[nameOf(message), d.branches.length(length), showTime(message.timestamp)].join(' · ')}
              </small>
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

async function readTree(sessionId: string): Promise<TreeMessage[]> {
  const messages: TreeMessage[] = [];
  for await (const message of mochi.messages.tree(sessionId, { limit: PAGE })) messages.push(message);
  return messages;
}

function wordsOf({ content }: TreeMessage): string {
  const words = content.trim().slice(0, 160);
  return words === '' ? t.branches.silent : words;
}

function nameOf({ role, model }: TreeMessage): string {
  return role === 'user' ? t.you : (model ?? t.name);
}
