// conversation.ts: what the client knows of one conversation: list line, cursor, unread as a
// function, receipts.
import { after_change, isChange } from './messages.js';
import { Outbox } from './outbox.js';
import type { StoredConversation } from './storage.js';
import type {
  ChatEvent,
  ConversationId,
  ConversationKind,
  Cursor,
  HistoryPage,
  Level,
  ListEntry,
  PresenceStep,
  Receipt,
  ResumeAnswer,
  Role,
  Seq,
  UserId,
} from './types.js';
import type { EventsFrame, SubscribeItem } from './operations.js';

const remembered_ordinals = 256;
const nothing_set = {
  space: '',
  children: [],
  mentions: 0,
  pinned: false,
  archived: false,
  markedUnread: false,
  mutedUntil: 0,
  draft: '',
  drafted: 0,
  avatar: '',
  archivedForAll: false,
  folder: '',
  hiddenUntil: 0,
};

/** A line of the conversation list as shown to the host; a copy. */
export interface ConversationView {
  conversation: ConversationId;
  kind: ConversationKind;
  title: string;
  /** The host's name of a picture. */
  avatar: string;
  /** Nobody posts there (ConversationSettings.archived). */
  archivedForAll: boolean;
  peer: UserId;
  /** Channels: the space they belong to; '' for none. */
  space: ConversationId;
  role: Role;
  unread: number;
  /** Unread messages that mention this user or everybody; 100 means that many or more. */
  mentions: number;
  headSeq: Seq;
  /** How far this user has read. */
  read: Seq;
  visibleFrom: Seq;
  lastActivity: number;
  /** What the user set: `ParleyClient.setList`. */
  pinned: boolean;
  archived: boolean;
  markedUnread: boolean;
  mutedUntil: number;
  draft: string;
  drafted: number;
  folder: string;
  /** Not to be shown before the next message. */
  hidden: boolean;
  lastEvent: ChatEvent | null;
  level: Level;
}

export type Applied =
  { result: 'applied'; events: ChatEvent[] } | { result: 'duplicate' } | { result: 'gap' };

export class ConversationState {
  entry: ListEntry;
  cursor: Cursor | null = null;
  /** The stored events are exactly from .. cursor.seq. */
  from: Seq = 1;
  /** Level in force on the present link. */
  level: Level = 'none';
  /** How many parts of the host's program show this conversation. */
  opened = 0;
  /** The subscribe that is under way; an answer to an earlier one says nothing any more. */
  subscribing: SubscribeItem | null = null;
  /** The engine said denied or not_member: not asked again before the list says otherwise. */
  refused = false;
  previewing = false;
  received: Seq;
  read: Seq;
  /** What the engine is known to have of this user's positions. */
  sent: { received: Seq; read: Seq };
  readonly receipts = new Map<UserId, Receipt>();
  watched: UserId[] = [];
  watched_whole = false;
  /** What was told last of who is online here; `users`: of all frames so far. */
  online: { step: PresenceStep; count: number; users: UserId[] } | null = null;
  /** By kind (typing, recording): when others were told. */
  readonly busy_since = new Map<string, number>();
  readonly outbox: Outbox;
  /** Ordinal at the reader's position: unread = head ordinal - base - deleted. */
  private base_: number;
  /** Up to which event the base has deleted messages in it: where the list stated it. */
  private stated_: Seq;
  /** Deleted by a later event and above the reader's position: message -> that event. */
  private readonly deleted_ = new Map<Seq, Seq>();
  private readonly ordinals_ = new Map<Seq, number>();
  /** Told by events that came after what the list stated. */
  private readonly mentioned_ = new Set<Seq>();
  private mentions_at_: Seq;
  /** What this client was told of that the user deleted for itself alone. */
  readonly gone = new Set<Seq>();
  /** How many unread mentions there are is not known exactly: the engine is to be asked. */
  doubtful = false;

  constructor(entry: ListEntry, next_number = 1) {
    this.entry = entry;
    this.received = entry.received;
    this.read = entry.read;
    this.sent = { received: entry.received, read: entry.read };
    this.base_ = entry.headOrdinal - entry.unread;
    this.stated_ = entry.head.seq;
    this.mentions_at_ = entry.head.seq;
    this.outbox = new Outbox(next_number);
  }

