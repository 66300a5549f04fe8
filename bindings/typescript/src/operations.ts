// operations.ts: every request and reply of the protocol as a typed value; wire.ts spells them as
// JSON.
import type { ParleyError } from './errors.js';
import type {
  Audience,
  Ack,
  Ballot,
  DeletedForMe,
  ChatEvent,
  ConversationId,
  ConversationInfo,
  ConversationKind,
  Cursor,
  Device,
  Epoch,
  Extras,
  ForwardOf,
  HistoryPage,
  Invite,
  JoinRequestsPage,
  JoinRule,
  Level,
  ListChange,
  ListEntry,
  ListPage,
  ListSettings,
  MembersPage,
  PollDraft,
  Presence,
  PresenceState,
  PresenceStep,
  ReactorsPage,
  Receipt,
  RestrictionKind,
  RestrictionsPage,
  ResumeAnswer,
  Retention,
  Role,
  ScheduledChange,
  Self,
  Seq,
  SettingsUpdate,
  StreamPiece,
  ThreadPage,
  ThreadState,
  ThreadsPage,
  VotersPage,
  UserId,
  UserName,
  UserSettings,
} from './types.js';

export interface SubscribeItem {
  conversation: ConversationId;
  level: Level;
  /** null: from the head. */
  cursor: Cursor | null;
}

export type Operation =
  | {
      type: 'hello';
      token: string;
      ticket: string;
      device: string;
      syncToken: string;
      /** Default: online. */
      state?: PresenceState;
      /** 0, the default: a whole list is told whole. */
      listLimit?: number;
    }
  | {
      type: 'send';
      conversation: ConversationId;
      number: number;
      random: string;
      settled: number;
      contentType: string;
      text: string;
      replyTo: Seq;
      audience?: Audience;
      threadRoot?: Seq;
      extras?: Extras;
      forward?: ForwardOf;
      /** Milliseconds after it was stored; none: never. */
      expiresAfter?: number;
      poll?: PollDraft;
      stream?: string;
    }
  | {
      type: 'create';
      kind: ConversationKind;
      title: string;
      nonce: string;
      members: string[];
      /** '' = none. */
      space: ConversationId;
      /** '' = as its kind begins. */
      join: JoinRule;
    }
  | { type: 'direct'; peer: string }
  | { type: 'join'; conversation: ConversationId }
  | {
      type: 'create_invite';
      conversation: ConversationId;
      role: Role;
      expires: number;
      uses: number;
    }
  | { type: 'list_invites'; conversation: ConversationId }
  | { type: 'revoke_invite'; token: string }
  | { type: 'join_invite'; token: string }
  | { type: 'request_join'; conversation: ConversationId; note: string }
  | { type: 'join_requests'; conversation: ConversationId; after: UserId; limit: number }
  | { type: 'answer_request'; conversation: ConversationId; user: UserId; approve: boolean }
  | { type: 'block'; user: UserId; on: boolean }
  | { type: 'list_blocked' }
  | { type: 'leave'; conversation: ConversationId }
  | { type: 'add'; conversation: ConversationId; members: string[] }
  | { type: 'remove'; conversation: ConversationId; user: UserId }
  | { type: 'set_role'; conversation: ConversationId; user: UserId; role: Role }
  | { type: 'transfer'; conversation: ConversationId; user: UserId }
  | { type: 'set_title'; conversation: ConversationId; title: string }
  | { type: 'set_settings'; conversation: ConversationId; settings: SettingsUpdate }
  | { type: 'info'; conversation: ConversationId }
  | {
      type: 'restrict';
      conversation: ConversationId;
      kind: RestrictionKind;
      user: UserId;
      on: boolean;
      until: number;
      reason: string;
    }
  | {
      type: 'restrictions';
      conversation: ConversationId;
      kind: RestrictionKind;
      after: UserId;
      limit: number;
    }
  | { type: 'subscribe'; items: SubscribeItem[] }
  | { type: 'history'; conversation: ConversationId; from: Seq; backward: boolean; limit: number }
  | { type: 'edit'; conversation: ConversationId; seq: Seq; contentType: string; text: string }
  | { type: 'delete'; conversation: ConversationId; seq: Seq }
  | { type: 'react'; conversation: ConversationId; seq: Seq; key: string; on: boolean }
  | { type: 'pin'; conversation: ConversationId; seq: Seq; on: boolean }
  | { type: 'pins'; conversation: ConversationId }
  | {
      type: 'reactors';
      conversation: ConversationId;
      seq: Seq;
      key: string;
      after: UserId;
      limit: number;
    }
  | {
      type: 'thread';
      conversation: ConversationId;
      root: Seq;
      from: Seq;
      backward: boolean;
      limit: number;
    }
  | { type: 'threads'; conversation: ConversationId; before: Seq; limit: number }
  | { type: 'follow_thread'; conversation: ConversationId; root: Seq; on: boolean }
  | { type: 'read_thread'; conversation: ConversationId; root: Seq; seq: Seq }
  | { type: 'set_list'; conversation: ConversationId; settings: ListSettings }
  | {
      type: 'schedule';
      /** '': a new one. */
      id: string;
      conversation: ConversationId;
      at: number;
      contentType: string;
      text: string;
      replyTo: Seq;
    }
  | { type: 'unschedule'; id: string }
  | { type: 'list_scheduled' }
  | { type: 'page_list'; afterActivity: number; after: ConversationId; limit: number }
  | { type: 'devices' }
  | { type: 'rename_device'; device: string; name: string }
  | { type: 'revoke_device'; device: string }
  | { type: 'set_user'; change: Partial<UserSettings> }
  | { type: 'set_presence'; state: PresenceState }
  | { type: 'seen'; conversation: ConversationId; seq: Seq }
  | { type: 'set_retention'; conversation: ConversationId; keepFor: number; keepEvents: number }
  | { type: 'get_retention'; conversation: ConversationId }
  | { type: 'delete_conversation'; conversation: ConversationId }
  | { type: 'vote'; conversation: ConversationId; seq: Seq; options: number[] }
  | { type: 'close_poll'; conversation: ConversationId; seq: Seq }
  | { type: 'get_ballot'; conversation: ConversationId; seq: Seq }
  | { type: 'delete_for_me'; conversation: ConversationId; seqs: Seq[] }
  | {
      type: 'start_stream';
      conversation: ConversationId;
      contentType: string;
      replyTo: Seq;
      threadRoot: Seq;
    }
  | {
      type: 'append_stream';
      conversation: ConversationId;
      stream: string;
      at: number;
      text: string;
    }
  | { type: 'cancel_stream'; conversation: ConversationId; stream: string }
  | { type: 'get_stream'; conversation: ConversationId; stream: string }
  | {
      type: 'voters';
      conversation: ConversationId;
      seq: Seq;
      option: number;
      after: UserId;
      limit: number;
    }
  | { type: 'mark_read'; conversation: ConversationId; received: Seq; read: Seq }
  | {
      type: 'signal';
      conversation: ConversationId;
      kind: string;
      text: string;
      /** Default: 6,000; 0: it ended. */
      lastsMs?: number;
    }
  | { type: 'watch'; conversation: ConversationId; users: UserId[] }
  | { type: 'watch_conversation'; conversation: ConversationId; on: boolean }
  | {
      type: 'members';
      conversation: ConversationId;
      after: UserId;
      limit: number;
      prefix: string;
    }
  | { type: 'lookup'; users: UserId[] }
  /** `conversations`: told whatever the token says; up to 500. */
  | { type: 'sync'; token: string; conversations: ConversationId[] }
  | { type: 'ping' }
  | { type: 'bye' };

