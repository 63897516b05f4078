// What a model answered: its thoughts folded, its tools, its text, and how it ended.
import { useState } from 'preact/hooks';
import { type ContextReceipt, type Message, outcomeOf, type ToolCall } from '../../src/client/index.ts';
import { t } from '../lang/text.ts';
import { showFraction, showTime } from '../lib/times.ts';
import { Markdown } from '../markdown/markdown.tsx';
import { chat, chatState } from '../state/chat.ts';
import { models } from '../state/models.ts';
import { sendSettings } from '../state/send-options.ts';
import { attempt, mochi } from '../state/server.ts';
import { CopyButton } from '../ui/copy-button.tsx';
import { Icon } from '../ui/icon.tsx';
import { Menu } from '../ui/menu.tsx';
import { FaultOfAnswer } from './answer-fault.tsx';
import { BranchSwitch } from './branch-switch.tsx';
import { CallCard } from './call-card.tsx';
import { Cut } from './cut.tsx';
import { Receipt } from './receipt.tsx';
import type { RowProps } from './row.tsx';
import { Thoughts } from './thoughts.tsx';

export function AnswerRow({ message, results, position, total, isLast, goesOn, isGoneOn }: RowProps) {
  const { content, thinking, model, tool_calls: calls } = message;
  return (
    <article
      class={classOf(goesOn, isGoneOn)}
      tabIndex={isLast ? 0 : -1}
      aria-label={model ?? t.name}
      aria-posinset={position}
      aria-setsize={total}
      id={`m-${message.message_id}`}
    >
      {!goesOn && <p class="who">{model}</p>}
      {thinking !== null && thinking !== '' && <Thoughts text={thinking} isOpen={false} />}
      {content !== '' && <Markdown text={content} isGrowing={false} />}
      {calls?.map((call, index) => (
        <CallCard key={index} call={toShown(call, results[index])} isWaiting={isLast && isAsked()} />
      ))}
      {isLast && <FaultOfAnswer turnId={message.turn_id} />}
      {!isGoneOn && <Cut message={message} isLast={isLast} />}
      {isGoneOn && message.sibling_count > 1 && (
        <div class="deeds">
          <BranchSwitch message={message} />
        </div>
      )}
      {!isGoneOn && (content !== '' || isLast) && <Deeds message={message} />}
    </article>
  );
}

/** Parts of one answer stand close. */
function classOf(goesOn: boolean, isGoneOn: boolean): string {
  return `row answer${goesOn ? ' goes-on' : ''}${isGoneOn ? ' gone-on' : ''}`;
}

function isAsked(): boolean {
  return chatState.value?.turn?.state === 'waiting';
}

function toShown({ function: { name, arguments: args } }: ToolCall, answer: Message | undefined) {
  const result = answer?.content ?? null;
  return { name, args, result, outcome: result === null ? null : outcomeOf(result) };
}

/** The conversation goes on with the model that is chosen: its name stands in the header. */
function OtherModels({ message: { message_id: messageId, model } }: { readonly message: Message }) {
  const others = (models.value ?? []).filter(({ name }) => name !== model);
  if (others.length === 0) return null;
  const answerWith = async (name: string) => {
    const store = chat.value;
    await store?.setModel(name);
    // Where it failed, that is said already; and what is shown of it comes with the next frame only.
    if (store === null || store.getState().session?.model !== name || chat.value !== store) return;
    chatState.value = store.getState();
    await store.regenerate(messageId, sendSettings());
  };
  return (
    <Menu
      label={t.regenerateWith}
      items={others.map(({ name }) => ({
        label: name,
        onChoose: () => void attempt(() => answerWith(name)),
      }))}
    >
      <Icon name="more" />
    </Menu>
  );
}

function Deeds({ message }: { readonly message: Message }) {
  const [receipt, setReceipt] = useState<ContextReceipt | null>(null);
  const { turn_id: turnId, message_id: messageId, eval_count: tokens } = message;
  const [rate, setRate] = useState<string | null>(null);
  const showReceipt = async () => {
    if (turnId === null) return;
    const turn = await attempt(() => mochi.turns.get(turnId));
    if (turn === null) return;
    const { eval_ms: ms = null, output_tokens: written = null } = turn.usage ?? {};
    if (ms !== null && written !== null && ms > 0) setRate(showFraction((written / ms) * 1000));
    setReceipt(turn.context);
  };
  return (
    <div class="deeds" title={showTime(message.timestamp)}>
      <BranchSwitch message={message} />
      <button
        type="button"
        class="quiet"
        data-key="r"
        aria-label={t.regenerate}
        title={t.regenerate}
        onClick={() => void attempt(async () => chat.value?.regenerate(messageId, sendSettings()))}
      >
        <Icon name="again" />
      </button>
      <OtherModels message={message} />
      <CopyButton text={message.content} />
      {turnId !== null && (
        <button
          type="button"
          class="quiet"
          data-key="i"
          aria-label={t.receipt.open}
          title={t.receipt.open}
          onClick={() => void showReceipt()}
        >
          <Icon name="info" />
        </button>
      )}
      {tokens !== null && <span class="figures">{t.tokens(tokens)}</span>}
      {rate !== null && <span class="figures">{t.tokensPerSecond(rate)}</span>}
      {receipt !== null && <Receipt receipt={receipt} onClose={() => setReceipt(null)} />}
    </div>
  );
}