  static restore(row: StoredConversation): ConversationState {
    // Rows of earlier builds say nothing of spaces, or of what the user set.
    const entry = { ...nothing_set, ...row.entry };
    const state = new ConversationState(entry, row.nextNumber);
    state.cursor = row.cursor;
    state.from = row.from;
    state.received = Math.max(row.received, row.entry.received);
    state.read = Math.max(row.read, row.entry.read);
    return state;
  }

  /** A space: an event of it says that it has this channel. */
  add_child(child: ConversationId): void {
    const { children } = this.entry;
    if (!children.includes(child)) this.entry = { ...this.entry, children: [...children, child] };
  }

  row(): StoredConversation {
    return {
      conversation: this.entry.conversation,
      entry: { ...this.entry, unread: this.unread(), mentions: this.mentions() },
      cursor: this.cursor,
      from: this.from,
      nextNumber: this.outbox.next_number,
      received: this.received,
      read: this.read,
    };
  }

  view(): ConversationView {
    const { conversation, kind, title, peer, space, role, head, visibleFrom } = this.entry;
    const { lastActivity, lastEvent } = this.entry;
    const { pinned, archived, markedUnread, mutedUntil, draft, drafted, folder } = this.entry;
    const { avatar, archivedForAll } = this.entry;
    return {
      conversation,
      kind,
      title,
      avatar,
      archivedForAll,
      peer,
      space,
      role,
      unread: this.unread(),
      mentions: this.mentions(),
      headSeq: head.seq,
      read: this.read,
      visibleFrom,
      lastActivity,
      pinned,
      archived,
      markedUnread,
      mutedUntil,
      draft,
      drafted,
      folder,
      hidden: this.entry.headOrdinal < this.entry.hiddenUntil,
      lastEvent,
      level: this.level,
    };
  }

  unread(): number {
    let deleted = 0;
    for (const message of this.deleted_.keys()) if (message > this.read) deleted += 1;
    return Math.max(0, this.entry.headOrdinal - this.base_ - deleted);
  }

  mentions(): number {
    let told = 0;
    for (const seq of this.mentioned_) if (seq > this.read) told += 1;
    return this.read >= this.entry.head.seq ? 0 : this.entry.mentions + told;
  }

  /**
   * The engine's newer statement of this line; positions and head never go back within one epoch.
   */
  merge(entry: ListEntry): void {
    this.refused = false;
    const same_stream = entry.head.epoch === this.entry.head.epoch;
    const base = entry.headOrdinal - entry.unread;
    if (!same_stream) {
      this.entry = entry;
      this.read = entry.read;
      this.received = entry.received;
      this.sent = { received: entry.received, read: entry.read };
      this.base_ = base;
      this.stated_ = entry.head.seq;
      this.deleted_.clear();
      this.ordinals_.clear();
      this.mentioned_.clear();
      this.mentions_at_ = entry.head.seq;
      return;
    }
    const mentions = this.merge_mentions(entry);
    const newer = entry.head.seq >= this.entry.head.seq ? entry : this.entry;
    const shown = entry.lastEvent && this.gone.has(entry.lastEvent.seq) ? null : entry.lastEvent;
    const last_event = newest(shown, this.entry.lastEvent);
    this.entry = {
      ...entry,
      head: newer.head,
      headOrdinal: newer.headOrdinal,
      mentions,
      lastEvent: last_event,
      lastActivity: Math.max(entry.lastActivity, this.entry.lastActivity),
    };
    this.sent.read = Math.max(this.sent.read, entry.read);
    this.sent.received = Math.max(this.sent.received, entry.received);
    this.received = Math.max(this.received, entry.received);
    const older = entry.head.seq < this.stated_ && entry.read <= this.read;
    if (entry.read >= this.read && !older) {
      this.base_ = base;
      this.stated_ = entry.head.seq;
      for (const [message, by] of this.deleted_)
        if (by <= this.stated_) this.deleted_.delete(message);
    }
    this.read = Math.max(this.read, entry.read);
  }

  /** What the engine has after it was gone: the position of an own send may be lost with it. */
  stands_at(entry: ListEntry): void {
    this.sent = { received: entry.received, read: entry.read };
  }

  /** What was stated; of an older line nothing. */
  private merge_mentions(entry: ListEntry): number {
    if (entry.head.seq < this.mentions_at_ || entry.read < this.sent.read)
      return this.entry.mentions;
    this.mentions_at_ = entry.head.seq;
    for (const seq of this.mentioned_) if (seq <= entry.head.seq) this.mentioned_.delete(seq);
    return entry.mentions;
  }

