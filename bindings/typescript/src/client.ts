// client.ts: the client a program uses: the core with a WebSocket, timers, a storage and promises
// around it.
import type { ConversationView } from './conversation.js';
import { ClientCore } from './core.js';
import { ParleyError } from './errors.js';
import type { Action, Call, CallResult, ClientEvents, Input, LinkState } from './inputs.js';
import { MemoryStorage } from './memory_storage.js';
import { MessageStream } from './message_stream.js';
import type { Operation, Reply } from './operations.js';
import { given } from './sender.js';
import { random_decimal64, random_hex128 } from './random.js';
import type { ClientStorage, StorageBatch } from './storage.js';
import { no_extras } from './types.js';
import type {
  Ack,
  Ballot,
  ChatEvent,
  ConversationId,
  ConversationInfo,
  Device,
  Invite,
  JoinRequestsPage,
  JoinRule,
  ListSettings,
  MembersPage,
  MessageDraft,
  OutboxItem,
  OwnRequest,
  Online,
  Presence,
  PresenceState,
  ReactorsPage,
  VotersPage,
  Receipt,
  RestrictionKind,
  RestrictionsPage,
  Retention,
  Role,
  ScheduledMessage,
  Self,
  SendOptions,
  Seq,
  SettingsUpdate,
  ThreadPage,
  ThreadState,
  ThreadsPage,
  UserId,
  UserSettings,
} from './types.js';
import type { WebSocketConstructor, WebSocketLike } from './websocket.js';
import { decode, encode, subprotocol } from './wire.js';

export interface ClientOptions {
  /** ws:// or wss:// */
  url: string;
  /** The credential for the host's authenticator; a function is asked before every dial. */
  token: string | (() => string | Promise<string>);
  /** Default: memory, forgotten with the object. */
  storage?: ClientStorage;
  /**
   * The first list of a connection that has to get all of it brings so many conversations, the last
   * active first; `listPage` brings more. Default 0: everything; at most 256.
   */
  listLimit?: number;
  /** Default: the environment's; in Node before 22 pass the class of npm ws. */
  WebSocket?: WebSocketConstructor;
}

/** A stretch of a conversation, ascending and consecutive. */
export interface HistoryRange {
  events: ChatEvent[];
  /** There are further events in the asked direction. */
  more: boolean;
}

type Listener<Name extends keyof ClientEvents> = (value: ClientEvents[Name]) => void;
type Waiting = { resolve: (result: CallResult) => void; reject: (error: ParleyError) => void };

const timeout_max_ms = 0x7fff_ffff;

/**
 * One device of one user. Owns its WebSocket and timers; `stop` gives both back. All methods may be
 * called at any time, also without a link: messages wait in the outbox, questions for the next
 * link.
 */
export class ParleyClient {
  private readonly core_: ClientCore;
  private readonly storage_: ClientStorage;
  private readonly WebSocket_: WebSocketConstructor;
  private socket_: WebSocketLike | null = null;
  private timer_: ReturnType<typeof setTimeout> | null = null;
  private readonly listeners_ = new Map<string, Set<(value: never) => void>>();
  private readonly calls_ = new Map<Call, Waiting>();
  private next_call_ = 1;
  private commits_: Promise<void> = Promise.resolve();
  private readonly inputs_: Input[] = [];
  private running_ = false;
  private started_ = false;
  private readonly on_online_ = (): void => this.feed({ type: 'online' });
  private readonly on_offline_ = (): void => this.feed({ type: 'offline' });

  constructor(private readonly options_: ClientOptions) {
    this.core_ = new ClientCore({
      random: Math.random,
      random64: random_decimal64,
      listLimit: options_.listLimit ?? 0,
    });
    this.storage_ = options_.storage ?? new MemoryStorage();
    const found =
      options_.WebSocket ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
    if (!found) {
      throw new ParleyError(
        'unsupported',
        'this environment has no WebSocket; pass one, e.g. npm ws',
      );
    }
    this.WebSocket_ = found;
  }

  // ---- Life ----

  /** Loads what the storage has and dials. Rejects only when the storage cannot be read. */
  async start(): Promise<void> {
    if (this.started_) return;
    this.started_ = true;
    const stored = await this.storage_.load();
    globalThis.addEventListener?.('online', this.on_online_);
    globalThis.addEventListener?.('offline', this.on_offline_);
    this.feed({ type: 'start', stored, device: random_hex128() });
  }

