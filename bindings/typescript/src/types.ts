// types.ts: the nouns of the engine as the client sees them; ids are strings, seqs numbers, times
// milliseconds since 1970.

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

/** The engine's answer to a send: the message is committed at the declared durability. */
export interface Ack {
  conversation: ConversationId;
  seq: Seq;
  time: number;
  number: number;
  /** The key was known: this is the first answer again. */
  repeated: boolean;
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

/** What a message is to say. */
export interface MessageDraft {
  text: string;
  /** Default: text/plain. */
  contentType?: string;
}

/** A message that the engine will send in this user's name: the same on every device. */
export interface ScheduledMessage {
  id: string;
  conversation: ConversationId;
  /** Milliseconds since 1970. */
  at: number;
  contentType: string;
  text: string;
  /** A body that is not UTF-8, in base64. */
  data: string;
  replyTo: Seq;
  /** The code of its refusal when it was due: it stays until replaced or dropped; 0: it waits. */
  failed: number;
  /** The refusal in words. */
  why: string;
}

export interface ScheduledChange {
  /** Replaces what the client has. */
  whole: boolean;
  messages: ScheduledMessage[];
  /** Sent, or dropped. */
  removed: string[];
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

/** What is not given: plain text that carries nothing else. */
export interface SendOptions extends Partial<Extras> {
  contentType?: string;
  replyTo?: Seq;
  audience?: Audience;
  /** The message in whose thread it goes. */
  threadRoot?: Seq;
  /** Then the text must be '' and there are no attachments: those of that message are taken. */
  forward?: ForwardOf;
  /** Milliseconds, a second at least: then it is deleted for everybody. */
  expiresAfter?: number;
  /** With the text as its question. */
  poll?: PollDraft;
  /** It takes the place of this growing text: `MessageStream.finish` says so. */
  stream?: string;
}

/** A message that grows while its sender writes it: nothing of it is stored yet. */
export interface GrowingMessage {
  conversation: ConversationId;
  stream: string;
  sender: UserId;
  contentType: string;
  replyTo: Seq;
  threadRoot: Seq;
  /** All of it so far. */
  text: string;
  /** It is stored as a message (`ChatEvent.stream`), or was taken back: show it no more. */
  ended: boolean;
}

/** What the engine tells of one: `text` goes behind the first `at` bytes. */
export interface StreamPiece extends GrowingMessage {
  at: number;
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

/** Who this session is, as the engine said it in its welcome. */
export interface Self {
  user: UserId;
  subject: string;
  device: string;
  session: string;
  /** Bytes of one message's body at most. */
  maxBody: number;
}

/** One message on its way: kept until the engine has acknowledged it. */
export interface OutboxItem {
  conversation: ConversationId;
  /** Names the item within this storage; the idempotency key changes when a send is renumbered. */
  local: string;
  /** Outbox number in (conversation, device). */
  number: number;
  /**
   * 64 random bits that belong to the number, decimal; the committed event carries them as echo.
   */
  random: string;
  contentType: string;
  text: string;
  replyTo: Seq;
  audience?: Audience;
  /** Absent in rows of earlier builds: nothing. */
  threadRoot?: Seq;
  extras?: Extras;
  forward?: ForwardOf;
  /** Milliseconds; it is deleted so long after it was stored. */
  expiresAfter?: number;
  poll?: PollDraft;
  stream?: string;
  createdAt: number;
  state: 'pending' | 'failed';
  /**
   * The number had been used in a life this device forgot: the message may have been posted then.
   */
  renumbered: boolean;
  /** state failed: why. */
  error?: { code: string; message: string };
}
