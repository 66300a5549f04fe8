// link.ts: the life of the connection without its socket: dial, hello, requests in flight,
// heartbeat, backoff.
import { backoff_ms } from './backoff.js';
import { ParleyError } from './errors.js';
import type { Action, LinkState } from './inputs.js';
import type { Answer, Operation, Reply, Welcome } from './operations.js';
import type { Timers } from './timers.js';
import type { PresenceState } from './types.js';

/** Requests without an answer a session may have; the rest waits here. */
export const in_flight_max = 64;
const request_timeout_ms = 30_000;
const handshake_timeout_ms = 15_000;
/** From the last goodbye to the close that gives the reason. */
const farewell_timeout_ms = 1_000;
const ping_answer_ms = 10_000;
const ping_answer_offline_ms = 3_000;
/** A link that lived so long was good: the next failure starts the backoff from the beginning. */
const stable_after_ms = 10_000;

/** Close codes that dialling again unchanged cannot cure. */
const final_close_codes = new Map<number, string>([
  [1002, 'protocol_error'],
  [1007, 'protocol_error'],
  [1008, 'unauthenticated'],
  [1009, 'too_large'],
]);

interface Pending {
  operation: Operation;
  on: (answer: Answer) => void;
  /** Dropped without a word when the link goes: whoever asked starts over by itself. */
  link_scoped: boolean;
  /** May be asked again on the next link although it was asked already. */
  repeatable: boolean;
  written: boolean;
  deadline: number;
}

export interface LinkOwner {
  readonly timers: Timers;
  random(): number;
  act(action: Action): void;
  hello(): {
    ticket: string;
    device: string;
    syncToken: string;
    state?: PresenceState;
    listLimit?: number;
  };
  on_welcome(welcome: Welcome): void;
  on_push(answer: Answer): void;
  on_lost(): void;
}

const repeatable_operations: ReadonlySet<string> = new Set([
  'create',
  'direct',
  'join',
  'join_invite',
  'block',
  'list_blocked',
  'request_join',
  'join_requests',
  'answer_request',
  'list_invites',
  'revoke_invite',
  'history',
  'members',
  'lookup',
  'append_stream',
  'cancel_stream',
  'get_stream',
  'set_title',
  'set_settings',
  'info',
  'restrictions',
  'set_role',
]);

export class Link {
  state: LinkState = 'idle';
  private greeted_ = false;
  private attempt_ = 0;
  private ready_since_ = 0;
  private heard_at_ = 0;
  private ping_deadline_ = 0;
  private heartbeat_ms_ = 20_000;
  private next_number_ = 1;
  private spread_ms_ = 0;
  private ticket_used_ = false;
  /** The server said goodbye for good; its close says why in words. */
  private farewell_: ParleyError | null = null;
  private readonly in_flight_ = new Map<number, Pending>();
  private waiting_: Pending[] = [];

  constructor(private readonly owner_: LinkOwner) {}

  dial(now: number): void {
    this.owner_.timers.delete('dial');
    this.owner_.timers.set('handshake', now + handshake_timeout_ms);
    this.set_state('connecting', 0, null);
    this.owner_.act({ type: 'connect' });
  }

  /** The socket is open: the first frame is hello. */
  opened(now: number, token: string): void {
    if (this.state !== 'connecting') return;
    this.owner_.timers.set('handshake', now + handshake_timeout_ms);
    const hello = this.owner_.hello();
    this.ticket_used_ = hello.ticket !== '';
    this.greeted_ = false;
    this.write({
      operation: { type: 'hello', token, ...hello },
      on: (answer) => this.greeted(answer),
      link_scoped: true,
      repeatable: false,
      written: false,
      deadline: now + handshake_timeout_ms,
    });
  }

  /**
   * Asks the engine; `on` gets exactly one answer, or none when a link-scoped request dies with its
   * link.
   */
  request(
    now: number,
    operation: Operation,
    link_scoped: boolean,
    on: (answer: Answer) => void,
  ): void {
    const deadline = now + request_timeout_ms;
    const repeatable = repeatable_operations.has(operation.type);
    this.waiting_.push({ operation, on, link_scoped, repeatable, written: false, deadline });
    this.owner_.timers.set_earlier('requests', deadline);
    this.pump();
  }

