// list.ts: the user's list of conversations, and where the stream of each goes on.
import type { OwnRequest } from './conversation.js';
import type { ChatEvent } from './event.js';
import type { ConversationId, ConversationKind, Cursor, Level, Role, Seq, UserId } from './ids.js';
import type { Device, UserSettings } from './user.js';

/** One line of the user's conversation list, as the engine states it. */
export interface ListEntry {
  conversation: ConversationId;
  kind: ConversationKind;
  /** '' for direct conversations: show the peer's name. */
  title: string;
  /** The host's name of a picture. */
  avatar: string;
  /** Nobody posts there (ConversationSettings.archived). */
  archivedForAll: boolean;
  /** direct only: the other user. */
  peer: UserId;
  /** Channels: the space they belong to; '' for none. */
  space: ConversationId;
  /** Spaces: those of its channels that this user's list has. */
  children: ConversationId[];
  role: Role;
  visibleFrom: Seq;
  head: Cursor;
  headOrdinal: number;
  received: Seq;
  read: Seq;
  unread: number;
  /** Unread messages that mention this user or everybody; 100 means that many or more. */
  mentions: number;
  lastActivity: number;
  /** What the user set, the same on every device: `ParleyClient.setList`. */
  pinned: boolean;
  archived: boolean;
  markedUnread: boolean;
  /** Milliseconds since 1970; 0: not muted. */
  mutedUntil: number;
  /** What was being written; '' for none. */
  draft: string;
  drafted: number;
  /** '' for none. */
  folder: string;
  /** Not shown while headOrdinal is below it: until the next message. 0: not hidden. */
  hiddenUntil: number;
  lastEvent: ChatEvent | null;
}

/** What is not given stays as it is. */
export interface ListSettings {
  pinned?: boolean;
  archived?: boolean;
  markedUnread?: boolean;
  /** Milliseconds since 1970; 0 ends it. */
  mutedUntil?: number;
  /** At most 4 KiB; '' drops it. */
  draft?: string;
  /** At most 64 bytes, 100 different ones; '' for none. */
  folder?: string;
  /** Until the next message. */
  hidden?: boolean;
}

export interface ListChange {
  /** Replaces what the client has. */
  whole: boolean;
  entries: ListEntry[];
  removed: ConversationId[];
  token: string;
  /** With whole: the first page only. */
  more?: boolean;
  /** When they changed. */
  settings?: UserSettings;
  /** All of them, when they changed. */
  devices?: Device[];
  /** All of them, when they changed. */
  requests?: OwnRequest[];
  /** All whom the user blocks, when that changed. */
  blocked?: UserId[];
}

/** A page of the conversation list, the last active first. */
export interface ListPage {
  entries: ListEntry[];
  more: boolean;
}

export type Resume =
  'caught_up' | 'range' | 'snapshot' | 'trimmed' | 'forked' | 'ahead' | 'not_member' | 'denied';

/** The engine's answer to a cursor; exactly one of these, never a part presented as the whole. */
export interface ResumeAnswer {
  conversation: ConversationId;
  answer: Resume;
  level: Level;
  head: Cursor;
  headOrdinal: number;
  floor: Seq;
  floorMark: number;
  lastVisible: Seq;
}
