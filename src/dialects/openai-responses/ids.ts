// Ids of responses, conversations and items: made of ids that exist, so that nothing is stored to find them again.

const MESSAGE_DIGITS = 10;

/** Kinds of items, by what their ids begin with. */
export type ItemPrefix = 'msg' | 'rs' | 'fc' | 'mcp' | 'fco';

const ITEM_ID = /^(msg|rs|fc|mcp|fco)_(.+)$/;

/** Where an item is: a message, and for calls which of its calls. */
export interface ItemPlace {
  readonly prefix: ItemPrefix;
  readonly sessionId: string;
  readonly messageId: string;
  /** Null: of the message itself. */
  readonly callIndex: number | null;
}

export function toResponseId(turnId: string): string {
  return turnId.replace(/^turn_/, 'resp_');
}

/** @returns null where the id cannot be one of a response */
export function toTurnId(responseId: string): string | null {
  return /^resp_[0-9a-f]{1,64}$/.test(responseId) ? responseId.replace(/^resp_/, 'turn_') : null;
}

export function toConversationId(sessionId: string): string {
  return `conv_${sessionId}`;
}

/** @returns null where the id cannot be one of a conversation */
export function toSessionId(conversationId: string): string | null {
  return /^conv_[A-Za-z0-9_-]{1,64}$/.test(conversationId) ? conversationId.slice('conv_'.length) : null;
}

export function toItemId(prefix: ItemPrefix, sessionId: string, messageId: string): string {
  return `${prefix}_${sessionId}${messageId}`;
}

export function toCallItemId(prefix: 'fc' | 'mcp', messageItem: string, callIndex: number): string {
  return `${prefix}_${messageItem}_${callIndex}`;
}

/** @returns null where the id cannot be one of an item */
export function parseItemId(id: string): ItemPlace | null {
  const [, prefix, rest = ''] = ITEM_ID.exec(id) ?? [];
  if (prefix === undefined) return null;
  const [place = '', index] = rest.split('_');
  const isCall = prefix === 'fc' || prefix === 'mcp';
  const callIndex = isCall ? Number(index) : null;
  if (place.length <= MESSAGE_DIGITS || (callIndex !== null && !Number.isSafeInteger(callIndex))) return null;
  return {
    prefix: prefix as ItemPrefix,
    sessionId: place.slice(0, -MESSAGE_DIGITS),
    messageId: place.slice(-MESSAGE_DIGITS),
    callIndex,
  };
}