export interface Request {
  /** 1 .. 2^32-1; in flight once at a time. */
  request: number;
  operation: Operation;
}

export interface Welcome {
  type: 'welcome';
  version: number;
  self: Self;
  heartbeatMs: number;
  ticket: string;
  list: ListChange;
}

export interface EventsFrame {
  type: 'events';
  conversation: ConversationId;
  epoch: Epoch;
  first: Seq;
  events: ChatEvent[];
  /** After the last event. */
  mark: number;
}

export type Answer =
  | Welcome
  | { type: 'done' }
  | { type: 'error'; error: ParleyError }
  | { type: 'ack'; ack: Ack }
  | { type: 'opened'; entry: ListEntry }
  | { type: 'list'; change: ListChange }
  | { type: 'subscribed'; answers: ResumeAnswer[] }
  | EventsFrame
  | { type: 'head_moved'; conversation: ConversationId; head: Cursor; headOrdinal: number }
  | { type: 'history_page'; page: HistoryPage }
  | { type: 'receipts'; conversation: ConversationId; receipts: Receipt[] }
  | {
      type: 'signalled';
      conversation: ConversationId;
      sender: UserId;
      kind: string;
      text: string;
      lastsMs: number;
    }
  | { type: 'presence'; users: Presence[] }
  | OnlineFrame
  | { type: 'members_page'; page: MembersPage }
  | { type: 'names'; users: UserName[] }
  | { type: 'messages'; conversation: ConversationId; messages: ChatEvent[] }
  | { type: 'reactors_page'; page: ReactorsPage }
  | { type: 'scheduled'; change: ScheduledChange }
  | { type: 'conversation_info'; info: ConversationInfo }
  | { type: 'invites'; invites: Invite[] }
  | { type: 'join_requests_page'; page: JoinRequestsPage }
  | { type: 'blocked_users'; users: UserId[] }
  | { type: 'restrictions_page'; page: RestrictionsPage }
  | { type: 'thread_page'; page: ThreadPage }
  | { type: 'threads_page'; page: ThreadsPage }
  | { type: 'thread_state'; thread: ThreadState }
  | { type: 'list_page'; page: ListPage }
  | { type: 'device_list'; devices: Device[] }
  | { type: 'seen_by'; conversation: ConversationId; seq: Seq; count: number }
  | { type: 'user_settings'; settings: UserSettings }
  | { type: 'retention'; retention: Retention }
  | { type: 'ballot'; ballot: Ballot }
  | { type: 'deleted_for_me'; deleted: DeletedForMe }
  | { type: 'stream_started'; stream: string }
  | { type: 'streamed'; piece: StreamPiece }
  | { type: 'voters_page'; page: VotersPage }
  | { type: 'goodbye'; reason: string; spreadMs: number; reconnect: boolean }
  /** A type newer than this build: ignored as a push, an error as an answer. */
  | { type: 'unknown'; name: string };

export interface OnlineFrame {
  type: 'online';
  conversation: ConversationId;
  step: PresenceStep;
  count: number;
  /** null: as told before. */
  users: Presence[] | null;
}

export interface Reply {
  /** 0: a push. */
  request: number;
  answer: Answer;
}