  /** The gap rule: event n is applied only if n = cursor + 1. */
  apply(frame: EventsFrame, self: UserId): Applied {
    const cursor = this.cursor;
    if (cursor === null || frame.epoch !== cursor.epoch) return { result: 'gap' };
    const last = frame.first + frame.events.length - 1;
    if (last <= cursor.seq) return { result: 'duplicate' };
    if (frame.first > cursor.seq + 1) return { result: 'gap' };
    const events = frame.events.filter((event) => event.seq > cursor.seq);
    this.cursor = { epoch: frame.epoch, seq: last, mark: frame.mark };
    for (const event of events) this.note(event, self);
    if (last > this.entry.head.seq) {
      this.entry = {
        ...this.entry,
        head: this.cursor,
        headOrdinal: events[events.length - 1]!.ordinal,
      };
    }
    return { result: 'applied', events };
  }

  private note(event: ChatEvent, self: UserId): void {
    this.remember(event);
    const entry = { ...this.entry };
    // The read position may have come first (another device, or the receipt of an own send).
    if (event.seq <= this.read) this.base_ = Math.max(this.base_, event.ordinal);
    if (event.kind === 'message' && event.written === 0) {
      if (event.audience === 0) entry.lastActivity = Math.max(entry.lastActivity, event.time);
      // A reply in a thread says nothing of how far the conversation was read.
      if (event.sender === self && event.seq > this.read && event.threadRoot === 0) {
        this.read_up_to(event.seq, event.ordinal);
        this.sent.read = Math.max(this.sent.read, event.seq); // the engine moved it with the send
        this.sent.received = Math.max(this.sent.received, event.seq);
      }
      this.note_mention(event, self);
    }
    if (event.kind === 'settings_changed') {
      // An event from before there were settings says its title alone.
      const { title = event.title, avatar, archived } = event.settings;
      if (title !== '' || 'title' in event.settings) entry.title = title;
      if (avatar !== undefined) entry.avatar = avatar;
      if (archived !== undefined) entry.archivedForAll = archived;
    }
    if (event.kind === 'role_changed' && event.target === self) entry.role = event.role;
    if (event.kind === 'deleted') this.note_deleted(event);
    if (event.kind !== 'hidden') entry.lastEvent = newest(event, entry.lastEvent);
    this.entry = entry;
  }

  /** Deleted by this user for itself alone. True: the list showed one of them. */
  forget(seqs: readonly Seq[]): boolean {
    for (const seq of seqs) {
      this.gone.add(seq);
      this.mentioned_.delete(seq);
    }
    const last = this.entry.lastEvent;
    if (last === null || !this.gone.has(last.seq)) return false;
    this.entry = { ...this.entry, lastEvent: null };
    return true;
  }

  private note_mention(event: ChatEvent, self: UserId): void {
    const named = event.mentions.includes(self) || event.mentionScope === 'all';
    const fresh = event.seq > this.mentions_at_ && event.seq > this.read;
    if (named && fresh && event.sender !== self && !event.deleted) this.mentioned_.add(event.seq);
  }

  /** A message is taken off the unread ones once, however often its deletion is told. */
  private note_deleted(event: ChatEvent): void {
    // What not everybody sees was never counted: its deletion names no ordinal.
    const counted =
      event.audience === 0 && event.about > this.read && event.about >= this.entry.visibleFrom;
    if (event.seq <= this.stated_ || !counted) return;
    if (!this.mentioned_.delete(event.about) && this.mentions() > 0) this.doubtful = true;
    if (event.threadRoot !== 0) return; // it was never among them
    if (!this.deleted_.has(event.about)) this.deleted_.set(event.about, event.seq);
  }

  /** The end of the stream, looked at from level heads; it moves no cursor. */
  preview(page: HistoryPage): void {
    let { lastEvent: last, lastActivity } = this.entry;
    for (const event of page.events) {
      this.remember(event);
      if (event.kind === 'deleted') this.note_deleted(event);
      if (!isChange(event) && event.audience === 0) lastActivity = Math.max(lastActivity, event.time);
      if (event.kind !== 'hidden') last = newest(event, last);
    }
    this.entry = { ...this.entry, lastEvent: last, lastActivity };
  }

  /**
   * Keeps the ordinal of an event so that a later read position needs no question to the engine.
   */
  remember(event: ChatEvent): void {
    this.ordinals_.set(event.seq, event.ordinal);
    if (this.ordinals_.size <= remembered_ordinals) return;
    for (const seq of this.ordinals_.keys()) {
      this.ordinals_.delete(seq);
      break;
    }
  }

