// Parts of messages that several dialects read alike: texts, images, arguments of calls.
import type { EngineToolCall } from '../contract/engine.ts';
import { invalidField, MochiError } from '../contract/errors.ts';
import { plainBase64 } from '../kit/image-bytes.ts';

/** What a message says. */
export interface Content {
  readonly text: string;
  readonly images: readonly string[];
}

/** Images of one message. */
const MAX_IMAGES = 16;

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The text of a field; null and absent: the empty one. @throws MochiError validation_error */
export function readText(value: unknown, path: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  throw invalidField(path, 'must be a string');
}

/** A text, or a list of parts in OpenAI's shapes, old and new. @throws MochiError validation_error, image_url_not_supported */
export function readContent(content: unknown, path: string): Content {
  if (!Array.isArray(content)) {
    if (isObject(content)) throw invalidField(path, 'must be a string or a list of parts');
    return { text: readText(content, path), images: [] };
  }
  const texts: string[] = [];
  const images: string[] = [];
  for (const [index, part] of content.entries()) {
    const at = `${path}/${index}`;
    if (typeof part === 'string') texts.push(part);
    else if (!isObject(part)) throw invalidField(at, 'must be an object');
    else readPart(part, at, { texts, images });
  }
  return { text: texts.join('\n'), images: checkImages(images, path) };
}

function readPart(
  part: JsonObject,
  path: string,
  { texts, images }: { readonly texts: string[]; readonly images: string[] },
): void {
  const { type } = part;
  switch (type) {
    case 'text':
    case 'input_text':
    case 'output_text':
      texts.push(readText(part['text'], `${path}/text`));
      return;
    case 'refusal':
      texts.push(readText(part['refusal'], `${path}/refusal`));
      return;
    case 'image_url':
    case 'input_image': {
      const { image_url: given } = part;
      const url = isObject(given) ? given['url'] : given;
      if (typeof url !== 'string') throw invalidField(`${path}/image_url`, 'must be a data URL of an image');
      images.push(readImage(url, `${path}/image_url`));
      return;
    }
    default:
      throw invalidField(
        `${path}/type`,
        `must be text or image_url: parts of type ${JSON.stringify(type)?.slice(0, 50)} cannot be read`,
      );
  }
}

/** Arguments as clients give them: an object, its text, or a text that is none and stays one. */
export function readArguments(given: unknown): EngineToolCall['arguments'] {
  if (typeof given !== 'string') return isObject(given) ? given : {};
  if (given.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(given);
    return isObject(value) ? value : given;
  } catch {
    return given;
  }
}

/** @returns base64. @throws MochiError image_url_not_supported, validation_error */
export function readImage(given: string, path: string): string {
  if (/^\s*(https?|ftp|file|blob):/i.test(given)) {
    throw new MochiError(
      'image_url_not_supported',
      `${path} is an address, and the server fetches nothing for clients: send the image itself (data:image/png;base64,…).`,
      { path },
    );
  }
  const image = plainBase64(given);
  if (!/^[A-Za-z0-9+/]{2,}={0,2}$/.test(image) || image.length % 4 !== 0) {
    throw invalidField(path, 'must be an image in base64, or a data URL of one');
  }
  return image;
}

/** @throws MochiError validation_error */
export function checkImages(images: readonly string[], path: string): readonly string[] {
  if (images.length <= MAX_IMAGES) return images;
  throw invalidField(path, `must not have more than ${MAX_IMAGES} images`);
}
