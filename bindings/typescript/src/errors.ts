// errors.ts: every way a call can fail, as one error class with the engine's code, its message and
// a retryable flag.

/** The engine's codes as written on the wire; a host's own codes arrive as other strings. */
export type ErrorCode =
  | 'invalid_argument'
  | 'too_large'
  | 'denied'
  | 'unauthenticated'
  | 'key_reused'
  | 'number_taken'
  | 'too_old'
  | 'last_owner'
  | 'unsupported'
  | 'already_exists'
  | 'limit_reached'
  | 'device_revoked'
  | 'busy'
  | 'unavailable'
  | 'timed_out'
  | 'disconnected'
  | 'engine_closed'
  | 'session_closed'
  | 'store_failed'
  | 'disk_full'
  | 'protocol_error'
  | 'version_unsupported'
  | 'slow_consumer'
  | 'archived'
  | 'muted'
  | 'banned'
  | 'slow_mode'
  | 'internal'
  | (string & {});

const retryable_codes: ReadonlySet<string> = new Set([
  'busy',
  'unavailable',
  'timed_out',
  'disconnected',
  'slow_mode',
  'disk_full',
]);

export interface ParleyErrorOptions {
  retryable?: boolean;
  /** Milliseconds the engine asks to wait before the same request is tried again; 0 = no hint. */
  retryAfterMs?: number;
  /** `number_taken` and `too_old`: the outbox number to go on with. */
  next?: number;
}

/** What every rejected promise of this package carries. */
export class ParleyError extends Error {
  readonly code: ErrorCode;
  /** True when the same request may succeed later without being changed. */
  readonly retryable: boolean;
  readonly retryAfterMs: number;
  readonly next: number;

  constructor(code: ErrorCode, message: string, options: ParleyErrorOptions = {}) {
    super(message);
    this.name = 'ParleyError';
    this.code = code;
    this.retryable = options.retryable ?? retryable_codes.has(code);
    this.retryAfterMs = options.retryAfterMs ?? 0;
    this.next = options.next ?? 0;
  }
}
