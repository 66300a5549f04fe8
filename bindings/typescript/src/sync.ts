// sync.ts: what this client knows that it does not know; the engine is asked what has moved.
import type { ConversationState } from './conversation.js';
import type { CoreOwner } from './owner.js';
import type { ConversationId, ListChange, ListEntry, Seq } from './types.js';

const sync_delay_ms = 500;
/** The engine's limit. */
const sync_conversations = 500;

export interface SyncOwner extends CoreOwner {
  readonly sync_token: string;
  on_list(change: ListChange): void;
}

export class Sync {
  /** Channels of spaces to be asked for by name. */
  private readonly unlisted_ = new Set<ConversationId>();

  constructor(private readonly owner_: SyncOwner) {}

  /** Something unread is not known exactly any more: the engine states what has moved. */
  later(): void {
    this.owner_.timers.set_earlier('sync', this.owner_.now + sync_delay_ms);
  }

  /** The timer. */
  ask(): void {
    if (!this.owner_.ready) return; // the welcome brings it
    for (const state of this.owner_.states()) state.doubtful = false;
    const conversations = [...this.unlisted_].slice(0, sync_conversations);
    this.owner_.ask({ type: 'sync', token: this.owner_.sync_token, conversations }, (answer) => {
      if (answer.type === 'list') this.owner_.on_list(answer.change);
      else this.later();
    });
  }

  /** The list has these now, and not the removed ones. */
  told(change: ListChange, removed: ReadonlySet<ConversationId>): void {
    for (const id of removed) this.unlisted_.delete(id);
    for (const entry of change.entries) this.unlisted_.delete(entry.conversation);
    if (!change.more) this.note_unlisted(change.entries); // else they may be on a later page
    if (this.unlisted_.size > 0) this.later();
  }

  /**
   * Channels that their space names and the list does not have: they may have come before a token
   * that another push brought, which then does not bring them any more.
   */
  note_unlisted(entries: ListEntry[]): void {
    // Rows of earlier builds have no children.
    for (const child of entries.flatMap((entry) => entry.children ?? []))
      if (!this.owner_.conversation(child)) this.unlisted_.add(child);
  }

  /** Events of a space that are not read here may say of other channels. */
  passed_over(state: ConversationState, head: Seq): void {
    if (state.entry.kind !== 'space' || head <= state.entry.head.seq) return;
    this.unlisted_.add(state.entry.conversation);
    this.later();
  }

  /** New events may have made unread doubtful; they told of these channels. */
  doubt(state: ConversationState, children: ConversationId[]): void {
    for (const child of children) this.unlisted_.add(child);
    if (state.doubtful || this.unlisted_.size > 0) this.later();
  }
}
