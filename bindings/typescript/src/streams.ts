// streams.ts: what the engine pushes of conversations' streams, the list's previews, and pages of
// history that are kept.
import type { ConversationState } from './conversation.js';
import type { Growing } from './growing.js';
import { forget } from './messages.js';
import type { EventsFrame, Operation } from './operations.js';
import type { CoreOwner } from './owner.js';
import type { People } from './people.js';
import type { Receipts } from './receipts.js';
import type { Subscriptions } from './subscriptions.js';
import type { Sync } from './sync.js';
import type { ChatEvent, ConversationId, Cursor, DeletedForMe, HistoryPage } from './types.js';

/** Looked through for one that a list would show. */
const preview_events = 16;

export interface StreamsOwner extends CoreOwner {
  /** The row of `id` joins this turn's batch; the list shows nothing new. */
  keep_row(id: ConversationId): void;
}

function tells_of_child({ kind }: ChatEvent): boolean {
  return kind === 'child_opened' || kind === 'child_closed';
}

export class Streams {
  constructor(
    private readonly owner_: StreamsOwner,
    private readonly sync_: Sync,
    private readonly people_: People,
    private readonly receipts_: Receipts,
    private readonly subscriptions_: Subscriptions,
    private readonly growing_: Growing,
  ) {}

  events(frame: EventsFrame): void {
    const state = this.owner_.conversation(frame.conversation);
    if (!state || !this.owner_.self) return;
    const applied = state.apply(frame, this.owner_.self.user);
    if (applied.result === 'gap') this.subscriptions_.repair(state);
    if (applied.result !== 'applied') return;
    const { conversation } = frame;
    const { events } = applied;
    for (const { kind, child } of events) if (kind === 'child_opened') state.add_child(child);
    this.sync_.doubt(state, events.filter(tells_of_child).map(({ child }) => child));
    (this.owner_.batch.events ??= []).push({ conversation, events });
    for (const { kind, about, seq: changed } of events) {
      if (kind === 'deleted')
        (this.owner_.batch.deletedMessages ??= []).push({ conversation, seq: about, changed });
    }
    this.owner_.touch(conversation);
    const seq = state.cursor!.seq;
    this.owner_.when_stored(() => this.receipts_.received(state, seq));
    for (const event of events) this.people_.want_names([event.sender, event.target]);
    this.owner_.emit({ name: 'events', value: { conversation, events } });
    for (const event of events) this.growing_.stored(event);
  }

  /** What is kept of them goes; the list's line, which has other numbers, follows by itself. */
  deleted_for_me(deleted: DeletedForMe): void {
    const { conversation, seqs } = deleted;
    const state = this.owner_.conversation(conversation);
    if (!state) return;
    const stored = seqs.filter((seq) => seq >= state.from);
    if (stored.length > 0)
      (this.owner_.batch.deletedForMe ??= []).push({ conversation, seqs: stored });
    if (state.forget(seqs)) this.preview(state);
    this.owner_.touch(conversation);
    this.owner_.emit({ name: 'deletedForMe', value: deleted });
  }

  head_moved(push: { conversation: ConversationId; head: Cursor; headOrdinal: number }): void {
    const state = this.owner_.conversation(push.conversation);
    if (!state) return;
    if (state.level !== 'full') this.sync_.passed_over(state, push.head.seq);
    if (state.moved(push.head, push.headOrdinal)) this.owner_.touch(push.conversation);
    if (state.level === 'full') {
      if (
        !state.cursor ||
        push.head.seq > state.cursor.seq ||
        push.head.epoch !== state.cursor.epoch
      ) {
        this.subscriptions_.repair(state);
      }
      return;
    }
    this.preview(state);
    this.sync_.later(); // whom it mentions is not told
  }

  /** Level heads brings no bodies: the list's preview is asked for, one question at a time. */
  private preview(state: ConversationState): void {
    if (state.previewing || !this.owner_.ready) return;
    state.previewing = true;
    const { conversation } = state.entry;
    const operation: Operation = {
      type: 'history',
      conversation,
      from: 0,
      backward: true,
      limit: preview_events,
    };
    this.owner_.ask(operation, (answer) => {
      state.previewing = false;
      if (answer.type !== 'history_page' || answer.page.events.length === 0) return;
      state.preview(this.without_deleted(answer.page));
      const event = state.entry.lastEvent;
      if (event) this.people_.want_names([event.sender, event.target]);
      this.owner_.touch(conversation);
    });
  }

  /** A page may have been read before this client was told of what was deleted for its user. */
  without_deleted(page: HistoryPage): HistoryPage {
    const gone = this.owner_.conversation(page.conversation)?.gone;
    if (!gone || gone.size === 0) return page;
    return { ...page, events: page.events.map((event) => forget(event, gone)) };
  }

  /** A page that touches the stored run from below makes it longer; any other is only shown. */
  keep_page(page: HistoryPage): void {
    for (const event of page.events) this.people_.want_names([event.sender, event.target]);
    const state = this.owner_.conversation(page.conversation);
    const last = page.events[page.events.length - 1];
    if (!state?.cursor || !last || page.epoch !== state.cursor.epoch) return;
    const events = page.events.filter((event) => event.seq < state.from);
    for (const event of events) state.remember(event);
    if (events.length === 0 || last.seq < state.from - 1) return;
    state.from = events[0]!.seq;
    (this.owner_.batch.events ??= []).push({ conversation: page.conversation, events });
    this.owner_.keep_row(page.conversation);
  }
}