  /**
   * Says bye and forgets the link; what was stored stays. The storage is closed after its last
   * commit.
   */
  async stop(): Promise<void> {
    globalThis.removeEventListener?.('online', this.on_online_);
    globalThis.removeEventListener?.('offline', this.on_offline_);
    this.feed({ type: 'stop' });
    if (this.timer_ !== null) clearTimeout(this.timer_);
    this.timer_ = null;
    await this.commits_;
    this.storage_.close();
  }

  /** While waiting: dials within half a second instead of when the backoff says so. */
  reconnect(): void {
    this.feed({ type: 'online' });
  }

  get state(): LinkState {
    return this.core_.state;
  }

  /** Null before the first welcome. */
  get self(): Self | null {
    return this.core_.self;
  }

  /** Calls `listener` for each event of the name; returns how to stop that. */
  on<Name extends keyof ClientEvents>(name: Name, listener: Listener<Name>): () => void {
    const listeners = this.listeners_.get(name) ?? new Set();
    this.listeners_.set(name, listeners);
    listeners.add(listener as (value: never) => void);
    return () => listeners.delete(listener as (value: never) => void);
  }

  // ---- The list ----

  /** Most recent first; copies. */
  conversations(): ConversationView[] {
    return this.core_.list();
  }

  conversation(id: ConversationId): ConversationView | null {
    return this.core_.view(id);
  }

  /**
   * A group, channel or space; the caller becomes its owner. `members` are subjects (names the host
   * knows). `space`: of a channel, the space it belongs to for ever; it is `join: 'open'` to all of
   * its members, or `'added'`. `nonce`: 32 hex digits, your own random ones: a create of the same
   * nonce finds what the first one made, also after a restart.
   */
  async create(options: {
    kind: 'group' | 'channel' | 'space';
    title: string;
    members?: string[];
    nonce?: string;
    space?: ConversationId;
    join?: JoinRule;
  }): Promise<ConversationView> {
    const { members = [], nonce = random_hex128(), space = '', join = '', ...given } = options;
    return this.conversation_call({ type: 'create', ...given, members, nonce, space, join });
  }

  /** Finds or creates the conversation with `peer` (a subject). */
  async direct(peer: string): Promise<ConversationView> {
    return this.conversation_call({ type: 'direct', peer });
  }

  /** Where `ConversationSettings.join` is open. */
  async join(conversation: ConversationId): Promise<ConversationView> {
    return this.conversation_call({ type: 'join', conversation });
  }

  /** With a link, which is all that one needs. */
  async joinInvite(token: string): Promise<ConversationView> {
    return this.conversation_call({ type: 'join_invite', token });
  }

  /**
   * Makes a link that lets in whoever has it, into `role` ('member' by default), until `expires`
   * (milliseconds since 1970) or until `uses` joined with it.
   */
  async createInvite(
    conversation: ConversationId,
    options: { role?: Role; expires?: number; uses?: number } = {},
  ): Promise<Invite> {
    const { role = 'member', expires = 0, uses = 0 } = options;
    const result = await this.call({ type: 'create_invite', conversation, role, expires, uses });
    const made = result.type === 'invites' ? result.invites[0] : undefined;
    if (made === undefined) throw unexpected(result);
    return made;
  }

  /** The links that hold and that the caller could have made, the oldest first. */
  async invites(conversation: ConversationId): Promise<Invite[]> {
    const result = await this.call({ type: 'list_invites', conversation });
    if (result.type !== 'invites') throw unexpected(result);
    return result.invites;
  }

  /** Nobody joins with it any more. */
  async revokeInvite(token: string): Promise<void> {
    await this.call({ type: 'revoke_invite', token });
  }

  /**
   * Asks to be let in, where `ConversationSettings.join` is 'by_request'. `requests` and the event
   * `requests` tell how it stands, on every device; leave() takes it back.
   */
  async requestJoin(conversation: ConversationId, note = ''): Promise<void> {
    await this.call({ type: 'request_join', conversation, note });
  }

  /** What the user asked to be let into and is not: waiting, or denied. */
  get requests(): OwnRequest[] {
    return this.core_.requests;
  }

