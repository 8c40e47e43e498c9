/** A picture is shown at most this large; the rest of a phone's photo would only be carried and thrown away. */
const EDGE = 1024;
const TYPE = 'image/webp';
const QUALITY = 0.9;
/** So many bytes are no burden as they are. */
const LIGHT_BYTES = 512 * 1024;

/** Small enough to be left alone, by its bytes and by its edges. */
const isSmall = (file: Blob, { width, height }: ImageBitmap): boolean => file.size <= LIGHT_BYTES && Math.max(width, height) <= EDGE;

/**
 * A picture as it is sent: scaled down to 1024 px and written anew, which leaves out where and when it was taken. What this browser cannot
 * read or write goes as it is, and the server judges it.
 */
export async function smallerPicture(file: Blob): Promise<Blob> {
  const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' }).catch(() => null);
  if (!bitmap) return file;
  try {
    return isSmall(file, bitmap) ? file : ((await draw(bitmap)) ?? file);
  } finally {
    bitmap.close();
  }
}

async function draw(bitmap: ImageBitmap): Promise<Blob | null> {
  const scale = Math.min(1, EDGE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext('2d');
  if (!context) return null;
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  // A browser that cannot write this type writes PNG, which the server takes too.
  return new Promise((resolve) => canvas.toBlob(resolve, TYPE, QUALITY));
}
