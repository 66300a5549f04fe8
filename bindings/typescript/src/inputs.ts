// inputs.ts: what goes into the client's core and what comes out; the shell turns these into
// sockets, timers and promises.
import type { ConversationView } from './conversation.js';
import type { ParleyError } from './errors.js';
import type { Operation, Reply, Request } from './operations.js';
import type { StorageBatch, StoredState } from './storage.js';
import type {
  Audience,
  Ack,
  Ballot,
  DeletedForMe,
  ChatEvent,
  ConversationId,
  ConversationInfo,
  Extras,
  ForwardOf,
  Device,
  GrowingMessage,
  HistoryPage,
  Invite,
  JoinRequestsPage,
  MembersPage,
  OwnRequest,
  PollDraft,
  Online,
  Presence,
  PresenceState,
  ReactorsPage,
  Receipt,
  RestrictionsPage,
  ResumeAnswer,
  Retention,
  ScheduledChange,
  Seq,
  ThreadPage,
  ThreadState,
  ThreadsPage,
  UserId,
  UserName,
  UserSettings,
  VotersPage,
} from './types.js';

/** Names a caller who waits for a result; chosen by the shell. */
export type Call = number;

export type Input =
  // The shell's own life.
  | { type: 'start'; stored: StoredState; device: string }
  | { type: 'stop' }
  | { type: 'tick' }
  | { type: 'online' }
  | { type: 'offline' }
  // The link.
  | { type: 'opened'; token: string }
  | { type: 'received'; replies: Reply[] }
  | { type: 'closed'; code: number; reason: string }
  // The storage: the answer to every `store` action, in order.
  | { type: 'stored'; id: number }
  | { type: 'store_failed'; id: number; message: string }
  // The host.
  | {
      type: 'send';
      call: Call;
      conversation: ConversationId;
      text: string;
      contentType: string;
      replyTo: Seq;
      audience?: Audience;
      threadRoot?: Seq;
      extras?: Extras;
      forward?: ForwardOf;
      expiresAfter?: number;
      poll?: PollDraft;
      stream?: string;
    }
  | { type: 'retry'; conversation: ConversationId; local: string }
  | { type: 'discard'; conversation: ConversationId; local: string }
  | { type: 'request'; call: Call; operation: Operation }
  | { type: 'open'; conversation: ConversationId }
  | { type: 'close'; conversation: ConversationId }
  | { type: 'read'; conversation: ConversationId; seq: Seq }
  | { type: 'typing'; conversation: ConversationId; kind: string; on: boolean }
  | { type: 'presence'; state: PresenceState }
  | { type: 'watch'; conversation: ConversationId; users: UserId[] }
  | { type: 'watch_conversation'; conversation: ConversationId; on: boolean }
  | { type: 'names'; users: UserId[] };

export type LinkState = 'idle' | 'connecting' | 'ready' | 'waiting' | 'stopped';

/** What the host can listen to. */
export interface ClientEvents {
  /** The link's state; `retryAt` (ms since 1970) while waiting; `error` says why. */
  state: { state: LinkState; retryAt: number; error: ParleyError | null };
  /**
   * Lines of the list that changed or went; `missing`: those of the removed that the engine told
   * nothing of: a whole list came without them.
   */
  list: { changed: ConversationId[]; removed: ConversationId[]; missing: ConversationId[] };
  /** New events of a conversation, consecutive, each exactly once and in order. */
  events: { conversation: ConversationId; events: ChatEvent[] };
  /** The engine's answer to a cursor, whatever it is. */
  resume: ResumeAnswer;
  /** What is shown of this conversation must be loaded anew; `lost` events can never be had. */
  reset: { conversation: ConversationId; answer: ResumeAnswer['answer']; lost: number };
  /** The outbox of a conversation changed. */
  outbox: { conversation: ConversationId };
  /** A message of this device is committed. */
  acked: { conversation: ConversationId; local: string; random: string; ack: Ack };
  receipts: { conversation: ConversationId; receipts: Receipt[] };
  /** This user followed, left or read a thread, on whatever device. */
  thread: ThreadState;
  /** This user voted, on whatever device. */
  ballot: Ballot;
  /**
   * This user deleted messages for itself alone, on whatever device; after a subscription, all of
   * them. `MessageFold.forget` takes them off the screen.
   */
  deletedForMe: DeletedForMe;
  /** A message that somebody else writes grows, or grows no more. */
  stream: GrowingMessage;
  /** It holds for `lastsMs` unless a newer one of its sender and kind comes; 0: it ended. */
  signal: {
    conversation: ConversationId;
    sender: UserId;
    kind: string;
    text: string;
    lastsMs: number;
  };
  /** What the user set for all devices; after a welcome, and when it changed. */
  settings: UserSettings;
  /** All devices of the user, when they changed. */
  devices: Device[];
  /** All that the user asked to be let into, when that changed and with a whole list. */
  requests: OwnRequest[];
  /** All whom the user blocks, when that changed and with a whole list. */
  blocked: UserId[];
  presence: { users: Presence[] };
  /** Of a conversation that is watched as a whole; whoever of them comes or goes: `presence`. */
  online: Online;
  names: { users: UserName[] };
  /** Messages that wait to be sent later changed; ask `scheduled` once for all of them. */
  scheduled: ScheduledChange;
  /** Something failed that no call waits for (the storage, a background request). */
  problem: ParleyError;
}

export type Emitted = {
  [Name in keyof ClientEvents]: { name: Name; value: ClientEvents[Name] };
}[keyof ClientEvents];

/** What a call is answered with, by the kind of its operation. */
export type CallResult =
  | { type: 'ack'; ack: Ack }
  | { type: 'conversation'; view: ConversationView }
  | { type: 'history'; page: HistoryPage }
  | { type: 'members'; page: MembersPage }
  | { type: 'names'; users: UserName[] }
  | { type: 'messages'; messages: ChatEvent[] }
  | { type: 'reactors'; page: ReactorsPage }
  | { type: 'scheduled'; change: ScheduledChange }
  | { type: 'info'; info: ConversationInfo }
  | { type: 'invites'; invites: Invite[] }
  | { type: 'join_requests'; page: JoinRequestsPage }
  | { type: 'blocked'; users: UserId[] }
  | { type: 'restrictions'; page: RestrictionsPage }
  | { type: 'thread'; page: ThreadPage }
  | { type: 'threads'; page: ThreadsPage }
  | { type: 'thread_state'; thread: ThreadState }
  | { type: 'list_page'; views: ConversationView[]; more: boolean }
  | { type: 'devices'; devices: Device[] }
  | { type: 'seen'; count: number }
  | { type: 'user_settings'; settings: UserSettings }
  | { type: 'retention'; retention: Retention }
  | { type: 'ballot'; ballot: Ballot }
  | { type: 'stream_started'; stream: string }
  | { type: 'voters'; page: VotersPage }
  | { type: 'done' };

export type Action =
  | { type: 'connect' }
  | { type: 'disconnect'; reason: string }
  | { type: 'write'; request: Request }
  /** To be committed in the order of these actions; the answer is `stored` or `store_failed`. */
  | { type: 'store'; id: number; batch: StorageBatch }
  | { type: 'resolve'; call: Call; result: CallResult }
  | { type: 'reject'; call: Call; error: ParleyError }
  | { type: 'emit'; event: Emitted };