  /** Who waits to be let in; for those with the right to invite. */
  async joinRequests(
    conversation: ConversationId,
    options: { after?: UserId; limit?: number } = {},
  ): Promise<JoinRequestsPage> {
    const { after = '', limit = 100 } = options;
    const result = await this.call({ type: 'join_requests', conversation, after, limit });
    if (result.type !== 'join_requests') throw unexpected(result);
    return result.page;
  }

  /** Lets in who asked, as a member, or says no. */
  async answerRequest(
    conversation: ConversationId,
    user: UserId,
    approve: boolean,
  ): Promise<void> {
    await this.call({ type: 'answer_request', conversation, user, approve });
  }

  /**
   * Hears nothing of that user any more, who is not told: what they write in the direct
   * conversation is for themselves alone, they add this user nowhere and see it offline.
   */
  async block(user: UserId): Promise<void> {
    await this.call({ type: 'block', user, on: true });
  }

  /** What was written meanwhile stays hidden. */
  async unblock(user: UserId): Promise<void> {
    await this.call({ type: 'block', user, on: false });
  }

  /** All whom this user blocks. Event `blocked` tells changes, on every device. */
  async blocked(): Promise<UserId[]> {
    const result = await this.call({ type: 'list_blocked' });
    if (result.type !== 'blocked') throw unexpected(result);
    return result.users;
  }

  async leave(conversation: ConversationId): Promise<void> {
    await this.call({ type: 'leave', conversation });
  }

  async add(conversation: ConversationId, members: string[]): Promise<void> {
    await this.call({ type: 'add', conversation, members });
  }

  async remove(conversation: ConversationId, user: UserId): Promise<void> {
    await this.call({ type: 'remove', conversation, user });
  }

  async setRole(conversation: ConversationId, user: UserId, role: Role): Promise<void> {
    await this.call({ type: 'set_role', conversation, user, role });
  }

  /** An owner makes another member one and becomes an admin, in one step. */
  async transfer(conversation: ConversationId, user: UserId): Promise<void> {
    await this.call({ type: 'transfer', conversation, user });
  }

  async setTitle(conversation: ConversationId, title: string): Promise<void> {
    await this.call({ type: 'set_title', conversation, title });
  }

  /** What is given changes, as one event. */
  async setSettings(conversation: ConversationId, settings: SettingsUpdate): Promise<void> {
    await this.call({ type: 'set_settings', conversation, settings });
  }

  async info(conversation: ConversationId): Promise<ConversationInfo> {
    const result = await this.call({ type: 'info', conversation });
    if (result.type !== 'info') throw unexpected(result);
    return result.info;
  }

  /** Mutes or bans somebody of a lower role; again: until another time (0: without end). */
  async restrict(
    conversation: ConversationId,
    user: UserId,
    kind: RestrictionKind,
    options: { until?: number; reason?: string } = {},
  ): Promise<void> {
    const { until = 0, reason = '' } = options;
    await this.call({ type: 'restrict', conversation, kind, user, on: true, until, reason });
  }

  /** Ends that; nothing when there is none. */
  async lift(conversation: ConversationId, user: UserId, kind: RestrictionKind): Promise<void> {
    const off = { on: false, until: 0, reason: '' };
    await this.call({ type: 'restrict', conversation, kind, user, ...off });
  }

  /** Who is muted or banned; for those who may mute or ban. */
  async restrictions(
    conversation: ConversationId,
    kind: RestrictionKind,
    options: { after?: UserId; limit?: number } = {},
  ): Promise<RestrictionsPage> {
    const { after = '', limit = 100 } = options;
    const result = await this.call({ type: 'restrictions', conversation, kind, after, limit });
    if (result.type !== 'restrictions') throw unexpected(result);
    return result.page;
  }

  /**
   * Members by pages: `after` is the last one of the page before. With `prefix` (at most 64 bytes)
   * only those whose subject begins so, whatever its case, in the order of their subjects.
   */
  async members(
    conversation: ConversationId,
    options: { after?: UserId; limit?: number; prefix?: string } = {},
  ): Promise<MembersPage> {
    const { after = '', limit = 100, prefix = '' } = options;
    const result = await this.call({ type: 'members', conversation, after, limit, prefix });
    if (result.type !== 'members') throw unexpected(result);
    return result.page;
  }

  // ---- Messages ----

