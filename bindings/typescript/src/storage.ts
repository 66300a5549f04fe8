// storage.ts: what the client keeps on the device, and the one atomic operation it needs for that.
import type {
  ChatEvent,
  ConversationId,
  Cursor,
  ListEntry,
  OutboxItem,
  Seq,
  UserName,
} from './types.js';

/** One row: who this storage belongs to and how far its list has come. */
export interface StoredMeta {
  /** Stable name of this installation, made once. */
  device: string;
  /** '' until the first welcome. */
  subject: string;
  /** Durable position of the conversation list; '' = everything. */
  syncToken: string;
}

/** One row per conversation. */
export interface StoredConversation {
  conversation: ConversationId;
  entry: ListEntry;
  /** Where the stored events end; null: none are kept. */
  cursor: Cursor | null;
  /** The stored events are exactly from .. cursor.seq. */
  from: Seq;
  /** Next outbox number; never goes back. */
  nextNumber: number;
  /** Positions this user has reached here, also while offline. */
  received: Seq;
  read: Seq;
}

export interface StoredState {
  meta: StoredMeta | null;
  conversations: StoredConversation[];
  outbox: OutboxItem[];
  names: UserName[];
}

/** Everything in a batch becomes durable together or not at all. */
export interface StorageBatch {
  meta?: StoredMeta;
  conversations?: StoredConversation[];
  /** With their events and outbox. */
  removedConversations?: ConversationId[];
  outbox?: OutboxItem[];
  removedOutbox?: { conversation: ConversationId; local: string }[];
  /** Applied before `events`. */
  dropEvents?: { conversation: ConversationId; below?: Seq }[];
  events?: { conversation: ConversationId; events: ChatEvent[] }[];
  /**
   * Deleted for everybody by the event `changed`: what is stored of them, from `seq` to `changed`, is
   * to be replaced by what `redact` makes of it. Applied after `events`.
   */
  deletedMessages?: { conversation: ConversationId; seq: Seq; changed: Seq }[];
  /**
   * Deleted by this user for itself alone: what is stored of them and about them is to be replaced by
   * what `forget` makes of it. Applied after `events`.
   */
  deletedForMe?: { conversation: ConversationId; seqs: Seq[] }[];
  names?: UserName[];
}

/**
 * Where a client lives. One storage belongs to one user and one device, and to one client at a
 * time.
 */
export interface ClientStorage {
  load(): Promise<StoredState>;
  /** Atomic; batches are applied in the order of the calls. */
  commit(batch: StorageBatch): Promise<void>;
  /** The stored events with from <= seq < before, ascending, at most the last `limit` of them. */
  events(conversation: ConversationId, from: Seq, before: Seq, limit: number): Promise<ChatEvent[]>;
  /** Forgets everything. */
  clear(): Promise<void>;
  close(): void;
}
