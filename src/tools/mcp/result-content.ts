// What a server answers to a call, as text and images for a model.
import type { CallToolResult } from '@modelcontextprotocol/client';

type Block = CallToolResult['content'][number];

export interface ResultContent {
  readonly text: string;
  /** Base64. */
  readonly images: readonly string[];
}

const NOTHING = 'The tool has ended and returned nothing.';

export function readResult(result: CallToolResult): ResultContent {
  const blocks = result.content.filter(isForModel);
  const images = blocks.flatMap((block) => (block.type === 'image' ? [block.data] : []));
  const hasText = blocks.some((block) => block.type === 'text' && block.text !== '');
  const parts = blocks.map(textOf).filter((part) => part !== '');
  const { structuredContent } = result;
  // Beside text it says the same once more.
  if (!hasText && structuredContent !== undefined) parts.push(JSON.stringify(structuredContent));
  return { text: parts.length === 0 ? NOTHING : parts.join('\n\n').toWellFormed(), images };
}

/** What is for the user alone is kept from the model. */
function isForModel({ annotations }: Block): boolean {
  const audience = annotations?.audience;
  return audience === undefined || audience.length === 0 || audience.includes('assistant');
}

function textOf(block: Block): string {
  switch (block.type) {
    case 'text':
      return block.text;
    case 'image':
      return `[image, ${block.mimeType}, ${sizeOf(block.data)}]`;
    case 'audio':
      return `[audio, ${block.mimeType}, ${sizeOf(block.data)}]`;
    case 'resource_link':
      return `[${block.title ?? block.name}](${block.uri})`;
    case 'resource': {
      const { resource } = block;
      if ('text' in resource) return resource.text;
      return `[${resource.uri}, ${resource.mimeType ?? 'unknown type'}, ${sizeOf(resource.blob)}]`;
    }
    default:
      return '';
  }
}

function sizeOf(base64: string): string {
  return `${Buffer.byteLength(base64, 'base64')} bytes`;
}
