// An item of text while it is being written: a message, or the thoughts before it.
import {
  type ItemStatus,
  messageItem,
  type OutputItem,
  type ReasoningForm,
  reasoningItem,
  textPart,
} from './items.ts';

export type TextKind = 'message' | 'reasoning';

interface ItemEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface OpenText {
  readonly kind: TextKind;
  begin(): ItemEvent[];
  add(text: string): ItemEvent;
  end(status: Exclude<ItemStatus, 'in_progress'>): ItemEvent[];
  item(status: ItemStatus): OutputItem;
}

export interface OpenTextOptions {
  readonly kind: TextKind;
  readonly id: string;
  readonly outputIndex: number;
  readonly form: ReasoningForm;
}

/** What its events are called, which member says which part it is, and the part with a text. */
interface PartWords {
  readonly text: string;
  readonly part: string;
  readonly index: 'content_index' | 'summary_index';
  readonly extra: object;
  toPart(text: string): object;
}

const MESSAGE: PartWords = {
  text: 'response.output_text',
  part: 'response.content_part',
  index: 'content_index',
  extra: { logprobs: [] },
  toPart: textPart,
};
const REASONING: PartWords = {
  text: 'response.reasoning_text',
  part: 'response.content_part',
  index: 'content_index',
  extra: {},
  toPart: (text) => ({ type: 'reasoning_text', text }),
};
const SUMMARY: PartWords = {
  text: 'response.reasoning_summary_text',
  part: 'response.reasoning_summary_part',
  index: 'summary_index',
  extra: {},
  toPart: (text) => ({ type: 'summary_text', text }),
};

export function openText({ kind, id, outputIndex: output_index, form }: OpenTextOptions): OpenText {
  const words = kind === 'message' ? MESSAGE : form.isSummary ? SUMMARY : REASONING;
  const place = { item_id: id, output_index, [words.index]: 0 };
  let written = '';
  const itemOf = (status: ItemStatus, text: string | null) =>
    kind === 'message' ? messageItem(id, status, text) : reasoningItem(id, status, text, form);
  return {
    kind,
    begin: () => [
      { type: 'response.output_item.added', output_index, item: itemOf('in_progress', null) },
      { type: `${words.part}.added`, ...place, part: words.toPart('') },
    ],
    add(text) {
      written += text;
      return { type: `${words.text}.delta`, ...place, delta: text, ...words.extra };
    },
    end: (status) => [
      { type: `${words.text}.done`, ...place, text: written, ...words.extra },
      { type: `${words.part}.done`, ...place, part: words.toPart(written) },
      { type: 'response.output_item.done', output_index, item: itemOf(status, written) },
    ],
    item: (status) => itemOf(status, written),
  };
}
