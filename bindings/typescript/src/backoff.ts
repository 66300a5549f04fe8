// backoff.ts: when to dial again: full jitter below a ceiling that grows from half a second to half
// a minute.

export const backoff_first_ms = 500;
export const backoff_max_ms = 30_000;

/**
 * The wait before the dial after `attempt` failures in a row (0, 1, 2 ...). `random` is in [0, 1).
 * Uniform over the whole span, so that clients thrown out together do not come back together.
 */
export function backoff_ms(attempt: number, random: number): number {
  const ceiling = Math.min(backoff_max_ms, backoff_first_ms * 2 ** Math.min(attempt, 16));
  return Math.round(random * ceiling);
}