  received(now: number, reply: Reply): void {
    this.heard_at_ = now;
    this.ping_deadline_ = 0;
    if (reply.request === 0) {
      if (reply.answer.type === 'goodbye') this.goodbye(now, reply.answer);
      else if (this.state === 'ready') this.owner_.on_push(reply.answer);
      return;
    }
    const pending = this.in_flight_.get(reply.request);
    if (!pending) return; // timed out before
    this.in_flight_.delete(reply.request);
    pending.on(
      reply.answer.type === 'unknown'
        ? {
            type: 'error',
            error: new ParleyError('unsupported', `the server answered with ${reply.answer.name}`),
          }
        : reply.answer,
    );
    this.pump();
  }

  /** The socket is closed, by whomever. */
  closed(now: number, code: number, reason: string): void {
    if (this.state === 'stopped' || this.state === 'idle' || this.state === 'waiting') return;
    if (this.farewell_) {
      const { code, message } = this.farewell_;
      return this.stop(new ParleyError(code, reason ? `${message}: ${reason}` : message));
    }
    const final = final_close_codes.get(code);
    if (final !== undefined) {
      this.stop(new ParleyError(final, reason || `the server closed the link with code ${code}`));
      return;
    }
    const what = reason || (this.greeted_ ? 'the link was lost' : 'the server cannot be reached');
    this.wait(now, new ParleyError('disconnected', what), 0);
  }

  /** Ends for good; `error` null: the host asked for it. */
  stop(error: ParleyError | null): void {
    if (this.state === 'stopped') return;
    if (this.state === 'ready' && error === null) {
      this.owner_.act({
        type: 'write',
        request: { request: this.take_number(), operation: { type: 'bye' } },
      });
    }
    if (this.state === 'ready' || this.state === 'connecting') {
      this.owner_.act({ type: 'disconnect', reason: error?.code ?? 'bye' });
    }
    this.lose();
    this.owner_.timers.clear();
    this.set_state('stopped', 0, error);
    const waiting = this.waiting_;
    this.waiting_ = [];
    for (const pending of waiting) {
      pending.on({
        type: 'error',
        error: error ?? new ParleyError('session_closed', 'the client was stopped'),
      });
    }
  }

  online(now: number): void {
    if (this.state !== 'waiting') return;
    this.owner_.timers.set_earlier(
      'dial',
      now + this.spread_ms_ + Math.round(this.owner_.random() * 500),
    );
  }

  /** The browser says the network is gone; it is often wrong, so the link is asked. */
  offline(now: number): void {
    if (this.state === 'ready') this.ping(now, ping_answer_offline_ms);
  }

  /** One of the link's timers; false when the name is not the link's. */
  timer(now: number, name: string): boolean {
    switch (name) {
      case 'dial':
        this.dial(now);
        return true;
      case 'handshake':
        if (this.farewell_) {
          this.stop(this.farewell_);
          return true;
        }
        this.drop(now, new ParleyError('timed_out', 'the server did not answer the hello in time'));
        return true;
      case 'requests':
        this.expire(now);
        return true;
      case 'heartbeat':
        this.heartbeat(now);
        return true;
      default:
        return false;
    }
  }

  private greeted(answer: Answer): void {
    const now = this.heard_at_;
    this.owner_.timers.delete('handshake');
    if (answer.type === 'welcome') {
      this.greeted_ = true;
      this.ready_since_ = now;
      this.heartbeat_ms_ = answer.heartbeatMs > 0 ? answer.heartbeatMs : 20_000;
      this.spread_ms_ = 0;
      this.set_state('ready', 0, null);
      this.owner_.timers.set('heartbeat', now + this.silence_ms());
      this.owner_.on_welcome(answer);
      this.pump();
      return;
    }
    const error =
      answer.type === 'error'
        ? answer.error
        : new ParleyError('protocol_error', `the server answered hello with ${answer.type}`);
    if (error.retryable || (error.code === 'unauthenticated' && this.ticket_used_)) {
      this.drop(now, error);
    } else {
      this.stop(error);
    }
  }

  private goodbye(
    now: number,
    goodbye: { reason: string; spreadMs: number; reconnect: boolean },
  ): void {
    const error = new ParleyError(goodbye.reason, `the server said goodbye: ${goodbye.reason}`);
    if (!goodbye.reconnect) {
      this.farewell_ = error;
      this.owner_.timers.set('handshake', now + farewell_timeout_ms);
      return;
    }
    this.spread_ms_ = Math.round(this.owner_.random() * goodbye.spreadMs);
    this.drop(now, error);
  }