  /**
   * Resolves once the message is committed, however many reconnects that takes; rejects when it
   * never will be. The message is stored on this device before it goes out and is sent at most once.
   */
  async send(
    conversation: ConversationId,
    text: string,
    options: SendOptions = {},
  ): Promise<Ack> {
    const { contentType = 'text/plain', replyTo = 0, ...others } = options;
    const { audience, expiresAfter, threadRoot, forward, poll, stream, ...some } = others;
    const extras = Object.keys(some).length === 0 ? undefined : { ...no_extras, ...some };
    const result = await this.wait((call) => ({
      type: 'send',
      call,
      conversation,
      text,
      contentType,
      replyTo,
      ...given({
        audience: audience || undefined,
        threadRoot,
        extras,
        forward,
        expiresAfter: expiresAfter || undefined,
        poll,
        stream,
      }),
    }));
    if (result.type !== 'ack') throw unexpected(result);
    return result.ack;
  }

  /**
   * A message that others see grow while it is written: append to it, then finish, which sends it
   * with these options, or cancel. It ends by itself when this client is gone for a minute.
   */
  async stream(conversation: ConversationId, options: SendOptions = {}): Promise<MessageStream> {
    const { contentType = 'text/plain', replyTo = 0, threadRoot = 0 } = options;
    const started = await this.call({
      type: 'start_stream',
      conversation,
      contentType,
      replyTo,
      threadRoot,
    });
    if (started.type !== 'stream_started') throw unexpected(started);
    const { stream } = started;
    return new MessageStream(
      stream,
      {
        append: async (at, text) => {
          await this.call({ type: 'append_stream', conversation, stream, at, text });
        },
        cancel: async () => {
          await this.call({ type: 'cancel_stream', conversation, stream });
        },
        send: (text, sent) => this.send(conversation, text, sent),
      },
      options,
    );
  }

  /**
   * What is not acknowledged yet, in order; failed items stay until they are retried or discarded.
   */
  outbox(conversation: ConversationId): OutboxItem[] {
    return this.core_.outbox(conversation);
  }

  /** Whether an item of the outbox survives a reload already. */
  isStored(item: OutboxItem): boolean {
    return this.core_.is_stored(item);
  }

  /** Sends a failed item again, as a new message. */
  retry(conversation: ConversationId, local: string): void {
    this.feed({ type: 'retry', conversation, local });
  }

  discard(conversation: ConversationId, local: string): void {
    this.feed({ type: 'discard', conversation, local });
  }

  /** The conversation is on screen: its events are pushed in full. Each open wants one close. */
  open(conversation: ConversationId): void {
    this.feed({ type: 'open', conversation });
  }

  close(conversation: ConversationId): void {
    this.feed({ type: 'close', conversation });
  }

  /**
   * The last `limit` (1..256) events before seq `before` (0 = the end), or with `after` the first ones
   * after that seq; from this device where it has them, else from the engine.
   */
  async history(
    conversation: ConversationId,
    options: { before?: Seq; after?: Seq; limit?: number } = {},
  ): Promise<HistoryRange> {
    const { before = 0, after, limit = 50 } = options;
    const local =
      after === undefined
        ? await this.stored_before(conversation, before, limit)
        : await this.stored_after(conversation, after, limit);
    if (local) return local;
    const from = after === undefined ? before : after + 1;
    const backward = after === undefined;
    const result = await this.call({ type: 'history', conversation, from, backward, limit });
    if (result.type !== 'history') throw unexpected(result);
    return { events: result.page.events, more: result.page.more };
  }

  private async stored_before(
    id: ConversationId,
    before: Seq,
    limit: number,
  ): Promise<HistoryRange | null> {
    const run = this.core_.stored_run(id);
    if (!run) return null;
    const end = before === 0 ? run.until : before;
    if (end > run.until) return null;
    const reaches_floor = run.from <= run.visibleFrom;
    if (end - limit < run.from && !(reaches_floor && end > run.from)) return null;
    await this.commits_;
    const events = await this.storage_.events(id, run.from, end, limit);
    const first = events[0]?.seq ?? end;
    const whole = events.length === Math.min(limit, end - run.from);
    return whole ? { events, more: first > run.visibleFrom } : null;
  }

  private async stored_after(
    id: ConversationId,
    after: Seq,
    limit: number,
  ): Promise<HistoryRange | null> {
    const run = this.core_.stored_run(id);
    const from = after + 1;
    if (!run || from < run.from || from + limit > run.until) return null;
    await this.commits_;
    const events = await this.storage_.events(id, from, from + limit, limit);
    return events.length === limit ? { events, more: from + limit < run.until } : null;
  }

