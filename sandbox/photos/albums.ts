/** The albums of the family bucket, each with its owner. */
export const ALBUMS = [
  { id: 'summer-2026', owner: 'owner-anna', prefix: 'albums/summer-2026/' },
  { id: 'grandma-80', owner: 'owner-ben', prefix: 'albums/grandma-80/' },
  { id: 'first-steps', owner: 'owner-anna', prefix: 'albums/first-steps/' },
] as const;
export type Album = (typeof ALBUMS)[number];
