// sender.ts: takes messages from the host to the ack: stored first, sent in order, retried with the
// same key.
import { backoff_ms } from './backoff.js';
import type { ConversationState } from './conversation.js';
import { ParleyError } from './errors.js';
import type { Call } from './inputs.js';
import type { Answer } from './operations.js';
import type { Outgoing } from './outbox.js';
import type { CoreOwner } from './owner.js';
import type {
  Ack,
  Audience,
  ConversationId,
  Extras,
  ForwardOf,
  OutboxItem,
  PollDraft,
  Seq,
} from './types.js';

export interface SendInput {
  type: 'send';
  call: Call;
  conversation: ConversationId;
  text: string;
  contentType: string;
  replyTo: Seq;
  audience?: Audience;
  threadRoot?: Seq;
  extras?: Extras;
  forward?: ForwardOf;
  expiresAfter?: number;
  poll?: PollDraft;
  stream?: string;
}

/** Without what is undefined. */
export function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

const encoder = new TextEncoder();
/** A message may have the length of the longest body in base64 and 64 KiB for the rest. */
const frame_room = 60 * 1024;

export class Sender {
  /** Who waits for the ack of an item; items from an earlier life have nobody. */
  private readonly calls_ = new Map<string, Call>();

  constructor(
    private readonly owner_: CoreOwner,
    private readonly random64_: () => string,
  ) {}

  send(input: SendInput): void {
    const { type: _, call, ...draft } = input;
    const { conversation, text } = draft;
    const state = this.owner_.conversation(conversation);
    if (!state) {
      this.owner_.reject(call, new ParleyError('denied', 'no such conversation in the list'));
      return;
    }
    const refusal = this.too_large(text);
    if (refusal) {
      this.owner_.reject(call, refusal);
      return;
    }
    const item = state.outbox.add({
      local: this.random64_(),
      random: this.random64_(),
      ...draft,
      createdAt: this.owner_.now,
    });
    this.calls_.set(item.local, call);
    state.busy_since.clear(); // the message ends the sign at the others
    this.keep(state, item);
  }

  retry(id: ConversationId, local: string): void {
    const state = this.owner_.conversation(id);
    if (!state || state.outbox.find(local)?.state !== 'failed') return;
    const item = state.outbox.renumber(local, this.random64_(), 0, false);
    if (item) this.keep(state, item);
  }

  discard(id: ConversationId, local: string): void {
    const state = this.owner_.conversation(id);
    const item = state?.outbox.find(local);
    // One in flight may be committed already and cannot be taken back.
    if (!state || item?.state !== 'failed') return;
    state.outbox.discard(local);
    this.remove(item);
    this.changed(id);
  }

  /** Sends what may go out now. */
  pump(state: ConversationState): void {
    const { conversation } = state.entry;
    if (!this.owner_.ready || this.owner_.timers.has(`outbox ${conversation}`)) return;
    for (const outgoing of state.outbox.take()) this.write(state, outgoing);
  }

  /** The conversation is gone for this user: what is open has failed. */
  abandon(state: ConversationState, error: ParleyError): void {
    for (const item of state.outbox.items()) {
      if (item.state === 'pending') this.fail(state, item, error);
    }
  }

  /**
   * Checked before the first welcome's limit is known, too: at the send and again when it goes out.
   */
  private too_large(text: string): ParleyError | null {
    const max = this.owner_.self?.maxBody ?? 0;
    if (max === 0) return null;
    const size = encoder.encode(text).length;
    const spelled = encoder.encode(JSON.stringify(text)).length;
    if (size <= max && spelled <= Math.ceil(max / 3) * 4 + frame_room) return null;
    return new ParleyError('too_large', `the text has ${size} bytes, at most ${max} are allowed`);
  }

  private write(state: ConversationState, { item, settled }: Outgoing): void {
    const refusal = this.too_large(item.text);
    if (refusal) return this.fail(state, item, refusal);
    const { conversation, number, random, contentType, text, replyTo } = item;
    const { audience, threadRoot, extras, forward, expiresAfter, poll, stream } = item;
    const some = given({ audience, threadRoot, extras, forward, expiresAfter, poll, stream });
    const content = { contentType, text, replyTo, ...some };
    this.owner_.ask(
      { type: 'send', conversation, number, random, settled, ...content },
      (answer) => this.answered(state, item, answer),
    );
  }

  private answered(state: ConversationState, item: OutboxItem, answer: Answer): void {
    const current = state.outbox.find(item.local);
    if (!current || current.number !== item.number) return; // renumbered or given up meanwhile
    if (answer.type === 'ack') {
      this.acked(state, item, answer.ack);
    } else if (answer.type !== 'error') {
      this.fail(
        state,
        item,
        new ParleyError('protocol_error', `the server answered send with ${answer.type}`),
      );
    } else if (answer.error.retryable) {
      const attempts = state.outbox.put_back(item.local);
      const delay = Math.max(answer.error.retryAfterMs, backoff_ms(attempts, this.owner_.random()));
      this.owner_.timers.set(`outbox ${item.conversation}`, this.owner_.now + delay);
    } else if (answer.error.code === 'number_taken') {
      const renumbered = state.outbox.renumber(
        item.local,
        this.random64_(),
        answer.error.next,
        true,
      );
      if (renumbered) this.keep(state, renumbered);
    } else {
      state.outbox.next_number = Math.max(state.outbox.next_number, answer.error.next);
      this.fail(state, item, answer.error);
    }
    this.pump(state);
  }

  private acked(state: ConversationState, item: OutboxItem, ack: Ack): void {
    const { conversation, local, random } = item;
    state.outbox.acked(local);
    this.remove(item);
    this.owner_.emit({ name: 'acked', value: { conversation, local, random, ack } });
    this.changed(conversation);
    const call = this.calls_.get(local);
    this.calls_.delete(local);
    if (call !== undefined) this.owner_.resolve(call, { type: 'ack', ack });
  }

  private fail(state: ConversationState, item: OutboxItem, error: ParleyError): void {
    const failed = state.outbox.fail(item.local, { code: error.code, message: error.message });
    if (!failed) return;
    (this.owner_.batch.outbox ??= []).push(failed);
    this.owner_.touch(item.conversation);
    this.changed(item.conversation);
    const call = this.calls_.get(item.local);
    this.calls_.delete(item.local);
    if (call !== undefined) this.owner_.reject(call, error);
  }

  /** Item and next number become durable together, and only then the item goes out. */
  private keep(state: ConversationState, item: OutboxItem): void {
    const { conversation, local, number } = item;
    (this.owner_.batch.outbox ??= []).push(item);
    this.owner_.touch(conversation);
    this.changed(conversation);
    this.owner_.when_stored(
      () => {
        if (state.outbox.find(local)?.number !== number) return;
        state.outbox.stored(local);
        this.changed(conversation);
        this.pump(state);
      },
      (message) => this.fail(state, item, new ParleyError('store_failed', message)),
    );
  }

  private remove(item: OutboxItem): void {
    (this.owner_.batch.removedOutbox ??= []).push({
      conversation: item.conversation,
      local: item.local,
    });
  }

  private changed(conversation: ConversationId): void {
    this.owner_.emit({ name: 'outbox', value: { conversation } });
  }
}