  // ---- Threads, by the seq of their root; their replies are events of the conversation ----

  /** The last `limit` (1..100) replies before seq `from` (0 = the end), or forward from it on. */
  async thread(
    conversation: ConversationId,
    root: Seq,
    options: { from?: Seq; backward?: boolean; limit?: number } = {},
  ): Promise<ThreadPage> {
    const { from = 0, backward = true, limit = 50 } = options;
    const result = await this.call({ type: 'thread', conversation, root, from, backward, limit });
    if (result.type !== 'thread') throw unexpected(result);
    return result.page;
  }

  /** The threads that this user follows, the newest root first; `next` is `before` of the next. */
  async threads(
    conversation: ConversationId,
    options: { before?: Seq; limit?: number } = {},
  ): Promise<ThreadsPage> {
    const { before = 0, limit = 20 } = options;
    const result = await this.call({ type: 'threads', conversation, before, limit });
    if (result.type !== 'threads') throw unexpected(result);
    return result.page;
  }

  /** Replying and being mentioned follows by itself; false ends it until the next own reply. */
  followThread(conversation: ConversationId, root: Seq, on = true): Promise<ThreadState> {
    return this.thread_state({ type: 'follow_thread', conversation, root, on });
  }

  readThread(conversation: ConversationId, root: Seq, seq: Seq): Promise<ThreadState> {
    return this.thread_state({ type: 'read_thread', conversation, root, seq });
  }

  private async thread_state(operation: Operation): Promise<ThreadState> {
    const result = await this.call(operation);
    if (result.type !== 'thread_state') throw unexpected(result);
    return result.thread;
  }

  // ---- Changes of messages ----
  // By their seq. They reach everybody, this client too, as events; `MessageFold` makes messages of
  // them. They wait for a link, not for a restart; what is so already is answered and changes nothing.

  /** One's own message gets another content. */
  async edit(conversation: ConversationId, seq: Seq, draft: string | MessageDraft): Promise<void> {
    const { text, contentType = 'text/plain' }: MessageDraft =
      typeof draft === 'string' ? { text: draft } : draft;
    await this.call({ type: 'edit', conversation, seq, contentType, text });
  }

  /** For everybody; a tombstone stays. One's own, or anybody's for admins and owners. */
  async deleteMessage(conversation: ConversationId, seq: Seq): Promise<void> {
    await this.call({ type: 'delete', conversation, seq });
  }

  /**
   * For this user alone, on all its devices and for ever; nobody else learns of it. 1 to 100 messages
   * that the user sees: all of them, or with an error none. `on('deletedForMe')` tells every device.
   */
  async deleteForMe(conversation: ConversationId, seqs: readonly Seq[]): Promise<void> {
    await this.call({ type: 'delete_for_me', conversation, seqs: [...seqs] });
  }

  /** Puts a reaction on, or takes it off: any short string (32 bytes), an emoji mostly. */
  async react(conversation: ConversationId, seq: Seq, key: string, on = true): Promise<void> {
    await this.call({ type: 'react', conversation, seq, key, on });
  }

  /** Who put `key` on the message, by ascending id; `after`: the last one of the page before. */
  async reactors(
    conversation: ConversationId,
    seq: Seq,
    key: string,
    options: { after?: UserId; limit?: number } = {},
  ): Promise<ReactorsPage> {
    const { after = '', limit = 100 } = options;
    const result = await this.call({ type: 'reactors', conversation, seq, key, after, limit });
    if (result.type !== 'reactors') throw unexpected(result);
    return result.page;
  }

  /** Chooses, by the numbers of the options from 0, in place of what was chosen; none: no vote. */
  async vote(conversation: ConversationId, seq: Seq, options: number[]): Promise<void> {
    const result = await this.call({ type: 'vote', conversation, seq, options });
    if (result.type !== 'ballot') throw unexpected(result);
  }

  /** No vote is taken any more. For who asked, and who may delete what others write. */
  async closePoll(conversation: ConversationId, seq: Seq): Promise<void> {
    await this.call({ type: 'close_poll', conversation, seq });
  }

  /** What this user has chosen; `on('ballot')` tells of votes on other devices. */
  async ballot(conversation: ConversationId, seq: Seq): Promise<Ballot> {
    const result = await this.call({ type: 'get_ballot', conversation, seq });
    if (result.type !== 'ballot') throw unexpected(result);
    return result.ballot;
  }

