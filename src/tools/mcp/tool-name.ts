// What a model calls the tool of a server: `mcp__server__tool`.
import { createHash } from 'node:crypto';

const LONGEST = 64;
const KEPT = 55;

/** The same whatever else there is: it depends on nothing but the two names. */
export function mcpToolName(server: string, tool: string): string {
  const name = `mcp__${server}__${tool.replace(/[^A-Za-z0-9_-]/g, '_')}`;
  if (name.length <= LONGEST) return name;
  const hash = createHash('sha256').update(`mcp__${server}__${tool}`).digest('hex');
  return `${name.slice(0, KEPT)}_${hash.slice(0, 8)}`;
}