  /**
   * The cursor to subscribe with. A conversation of which nothing is stored starts at the head that
   * the list told, so that what came after that line was made is pushed and not jumped over.
   */
  start(): Cursor | null {
    if (this.cursor === null && this.entry.head.seq > 0) {
      this.cursor = this.entry.head;
      this.from = this.entry.head.seq + 1;
    }
    return this.cursor;
  }

  moved(head: Cursor, head_ordinal: number): boolean {
    if (head.epoch === this.entry.head.epoch && head.seq <= this.entry.head.seq) return false;
    this.entry = { ...this.entry, head, headOrdinal: head_ordinal };
    if (head.seq <= this.read) this.base_ = Math.max(this.base_, head_ordinal);
    return true;
  }

  /** The ordinal at `seq` when it is known here. */
  ordinal_at(seq: Seq): number | null {
    if (seq >= this.entry.head.seq) return this.entry.headOrdinal;
    return this.ordinals_.get(seq) ?? null;
  }

  read_up_to(seq: Seq, ordinal: number): void {
    this.read = Math.max(this.read, seq);
    this.received = Math.max(this.received, seq);
    this.base_ = Math.max(this.base_, ordinal);
    for (const message of this.deleted_.keys())
      if (message <= this.read) this.deleted_.delete(message);
    for (const message of this.mentioned_)
      if (message <= this.read) this.mentioned_.delete(message);
  }

  /** Merges by maximum; returns the receipts that moved. */
  merge_receipts(receipts: readonly Receipt[]): Receipt[] {
    const moved: Receipt[] = [];
    for (const receipt of receipts) {
      const before = this.receipts.get(receipt.user) ?? {
        user: receipt.user,
        received: 0,
        read: 0,
      };
      const after = {
        user: receipt.user,
        received: Math.max(before.received, receipt.received, receipt.read),
        read: Math.max(before.read, receipt.read),
      };
      if (after.received === before.received && after.read === before.read) continue;
      this.receipts.set(receipt.user, after);
      moved.push(after);
    }
    return moved;
  }

  /**
   * Moves the cursor as the engine's answer asks. `reset`: the stored events were dropped; `lost`:
   * how many events this device can never get.
   */
  resume(answer: ResumeAnswer): { reset: boolean; lost: number } {
    const before = this.cursor?.seq ?? 0;
    switch (answer.answer) {
      case 'snapshot':
        this.restart(answer);
        return { reset: true, lost: 0 };
      case 'trimmed':
        this.cursor = { epoch: answer.head.epoch, seq: answer.floor - 1, mark: answer.floorMark };
        this.from = answer.floor;
        this.moved(answer.head, answer.headOrdinal);
        return { reset: true, lost: Math.max(0, answer.floor - 1 - before) };
      case 'forked':
      case 'ahead':
        this.receipts.clear();
        this.restart(answer);
        this.read = Math.min(this.read, answer.head.seq);
        this.received = Math.min(this.received, answer.head.seq);
        this.sent = { received: 0, read: 0 };
        return { reset: true, lost: Math.max(0, before - answer.head.seq) };
      default:
        this.moved(answer.head, answer.headOrdinal);
        return { reset: false, lost: 0 };
    }
  }

  private restart(answer: ResumeAnswer): void {
    const same_stream = answer.head.epoch === this.entry.head.epoch;
    const newer = answer.answer !== 'snapshot' || answer.head.seq >= this.entry.head.seq;
    this.cursor = answer.head;
    this.from = answer.head.seq + 1;
    if (newer) this.entry = { ...this.entry, head: answer.head, headOrdinal: answer.headOrdinal };
    if (answer.answer !== 'snapshot') this.deleted_.clear();
    if (!same_stream) this.ordinals_.clear();
    this.base_ = Math.min(this.base_, this.entry.headOrdinal);
  }
}

/** What a list shows: the later one that is more than a change of a message, with such changes. */
function newest(a: ChatEvent | null, b: ChatEvent | null): ChatEvent | null {
  if (a === null) return b;
  if (b === null) return a;
  if (isChange(a) !== isChange(b)) return isChange(a) ? after_change(b, a) : after_change(a, b);
  if (a.seq === b.seq) return after_change(a, b);
  return a.seq > b.seq ? a : b;
}
