// event.ts: the events of a conversation, in pages and threads.
import type { SettingsUpdate } from './conversation.js';
import type { ConversationId, Epoch, Role, Seq, UserId } from './ids.js';
import type { Audience, Extras, Origin, Poll, Tally } from './message.js';

export type EventKind =
  | 'created'
  | 'message'
  | 'joined'
  | 'left'
  | 'added'
  | 'removed'
  | 'role_changed'
  | 'settings_changed'
  | 'edited'
  | 'deleted'
  | 'reactions'
  | 'pinned'
  | 'unpinned'
  /** Stands for an event that this user may not see: nothing to show. */
  | 'hidden'
  | 'visibility_changed'
  | 'banned'
  | 'unbanned'
  | 'muted'
  | 'unmuted'
  /** `target` asks to be let in, and what became of it; for those who may answer. */
  | 'join_requested'
  | 'join_approved'
  | 'join_denied'
  | 'join_withdrawn'
  /** Of a space: its channel `child` is open to all members from here on, or not any more. */
  | 'child_opened'
  | 'child_closed'
  | 'ended'
  | (string & {});

/** One event of a conversation's stream. Kinds unknown to this build still count in the seq. */
export interface ChatEvent extends Extras {
  seq: Seq;
  /** Countable messages up to and including this event. */
  ordinal: number;
  /** The snowflake: order across conversations, links. */
  id: string;
  time: number;
  /** '' = the system. */
  sender: UserId;
  kind: EventKind;
  audience: Audience;
  /** The sender's random bits; its own devices recognise the message by them. '' = none. */
  echo: string;
  /** Messages and edits only. */
  contentType: string;
  /** Messages and edits: the body when it is valid UTF-8. */
  text: string;
  /** Those whose body is not UTF-8: the body in base64. */
  data: string;
  replyTo: Seq;
  /** Replies in a thread, and deletions of such: the root; 0 = in none. */
  threadRoot: Seq;
  /** Dense within the thread; replies have no ordinal in the conversation. */
  threadOrdinal: number;
  /** Roots of threads as they stand: replies that are there, and the last one. */
  replies: number;
  lastReply: Seq;
  /** Messages that were forwarded. */
  origin: Origin | null;
  /** Messages: when it will be deleted; 0: never. */
  expires: number;
  /** Messages that were imported: when they were written elsewhere, and the host's own id. */
  written: number;
  importId: string;
  /** Messages that grew before: the stream in whose place this one stands; '' else. */
  stream: string;
  /** Messages with a poll. */
  poll: Poll | null;
  /** Membership events: whom. */
  target: UserId;
  role: Role;
  /** child_opened, child_closed: the channel; '' else. */
  child: ConversationId;
  /** created, and settings_changed when the title did; child_opened: that of the channel. */
  title: string;
  /** settings_changed: what changed. */
  settings: SettingsUpdate;
  /** muted, banned: when it ends, milliseconds since 1970; 0: never. */
  until: number;
  /** muted, banned. */
  reason: string;
  /** edited, deleted, pinned, unpinned: the message. */
  about: Seq;
  /** deleted: the ordinal of that message. */
  aboutOrdinal: number;
  /** reactions: what is on these messages now. A message as it stands: its own one, or none. */
  tallies: Tally[];
  /** Messages as they stand: the event that changed it last; 0 = as written. */
  changed: Seq;
  /** Messages as they stand: when it was edited last; 0 = never. */
  edited: number;
  /** Messages as they stand: a tombstone, without content. */
  deleted: boolean;
  pinned: boolean;
}

export interface HistoryPage {
  conversation: ConversationId;
  epoch: Epoch;
  /** Ascending and consecutive. */
  events: ChatEvent[];
  mark: number;
  /** There are further events in the asked direction. */
  more: boolean;
  /** The first seq this reader could ever get. */
  floor: Seq;
}

/** A thread's root as it stands, and where this user is in it. */
export interface ThreadState {
  conversation: ConversationId;
  root: ChatEvent;
  followed: boolean;
  /** Replies up to here are read. */
  read: Seq;
  unread: number;
}

export interface ThreadPage {
  thread: ThreadState;
  /** As they stand, ascending. */
  replies: ChatEvent[];
  more: boolean;
}

export interface ThreadsPage {
  conversation: ConversationId;
  /** Those followed, the newest root first; may be fewer than asked for. */
  threads: ThreadState[];
  more: boolean;
  /** `before` of the next page. */
  next: Seq;
}