  /** Who chose that option, by ascending id; not of an anonymous poll. */
  async voters(
    conversation: ConversationId,
    seq: Seq,
    option: number,
    options: { after?: UserId; limit?: number } = {},
  ): Promise<VotersPage> {
    const { after = '', limit = 100 } = options;
    const result = await this.call({ type: 'voters', conversation, seq, option, after, limit });
    if (result.type !== 'voters') throw unexpected(result);
    return result.page;
  }

  /** For everybody; in a channel for admins and owners. */
  async pin(conversation: ConversationId, seq: Seq, on = true): Promise<void> {
    await this.call({ type: 'pin', conversation, seq, on });
  }

  /** The pinned messages as they stand, by ascending seq. */
  async pins(conversation: ConversationId): Promise<ChatEvent[]> {
    const result = await this.call({ type: 'pins', conversation });
    if (result.type !== 'messages') throw unexpected(result);
    return result.messages;
  }

  /**
   * A page of the list from the engine, the last active first; `after`: the last one of the page
   * before. Its conversations are known and followed from then on.
   */
  async listPage(
    options: { after?: ConversationView; limit?: number } = {},
  ): Promise<{ conversations: ConversationView[]; more: boolean }> {
    const { after, limit = 100 } = options;
    const result = await this.call({
      type: 'page_list',
      afterActivity: after?.lastActivity ?? 0,
      after: after?.conversation ?? '',
      limit,
    });
    if (result.type !== 'list_page') throw unexpected(result);
    return { conversations: result.views, more: result.more };
  }

  /**
   * Pin, archive, hide, mute, mark unread, put into a folder, keep a draft: in this user's list, on
   * every device.
   */
  async setList(conversation: ConversationId, settings: ListSettings): Promise<void> {
    await this.call({ type: 'set_list', conversation, settings });
  }

  // ---- Messages to be sent later ----

  /**
   * The engine sends it at that time (milliseconds since 1970, at most 366 days ahead), if the user
   * may do so then. `replaces`: the id of a scheduled message, in whose place.
   */
  async schedule(
    conversation: ConversationId,
    draft: string | MessageDraft,
    at: number,
    options: { replyTo?: Seq; replaces?: string } = {},
  ): Promise<ScheduledMessage> {
    const { text, contentType = 'text/plain' }: MessageDraft =
      typeof draft === 'string' ? { text: draft } : draft;
    const { replyTo = 0, replaces: id = '' } = options;
    const result = await this.call({
      type: 'schedule',
      id,
      conversation,
      at,
      contentType,
      text,
      replyTo,
    });
    const [message] = result.type === 'scheduled' ? result.change.messages : [];
    if (message === undefined) throw unexpected(result);
    return message;
  }

  /** Drops one that was not sent yet. */
  async unschedule(id: string): Promise<void> {
    await this.call({ type: 'unschedule', id });
  }

  /** All of this user's, by id. The event `scheduled` tells what changes. */
  async scheduled(): Promise<ScheduledMessage[]> {
    const result = await this.call({ type: 'list_scheduled' });
    if (result.type !== 'scheduled') throw unexpected(result);
    return result.change.messages;
  }

  // ---- What is kept ----

  /** How much is kept from now on: for owners of groups and channels. */
  async setRetention(
    conversation: ConversationId,
    { keepFor = 0, keepEvents = 0 }: Partial<Retention>,
  ): Promise<void> {
    await this.call({ type: 'set_retention', conversation, keepFor, keepEvents });
  }

  async retention(conversation: ConversationId): Promise<Retention> {
    const result = await this.call({ type: 'get_retention', conversation });
    if (result.type !== 'retention') throw unexpected(result);
    return result.retention;
  }

  /** Deletes it for good, for everybody: for owners of groups and channels. */
  async deleteConversation(conversation: ConversationId): Promise<void> {
    await this.call({ type: 'delete_conversation', conversation });
  }

  // ---- Receipts, signals, presence, names ----

  /** Says that this user has read up to `seq`. Batched; kept while offline. */
  markRead(conversation: ConversationId, seq: Seq): void {
    this.feed({ type: 'read', conversation, seq });
  }

