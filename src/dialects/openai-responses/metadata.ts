// Metadata as OpenAI's clients have it: a few texts. Of a session they see those members that are.
import { invalidField } from '../../contract/errors.ts';
import type { JsonObject } from '../read-content.ts';

const MAX_MEMBERS = 16;

/** @throws MochiError validation_error */
export function readMetadata(metadata: JsonObject | null | undefined): Record<string, string> {
  const members = Object.entries(metadata ?? {});
  if (members.length > MAX_MEMBERS) {
    throw invalidField('/metadata', `must not have more than ${MAX_MEMBERS} members`);
  }
  for (const [name, value] of members) {
    if (typeof value !== 'string') throw invalidField(`/metadata/${name}`, 'must be a string');
  }
  return Object.fromEntries(members) as Record<string, string>;
}

export function showMetadata(metadata: JsonObject): JsonObject {
  const texts = Object.entries(metadata).filter(([, value]) => typeof value === 'string');
  return Object.fromEntries(texts.slice(0, MAX_MEMBERS));
}
