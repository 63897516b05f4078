// What people want remembered, for those who look it over.
import type { Grant } from '../contract/approval.ts';
import { MochiError } from '../contract/errors.ts';
import { cutText } from '../kit/whole-characters.ts';
import type { Db } from '../store/database.ts';
import { deleteGrant, listGrants } from '../store/tool-grants.ts';
import type { Tools } from '../tools/tools.ts';

/** @param sessionId what holds there; missing: all there are */
export async function shownGrants(
  { db, tools }: { readonly db: Db; readonly tools: Tools },
  sessionId?: string,
): Promise<Grant[]> {
  const grants = await listGrants(db, sessionId);
  await tools.allReady();
  return grants.map((grant) => ({
    grant_id: grant.id,
    scope: grant.scope,
    session_id: grant.sessionId,
    tool_name: grant.toolName,
    match: grant.match,
    arguments: grant.arguments && { ...grant.arguments },
    created_at: grant.createdAt,
    confirmation_id: grant.confirmationId,
    valid: tools.find(grant.toolName)?.fingerprint === grant.fingerprint,
  }));
}

/** @throws MochiError grant_not_found */
export async function revokeGrant(db: Db, grantId: string): Promise<void> {
  if (await deleteGrant(db, grantId)) return;
  const shown = cutText(grantId, 64);
  throw new MochiError('grant_not_found', `There is no grant ${shown}.`, { grant_id: shown });
}
