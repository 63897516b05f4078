// What a session of ours has and the original's file format does not: kept as further keys of `metadata`, which the
// original ignores.
import { SESSION_TITLE_LENGTH } from '../../contract/session.ts';
import { isMetadata } from '../../sessions/metadata.ts';
import { asId, asList, asObject, asText, hasKeys, type JsonObject, take } from './values.ts';

export interface OriginalAdditions {
  readonly title: string | null;
  readonly metadata: Record<string, unknown>;
  /** Ids of messages that were cut. */
  readonly partial: readonly string[];
  /** Null: a chat of people. */
  readonly agent: { readonly name: string | null } | null;
}

/** Only what says something. */
export function toAdditionKeys({ title, metadata, partial, agent }: OriginalAdditions): JsonObject {
  return {
    ...(title !== null && { title }),
    ...(hasKeys(metadata) && { client_metadata: metadata }),
    ...(partial.length > 0 && { partial_messages: partial }),
    ...(agent !== null && { agent_name: agent.name }),
  };
}

/** @param extra unknown keys of a file's metadata; what cannot be used stays there */
export function takeAdditions(extra: JsonObject): { additions: OriginalAdditions; rest: JsonObject } {
  const { title, client_metadata: metadata, partial_messages: partial, agent_name: name, ...rest } = extra;
  const agentName = take(rest, 'agent_name', name, asId);
  return {
    additions: {
      title: take(rest, 'title', title, asTitle),
      metadata: take(rest, 'client_metadata', metadata, asMetadata) ?? {},
      partial: take(rest, 'partial_messages', partial, asTexts) ?? [],
      // The key alone says that it is an agent's, be it one without a name.
      agent: agentName !== null || name === null ? { name: agentName } : null,
    },
    rest,
  };
}

function asTitle(value: unknown): string | null {
  const text = asText(value);
  return text !== null && Array.from(text).length <= SESSION_TITLE_LENGTH ? text : null;
}

function asMetadata(value: unknown): JsonObject | null {
  const object = asObject(value);
  return object !== null && isMetadata(object) ? object : null;
}

function asTexts(value: unknown): readonly string[] | null {
  const list = asList(value);
  return list?.every((entry) => typeof entry === 'string') ? list : null;
}
