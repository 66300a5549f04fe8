// random.mjs: a seeded generator, and the digests by which events and texts are compared.
import { createHash } from 'node:crypto';

export class Random {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  /** A number from 0 up to 1 (mulberry32). */
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  between(low, high) {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability) {
    return this.next() < probability;
  }

  pick(list) {
    return list[this.between(0, list.length - 1)];
  }

  hex(digits) {
    return Array.from({ length: digits }, () => this.between(0, 15).toString(16)).join('');
  }

  /** 64 bits, never zero, as a string of decimal digits. */
  bits() {
    return String(BigInt(`0x${this.hex(16)}`) | 1n);
  }
}

export function text_hash(text) {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** Of everything that an event says: two readers of one seq must get the same. */
export function event_digest(event) {
  return createHash('sha1').update(JSON.stringify(event)).digest('base64').slice(0, 16);
}
