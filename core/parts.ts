/** Items in groups whose JSON has about so many bytes; an item that is larger is alone. */
export function inParts<T>(items: readonly T[], bytes: number): readonly (readonly T[])[] {
  const parts: T[][] = [];
  let room = 0;
  for (const item of items) {
    const size = JSON.stringify(item).length;
    if (size > room || parts.length === 0) {
      parts.push([]);
      room = bytes;
    }
    parts.at(-1)?.push(item);
    room -= size;
  }
  return parts;
}