  /** Closes the socket from this side and dials again later. */
  private drop(now: number, error: ParleyError): void {
    this.owner_.act({ type: 'disconnect', reason: error.code });
    this.wait(now, error, error.retryAfterMs);
  }

  private wait(now: number, error: ParleyError, at_least_ms: number): void {
    const was_stable = this.greeted_ && now - this.ready_since_ >= stable_after_ms;
    if (was_stable) this.attempt_ = 0;
    const delay = Math.max(
      backoff_ms(this.attempt_, this.owner_.random()),
      at_least_ms,
      this.spread_ms_,
    );
    this.attempt_ += 1;
    this.lose();
    this.owner_.timers.set('dial', now + delay);
    this.set_state('waiting', now + delay, error);
  }

  /** Forgets the link; what may be asked again waits for the next one. */
  private lose(): void {
    for (const name of ['dial', 'handshake', 'heartbeat']) this.owner_.timers.delete(name);
    const asked = [...this.in_flight_.values()];
    this.in_flight_.clear();
    const was_greeted = this.greeted_;
    this.greeted_ = false;
    const kept = asked.filter((pending) => !pending.link_scoped && pending.repeatable);
    const lost = asked.filter((pending) => !pending.link_scoped && !pending.repeatable);
    for (const pending of kept) pending.written = false;
    this.waiting_ = [...kept, ...this.waiting_.filter((pending) => !pending.link_scoped)];
    for (const pending of lost) {
      pending.on({
        type: 'error',
        error: new ParleyError(
          'disconnected',
          'the link was lost before the answer; the outcome is not known',
        ),
      });
    }
    if (was_greeted) this.owner_.on_lost();
  }

  private heartbeat(now: number): void {
    if (this.state !== 'ready') return;
    if (this.ping_deadline_ !== 0 && now >= this.ping_deadline_) {
      this.drop(now, new ParleyError('disconnected', 'the server has gone silent'));
      return;
    }
    if (this.ping_deadline_ === 0 && now - this.heard_at_ >= this.silence_ms()) {
      this.ping(now, ping_answer_ms);
      return;
    }
    const next =
      this.ping_deadline_ !== 0 ? this.ping_deadline_ : this.heard_at_ + this.silence_ms();
    this.owner_.timers.set('heartbeat', next);
  }

  private ping(now: number, answer_ms: number): void {
    this.ping_deadline_ = now + answer_ms;
    this.owner_.timers.set('heartbeat', this.ping_deadline_);
    this.request(now, { type: 'ping' }, true, () => undefined);
  }

  private silence_ms(): number {
    return this.heartbeat_ms_ * 1.25;
  }

  private expire(now: number): void {
    const late = (pending: Pending): boolean => pending.deadline <= now;
    const expired = [...this.in_flight_].filter(([, pending]) => late(pending));
    for (const [number] of expired) this.in_flight_.delete(number);
    const never_sent = this.waiting_.filter(late);
    this.waiting_ = this.waiting_.filter((pending) => !late(pending));
    for (const pending of [...this.in_flight_.values(), ...this.waiting_]) {
      this.owner_.timers.set_earlier('requests', pending.deadline);
    }
    for (const pending of [...expired.map(([, pending]) => pending), ...never_sent]) {
      pending.on({
        type: 'error',
        error: new ParleyError(
          'timed_out',
          'no answer within 30 seconds; the outcome is not known',
        ),
      });
    }
    this.pump();
  }

  private pump(): void {
    while (
      this.state === 'ready' &&
      this.waiting_.length > 0 &&
      this.in_flight_.size < in_flight_max
    ) {
      this.write(this.waiting_.shift()!);
    }
  }

  private write(pending: Pending): void {
    const request = this.take_number();
    pending.written = true;
    this.in_flight_.set(request, pending);
    this.owner_.act({ type: 'write', request: { request, operation: pending.operation } });
  }

  private take_number(): number {
    do {
      const number = this.next_number_;
      this.next_number_ = number >= 0xffff_ffff ? 1 : number + 1;
      if (!this.in_flight_.has(number)) return number;
    } while (true);
  }

  private set_state(state: LinkState, retry_at: number, error: ParleyError | null): void {
    this.state = state;
    this.owner_.act({
      type: 'emit',
      event: { name: 'state', value: { state, retryAt: retry_at, error } },
    });
  }
}