  /** How far the others have come, as far as known: ask `members` once, pushes keep it fresh. */
  receipts(conversation: ConversationId): Receipt[] {
    return this.core_.receipts(conversation);
  }

  /** How many others have read up to `seq`, as far as they let it be known. */
  async seen(conversation: ConversationId, seq: Seq): Promise<number> {
    const result = await this.call({ type: 'seen', conversation, seq });
    if (result.type !== 'seen') throw unexpected(result);
    return result.count;
  }

  /**
   * Call it at every keystroke; at most one signal goes out in three seconds. `on` false when the
   * text was given up: others get a signal `typing` that lasts 0. Sending needs neither.
   */
  typing(conversation: ConversationId, on = true): void {
    this.feed({ type: 'typing', conversation, kind: 'typing', on });
  }

  /** The same for a voice that is recorded: call it every few seconds. */
  recording(conversation: ConversationId, on = true): void {
    this.feed({ type: 'typing', conversation, kind: 'recording', on });
  }

  /**
   * An ephemeral thing of the host's own, to whoever looks at the conversation now. It holds for
   * `lastsMs` (default 6 s, at most 60 s) unless a newer one of its kind comes; 0: it ended.
   */
  async signal(
    conversation: ConversationId,
    kind: string,
    text: string,
    lastsMs = 6_000,
  ): Promise<void> {
    await this.call({ type: 'signal', conversation, kind, text, lastsMs });
  }

  // ---- The user: the same on every device ----

  /** What the user set; null before the first welcome. Event `settings` tells changes. */
  get settings(): UserSettings | null {
    return this.core_.settings;
  }

  /** Resolves with what is set then. `statusUntil` goes with a status. */
  async setUser(change: Partial<UserSettings>): Promise<UserSettings> {
    const result = await this.call({ type: 'set_user', change });
    if (result.type !== 'user_settings') throw unexpected(result);
    return result.settings;
  }

  /** How the user of this session is, now and after every reconnect. */
  setPresence(state: Exclude<PresenceState, 'offline'>): void {
    this.feed({ type: 'presence', state });
  }

  /** Those with a name, and the live sessions of ephemeral ones. Event `devices` tells changes. */
  async devices(): Promise<Device[]> {
    const result = await this.call({ type: 'devices' });
    if (result.type !== 'devices') throw unexpected(result);
    return result.devices;
  }

  /** At most 128 bytes; '' gives it the name back that it said hello with. */
  async renameDevice(device: string, name: string): Promise<void> {
    await this.call({ type: 'rename_device', device, name });
  }

  /**
   * Closes its sessions and refuses it for ever: its client stops with the error `device_revoked`.
   * With another storage the same browser is another device. Tokens are the host's to end.
   */
  async revokeDevice(device: string): Promise<void> {
    await this.call({ type: 'revoke_device', device });
  }

  /** Presence of members of a conversation the user is in; an empty list ends it. */
  watch(conversation: ConversationId, users: UserId[]): void {
    this.feed({ type: 'watch', conversation, users });
  }

  /**
   * Watches a conversation as a whole, at most 10 at once: what is told of who is online there goes
   * by its size (`Online.step`). On every connection, until it is ended with `on: false`. Events
   * `online` and `presence` tell changes.
   */
  watchConversation(conversation: ConversationId, on = true): void {
    this.feed({ type: 'watch_conversation', conversation, on });
  }

  /** Step `none`: it is not watched, or the engine has not answered yet. */
  online(conversation: ConversationId): Online {
    const state = this.core_.conversation(conversation);
    if (state) return this.core_.people.online(state);
    return { conversation, step: 'none', count: 0, users: [] };
  }

  presence(user: UserId): Presence | null {
    return this.core_.people.presence.get(user) ?? null;
  }

  /** The host's name of a user; null while it is asked for (event `names` follows). */
  name(user: UserId): string | null {
    const known = this.core_.people.names.get(user);
    if (known !== undefined) return known;
    this.feed({ type: 'names', users: [user] });
    return null;
  }

  // ---- Machinery ----

  private async conversation_call(operation: Operation): Promise<ConversationView> {
    const result = await this.call(operation);
    if (result.type !== 'conversation') throw unexpected(result);
    return result.view;
  }

  private call(operation: Operation): Promise<CallResult> {
    return this.wait((call) => ({ type: 'request', call, operation }));
  }

