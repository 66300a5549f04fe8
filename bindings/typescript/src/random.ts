// random.ts: ids and keys from the platform's secure generator.
import { ParleyError } from './errors.js';

function random_bytes(count: number): Uint8Array {
  if (!globalThis.crypto?.getRandomValues) {
    throw new ParleyError('unsupported', 'this environment has no crypto.getRandomValues');
  }
  return globalThis.crypto.getRandomValues(new Uint8Array(count));
}

/** 64 random bits as a decimal string, never '0'. */
export function random_decimal64(): string {
  const bytes = random_bytes(8);
  const value = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return String(value === 0n ? 1n : value);
}

/** 128 random bits as 32 lower-case hex digits. */
export function random_hex128(): string {
  return Array.from(random_bytes(16), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
