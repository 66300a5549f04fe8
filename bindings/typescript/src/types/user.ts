// user.ts: the user of this session with its devices, and the presence and names of others.
import type { ConversationId, UserId } from './ids.js';

/** What a user has set for all devices. */
export interface UserSettings {
  /** Others are not told what is read from here on, and this user is not told what others read. */
  hideReads: boolean;
  hideLastSeen: boolean;
  /** Shown with the presence; '' for none. */
  status: string;
  /** Milliseconds since 1970; 0: stays. */
  statusUntil: number;
}

/** One installation of the user, or a session of an ephemeral one. */
export interface Device {
  id: string;
  /** As it said hello, until it is given another; '' for ephemeral ones. */
  name: string;
  /** 0: not known. */
  created: number;
  lastSeen: number;
  online: boolean;
  /** This one. */
  current: boolean;
}

/** Who this session is, as the engine said it in its welcome. */
export interface Self {
  user: UserId;
  subject: string;
  device: string;
  session: string;
  /** Bytes of one message's body at most. */
  maxBody: number;
}

/** Of a user: invisible if one session is, else busy, else online, else away, else offline. */
export type PresenceState = 'offline' | 'online' | 'away' | 'busy' | 'invisible';

export interface Presence {
  user: UserId;
  /** online, away or busy */
  online: boolean;
  /** 0: never seen, online now, or not to be known. */
  lastSeen: number;
  /** invisible: to the user's own devices only. */
  state: PresenceState;
  status: string;
  /** From then on there is no status; 0: it stays. */
  statusUntil: number;
}

/**
 * How much is told of who is online in a conversation, by its size. full: the presence of everybody;
 * window: how many are online; count: how many, and a few of them. none: it is not watched.
 */
export type PresenceStep = 'none' | 'full' | 'window' | 'count';

/** Who is online in a conversation that is watched as a whole. */
export interface Online {
  conversation: ConversationId;
  step: PresenceStep;
  /** full: of `users`; else those who follow the conversation and let others see it. */
  count: number;
  /** Who is online of everybody (full), or a few who are (count). */
  users: UserId[];
}

export interface UserName {
  user: UserId;
  subject: string;
}
