import { createHash, randomBytes } from 'node:crypto';

/**
 * Which keys were seen, in eight bytes each: a million of them fit where a Set of their texts would take a hundred megabytes.
 * Each key becomes 48 bits of a hash with a salt of this run, so that nobody can choose names that collide.
 */
export class KeySet {
  readonly #salt: Uint8Array;
  #hashes = new Float64Array(1024);
  #size = 0;
  #sorted = true;

  constructor(salt: Uint8Array = randomBytes(16)) {
    this.#salt = salt;
  }

  add(key: string): void {
    if (this.#size === this.#hashes.length) {
      const larger = new Float64Array(this.#hashes.length * 2);
      larger.set(this.#hashes);
      this.#hashes = larger;
    }
    this.#hashes[this.#size++] = this.#hash(key);
    this.#sorted = false;
  }

  has(key: string): boolean {
    if (!this.#sorted) this.#hashes.subarray(0, this.#size).sort();
    this.#sorted = true;
    const wanted = this.#hash(key);
    let [low, high] = [0, this.#size - 1];
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = this.#hashes[middle] ?? 0;
      if (found === wanted) return true;
      if (found < wanted) low = middle + 1;
      else high = middle - 1;
    }
    return false;
  }

  #hash(key: string): number {
    return createHash('sha256').update(this.#salt).update(key).digest().readUIntBE(0, 6);
  }
}
