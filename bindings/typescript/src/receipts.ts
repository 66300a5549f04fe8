// receipts.ts: how far this user has come, told in batches; how far the others have; unread from
// it.
import type { ConversationState } from './conversation.js';
import type { Operation } from './operations.js';
import type { CoreOwner } from './owner.js';
import type { ConversationId, Receipt, Seq } from './types.js';

const receipt_delay_ms = 200;

export class Receipts {
  constructor(private readonly owner_: CoreOwner) {}

  /** The event is stored here: the engine may know. */
  received(state: ConversationState, seq: Seq): void {
    if (state.entry.kind === 'channel' || seq <= state.received) return;
    state.received = seq;
    this.owner_.touch(state.entry.conversation);
    this.schedule(state);
  }

  /** The user has read up to `wanted`. */
  read(id: ConversationId, wanted: Seq): void {
    const state = this.owner_.conversation(id);
    if (!state) return;
    const seq = Math.min(wanted, state.entry.head.seq);
    if (seq <= state.read) return;
    const ordinal = state.ordinal_at(seq);
    state.read_up_to(seq, ordinal ?? 0);
    if (ordinal === null) this.ask_ordinal(state, seq);
    this.owner_.touch(id);
    this.schedule(state);
  }

  private ask_ordinal(state: ConversationState, seq: Seq): void {
    if (!this.owner_.ready) return;
    const { conversation } = state.entry;
    const operation: Operation = {
      type: 'history',
      conversation,
      from: seq + 1,
      backward: true,
      limit: 1,
    };
    this.owner_.ask(operation, (answer) => {
      const event = answer.type === 'history_page' ? answer.page.events[0] : undefined;
      if (!event || event.seq > state.read) return;
      state.read_up_to(event.seq, event.ordinal);
      this.owner_.touch(conversation);
    });
  }

  /** At most one mark_read per conversation and 200 ms. */
  private schedule(state: ConversationState): void {
    this.owner_.timers.set_earlier(
      `receipts ${state.entry.conversation}`,
      this.owner_.now + receipt_delay_ms,
    );
  }

  /** Says what is ahead of what the engine has. */
  flush(state: ConversationState): void {
    if (!this.owner_.ready) return; // the welcome flushes what is ahead
    const received = Math.max(state.received, state.read);
    const ahead = {
      received: received > state.sent.received ? received : 0,
      read: state.read > state.sent.read ? state.read : 0,
    };
    if (ahead.received === 0 && ahead.read === 0) return;
    const { conversation } = state.entry;
    this.owner_.ask({ type: 'mark_read', conversation, ...ahead }, (answer) => {
      if (answer.type === 'done') {
        state.sent.received = Math.max(state.sent.received, ahead.received);
        state.sent.read = Math.max(state.sent.read, ahead.read);
      } else if (answer.type === 'error' && answer.error.retryable) {
        const delay = Math.max(answer.error.retryAfterMs, 1_000);
        this.owner_.timers.set_earlier(`receipts ${conversation}`, this.owner_.now + delay);
      }
    });
  }

  /** The engine says how far somebody has come. */
  moved(id: ConversationId, receipts: Receipt[]): void {
    const state = this.owner_.conversation(id);
    if (!state) return;
    const moved = state.merge_receipts(receipts);
    const own = moved.find((receipt) => receipt.user === this.owner_.self?.user);
    if (own) {
      state.sent.read = Math.max(state.sent.read, own.read);
      state.sent.received = Math.max(state.sent.received, own.received);
      // Another device of this user may have read further.
      if (own.read > state.read) {
        const ordinal = state.ordinal_at(own.read);
        state.read_up_to(own.read, ordinal ?? 0);
        if (ordinal === null) this.ask_ordinal(state, own.read);
        this.owner_.touch(id);
      }
    }
    if (moved.length > 0)
      this.owner_.emit({ name: 'receipts', value: { conversation: id, receipts: moved } });
  }
}
