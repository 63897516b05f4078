// The images of messages, each at an address of its own, so that lists need not carry them.
import { Type } from 'typebox';
import { MochiError } from '../../contract/errors.ts';
import { imageTypeOf, plainBase64 } from '../../kit/image-bytes.ts';
import { requireMessage, requireSession } from '../../sessions/require.ts';
import { findImage } from '../../store/message-images.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { responses } from '../document.ts';
import { MessageParams, sessionIdOf } from '../params.ts';

/** A message never changes once it has an id, and neither do its images. Whoever opens one runs nothing in it. */
const IMAGE_HEADERS = {
  'cache-control': 'private, max-age=31536000, immutable',
  'content-security-policy': 'sandbox',
};

const UNKNOWN_TYPE = 'application/octet-stream';

const IMAGE_ANSWER = {
  description:
    'Its bytes. PNG, JPEG, WebP and GIF are told by their first bytes; anything else is a download.',
  content: Object.fromEntries(
    ['image/png', 'image/jpeg', 'image/webp', 'image/gif', UNKNOWN_TYPE].map((type) => [
      type,
      { schema: { type: 'string', contentMediaType: type } },
    ]),
  ),
};

export function imageRoutes(app: App, { db }: AppDeps): void {
  app.get(
    '/api/v1/sessions/:session_id/messages/:message_id/images/:index',
    {
      schema: {
        tags: ['sessions'],
        operationId: 'getImage',
        summary: 'An image of a message',
        description: 'May be kept for ever: it never changes.',
        params: Type.Object({
          ...MessageParams.properties,
          index: Type.String({ description: 'Which one, from 0.', examples: ['0'] }),
        }),
        response: responses(200, IMAGE_ANSWER, [
          'session_not_found',
          'message_not_found',
          'image_not_found',
          'session_load_error',
        ]),
      },
    },
    async ({ params }, reply) => {
      const sessionId = sessionIdOf(params);
      const { message_id: messageId, index } = params;
      const image = /^\d{1,4}$/.test(index)
        ? await findImage(db, { sessionId, messageId, index: Number(index) })
        : null;
      if (image === null) {
        await requireSession(db, sessionId);
        const { images = [] } = await requireMessage(db, sessionId, messageId);
        throw imageNotFound(images.length, { session_id: sessionId, message_id: messageId });
      }
      const bytes = Buffer.from(plainBase64(image), 'base64');
      const type = imageTypeOf(bytes);
      if (type === null) void reply.header('content-disposition', 'attachment; filename="image"');
      return reply
        .headers(IMAGE_HEADERS)
        .type(type ?? UNKNOWN_TYPE)
        .send(bytes);
    },
  );
}

function imageNotFound(count: number, details: Record<string, unknown>): MochiError {
  const has = count === 0 ? 'no images' : `${count} of them, numbered from 0`;
  return new MochiError('image_not_found', `The message has no such image: it has ${has}.`, details);
}