  private wait(input: (call: Call) => Input): Promise<CallResult> {
    const call = this.next_call_;
    this.next_call_ += 1;
    return new Promise((resolve, reject) => {
      this.calls_.set(call, { resolve, reject });
      this.feed(input(call));
    });
  }

  /** One input at a time, in order, also when a listener causes the next. */
  private feed(input: Input): void {
    this.inputs_.push(input);
    if (this.running_) return;
    this.running_ = true;
    try {
      for (let next = this.inputs_.shift(); next; next = this.inputs_.shift()) {
        for (const action of this.core_.handle(Date.now(), next)) this.run(action);
      }
    } finally {
      this.running_ = false;
    }
    this.arm();
  }

  private run(action: Action): void {
    switch (action.type) {
      case 'connect':
        void this.connect();
        return;
      case 'disconnect':
        this.disconnect(action.reason);
        return;
      case 'write':
        this.socket_?.send(encode(action.request));
        return;
      case 'store':
        this.store(action.id, action.batch);
        return;
      case 'resolve':
        this.calls_.get(action.call)?.resolve(action.result);
        this.calls_.delete(action.call);
        return;
      case 'reject':
        this.calls_.get(action.call)?.reject(action.error);
        this.calls_.delete(action.call);
        return;
      case 'emit':
        this.emit(action.event.name, action.event.value);
        return;
    }
  }

  private emit(name: string, value: unknown): void {
    for (const listener of [...(this.listeners_.get(name) ?? [])]) {
      try {
        listener(value as never);
      } catch (error) {
        report(error);
      }
    }
  }

  private store(id: number, batch: StorageBatch): void {
    this.commits_ = this.commits_
      .then(() => this.storage_.commit(batch))
      .then(
        () => this.feed({ type: 'stored', id }),
        (error: unknown) => {
          const message = error instanceof Error ? error.message : String(error);
          this.feed({ type: 'store_failed', id, message });
        },
      );
  }

  private async connect(): Promise<void> {
    let token: string;
    let socket: WebSocketLike;
    try {
      const { token: source } = this.options_;
      token = typeof source === 'function' ? await source() : source;
      if (this.core_.state !== 'connecting') return;
      socket = new this.WebSocket_(this.options_.url, [subprotocol]);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.feed({ type: 'closed', code: 1006, reason });
      return;
    }
    this.socket_ = socket;
    socket.onopen = () => this.feed({ type: 'opened', token });
    socket.onmessage = (event: { data: unknown }) => this.receive(event.data);
    socket.onerror = () => undefined; // a close event follows and says the same
    socket.onclose = (event: { code?: number; reason?: unknown }) => {
      this.release();
      this.feed({ type: 'closed', code: event.code ?? 1006, reason: String(event.reason ?? '') });
    };
  }

  private receive(data: unknown): void {
    let replies: Reply[];
    try {
      if (typeof data !== 'string')
        throw new ParleyError('protocol_error', 'the server sent a binary message');
      replies = decode(data);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.emit('problem', new ParleyError('protocol_error', reason));
      this.disconnect('protocol_error');
      this.feed({ type: 'closed', code: 1006, reason });
      return;
    }
    this.feed({ type: 'received', replies });
  }

  private disconnect(reason: string): void {
    const socket = this.socket_;
    if (!socket) return;
    this.release();
    socket.close(1000, reason.slice(0, 60));
  }

  private release(): void {
    if (!this.socket_) return;
    this.socket_.onopen = null;
    this.socket_.onmessage = null;
    this.socket_.onclose = null;
    this.socket_.onerror = () => undefined; // npm ws throws on an error that nobody listens to
    this.socket_ = null;
  }

  private arm(): void {
    if (this.timer_ !== null) clearTimeout(this.timer_);
    this.timer_ = null;
    const at = this.core_.next_deadline();
    if (at === null) return;
    const delay = Math.min(Math.max(0, at - Date.now()), timeout_max_ms);
    this.timer_ = setTimeout(() => this.feed({ type: 'tick' }), delay);
  }
}

/** A listener's bug is its own: it surfaces as an uncaught error, and the client goes on. */
function report(error: unknown): void {
  const { reportError } = globalThis as { reportError?: (error: unknown) => void };
  if (reportError) reportError(error);
  else
    queueMicrotask(() => {
      throw error;
    });
}

function unexpected(result: CallResult): ParleyError {
  return new ParleyError('protocol_error', `the server answered with ${result.type}`);
}
