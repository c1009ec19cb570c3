/**
 * A small valid JPEG, 8 × 8 grey pixels, that differs from every other: the caption is in it as a comment.
 *
 * @see https://www.w3.org/Graphics/JPEG/itu-t81.pdf (annex B)
 */
export function picture(caption: string): Uint8Array {
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xe0, [...Buffer.from('JFIF\0'), 1, 1, 0, 0, 1, 0, 1, 0, 0]),
    segment(0xfe, Buffer.from(caption)),
    segment(0xdb, [0, ...Array.from({ length: 64 }, () => 1)]),
    // Baseline, 8 bits, height 8, width 8, one component.
    segment(0xc0, [8, 0, 8, 0, 8, 1, 1, 0x11, 0]),
    // Two Huffman tables of one code: "no difference" for DC, "end of block" for AC.
    segment(0xc4, [0x00, 1, ...Array.from({ length: 15 }, () => 0), 0]),
    segment(0xc4, [0x10, 1, ...Array.from({ length: 15 }, () => 0), 0]),
    segment(0xda, [1, 1, 0x00, 0, 63, 0]),
    // One block: both codes are 0, padded with ones.
    Buffer.from([0b0011_1111, 0xff, 0xd9]),
  ]);
}

function segment(marker: number, content: ArrayLike<number>): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([head, Buffer.from(content)]);
}
