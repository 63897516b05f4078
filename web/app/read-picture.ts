// A picture as it is sent: drawn anew, so that nothing of where and when it was taken goes along.

/** Longer ones are made smaller, in pixels: models read no more. */
const MAX_SIDE = 1536;

/** @returns a data URI; null where the browser cannot read the file */
export async function readPicture(file: File): Promise<string | null> {
  try {
    const bitmap = await createImageBitmap(file);
    const scale = Math.min(1, MAX_SIDE / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement('canvas');
    canvas.width = Math.round(bitmap.width * scale);
    canvas.height = Math.round(bitmap.height * scale);
    canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    return canvas.toDataURL(file.type === 'image/png' ? 'image/png' : 'image/jpeg', 0.9);
  } catch {
    return null;
  }
}
