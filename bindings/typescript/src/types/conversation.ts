// conversation.ts: what the members of a conversation share: settings, members, restrictions, ways
// in, what is kept.
import type { ConversationId, ConversationKind, Role, Seq, UserId } from './ids.js';

/** How somebody comes in who is not added: `open` is by `join`, `by_request` by `requestJoin`. */
export type JoinRule = 'added' | 'open' | 'by_request' | (string & {});

/** What the members of a group or channel share. */
export interface ConversationSettings {
  title: string;
  description: string;
  /** The host's name of a picture. */
  avatar: string;
  /** The host's own bytes, in base64; at most 4 KiB of them. */
  metadata: string;
  /** The least role for it; `none`: as the engine says. */
  whoSends: Role;
  whoAdds: Role;
  whoPins: Role;
  /** These settings. */
  whoChanges: Role;
  join: JoinRule;
  /** Nobody posts, and only admins change anything. */
  archived: boolean;
  /** Seconds between two messages of a member below moderator; 0: none. */
  slowMode: number;
  /** Seconds after which new messages are deleted for everybody; 0: they stay. */
  expiresAfter: number;
}

/** What is not given stays as it is. */
export type SettingsUpdate = Partial<ConversationSettings>;

/** A conversation as one of its members may know it. */
export interface ConversationInfo {
  conversation: ConversationId;
  kind: ConversationKind;
  settings: ConversationSettings;
  /** '' = the system. */
  creator: UserId;
  created: number;
  members: number;
  pins: number;
  /** The own one. */
  role: Role;
  /** Oneself; until `mutedUntil`, 0: without end. */
  muted: boolean;
  mutedUntil: number;
  /** Channels: the space they belong to; '' for none. */
  space: ConversationId;
  /** Spaces: the channels that are open to every member. */
  children: ConversationId[];
}

/** How much of a conversation is kept; what falls below is gone for everybody. */
export interface Retention {
  /** Milliseconds; 0: for ever; else an hour at least. */
  keepFor: number;
  /** The newest ones; 0: all. */
  keepEvents: number;
  /** Nothing goes, whatever the others say: the host's only. */
  hold: boolean;
}

export interface Receipt {
  user: UserId;
  received: Seq;
  read: Seq;
}

export interface Member {
  user: UserId;
  role: Role;
  since: number;
  visibleFrom: Seq;
}

export interface MembersPage {
  members: Member[];
  receipts: Receipt[];
  count: number;
  more: boolean;
}

/** `mute`: may not post; `ban`: removed, and neither joins nor is added. */
export type RestrictionKind = 'mute' | 'ban';

/** Somebody who is muted or banned. */
export interface Restriction {
  user: UserId;
  /** '' = the system. */
  by: UserId;
  since: number;
  /** 0: without end. */
  until: number;
  reason: string;
}

export interface RestrictionsPage {
  /** By ascending id. */
  users: Restriction[];
  more: boolean;
}

/** A link into a group or channel. */
export interface Invite {
  /** Whoever has it may join. */
  token: string;
  /** Of who joins with it. */
  role: Role;
  /** '' : the system. */
  by: UserId;
  created: number;
  /** Milliseconds since 1970; 0: never. */
  expires: number;
  /** How many may join with it; 0: any number. */
  uses: number;
  used: number;
}

/** Somebody who asks to be let in, for those who may answer. */
export interface JoinRequest {
  user: UserId;
  since: number;
  note: string;
}

export interface JoinRequestsPage {
  /** By ascending id. */
  requests: JoinRequest[];
  more: boolean;
}

/** What became of a request of one's own: `waiting` or `denied`. */
export interface OwnRequest {
  conversation: ConversationId;
  state: string;
  time: number;
}
