/** A JPEG of one grey pixel, up to where its first segment ends and from there on. */
const PIXEL = Buffer.from(
  '/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA=',
  'base64',
);
/** SOI (2 bytes) and the JFIF segment (marker 2, length 16). */
const HEAD = 20;

/**
 * A small valid JPEG that differs from every other: the caption is in it as a comment.
 *
 * @see https://www.w3.org/Graphics/JPEG/itu-t81.pdf (B.2.4.5, comment segment)
 */
export function picture(caption: string): Uint8Array {
  const text = Buffer.from(caption);
  const comment = Buffer.alloc(4);
  comment.writeUInt16BE(0xff_fe, 0);
  comment.writeUInt16BE(text.length + 2, 2);
  return Buffer.concat([PIXEL.subarray(0, HEAD), comment, text, PIXEL.subarray(HEAD)]);
}
