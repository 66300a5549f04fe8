// message.ts: what a message carries, and what others put on it: reactions, polls, mentions,
// attachments.
import type { ConversationId, Seq, UserId } from './ids.js';

/** Who sees an event: 0 everybody, 1 moderators, 2 the sender and moderators, 3 to 15 the host's groups. */
export type Audience = number;

/** One sort of reaction on a message. */
export interface Reaction {
  /** A short string, an emoji mostly. */
  key: string;
  count: number;
  /** All of them while the message has few reactions (64), else nobody: ask `reactors`. */
  users: UserId[];
}

/** What a poll has come to. */
export interface PollResults {
  /** Of each option. */
  votes: number[];
  voters: number;
  /** No vote is taken any more. */
  closed: boolean;
}

/** What is on a message now: complete, so one of a higher revision replaces it as a whole. */
export interface Tally {
  seq: Seq;
  revision: number;
  reactions: Reaction[];
  /** Of its poll; none: nobody has voted yet. */
  poll?: PollResults;
}

/** Answers to choose from, to the question that the message asks. */
export interface PollDraft {
  /** 2 to 20. */
  options: string[];
  /** More than one may be chosen. */
  multiple?: boolean;
  /** Nobody is told who chose what. */
  anonymous?: boolean;
  /** Milliseconds after it was stored; none: when somebody closes it. */
  closesAfter?: number;
}

/** A poll as it was asked; `Tally.poll` and `Message.results` say what it has come to. */
export interface Poll {
  options: string[];
  multiple: boolean;
  anonymous: boolean;
  /** When it closes by itself; 0: never. */
  closes: number;
}

/** What this user has chosen in a poll. */
export interface Ballot {
  conversation: ConversationId;
  seq: Seq;
  /** Numbers of the options from 0, ascending; none: no vote. */
  options: number[];
}

/**
 * Messages that this user deleted for itself alone: they go from the screen, and from what is kept.
 */
export interface DeletedForMe {
  conversation: ConversationId;
  /** Ascending. */
  seqs: Seq[];
}

/** `here`: who is online, a hint for notifications; `all`: every member. Both need a right. */
export type MentionScope = 'none' | 'here' | 'all';

/** A thing kept elsewhere: the engine carries the handle, not the bytes. */
export interface Attachment {
  /** The host's name for it. */
  handle: string;
  contentType: string;
  name: string;
  /** Bytes. */
  size: number;
}

/** Something that the host's programs say to one another about a message. */
export interface MessageHeader {
  name: string;
  value: string;
}

/**
 * Where a forwarded message was written first. Conversation ('' = not told) and seq (0 = not told) are
 * told only where every reader may know them.
 */
export interface Origin {
  conversation: ConversationId;
  seq: Seq;
  sender: UserId;
  time: number;
}

/** What a message carries beside its content. */
export interface Extras {
  mentions: UserId[];
  mentionScope: MentionScope;
  attachments: Attachment[];
  headers: MessageHeader[];
}

export const no_extras: Extras = {
  mentions: [],
  mentionScope: 'none',
  attachments: [],
  headers: [],
};

/** Which message to forward. */
export interface ForwardOf {
  conversation: ConversationId;
  seq: Seq;
}

/** Who put one reaction on a message. */
export interface ReactorsPage {
  /** By ascending id. */
  users: UserId[];
  more: boolean;
}

/** Who chose one option of a poll. */
export interface VotersPage {
  /** By ascending id. */
  users: UserId[];
  more: boolean;
}
