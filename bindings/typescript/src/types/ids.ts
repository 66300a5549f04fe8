// ids.ts: what things are named and placed by: ids, seqs, cursors, kinds and roles.

/** 32 lower-case hex digits. */
export type ConversationId = string;
/** 32 lower-case hex digits; the identity of one stream. */
export type Epoch = string;
/** A 64-bit id as a decimal string. */
export type UserId = string;
/** The dense number of an event in its stream: 1, 2, 3 ... below 2^53; 0 = before the first. */
export type Seq = number;

export type ConversationKind = 'direct' | 'group' | 'channel' | 'space';
export type Role = 'none' | 'read_only' | 'member' | 'moderator' | 'admin' | 'owner';
export type Level = 'none' | 'heads' | 'full';

/** A place in a stream. The three are always sent and stored together. */
export interface Cursor {
  epoch: Epoch;
  seq: Seq;
  mark: number;
}
