// core.ts: the client as a pure state machine: inputs and the time go in, actions come out; no
// socket, clock or promise.
import { ConversationState, type ConversationView } from './conversation.js';
import { ParleyError } from './errors.js';
import type { Action, Call, CallResult, Emitted, Input, LinkState } from './inputs.js';
import { Link, type LinkOwner } from './link.js';
import { forget } from './messages.js';
import type { Answer, EventsFrame, Operation, Welcome } from './operations.js';
import type { CoreOwner } from './owner.js';
import { Growing } from './growing.js';
import { People } from './people.js';
import { Receipts } from './receipts.js';
import { Sender } from './sender.js';
import { Subscriptions } from './subscriptions.js';
import type { StorageBatch, StoredConversation, StoredMeta } from './storage.js';
import { Timers } from './timers.js';
import type {
  ConversationId,
  Device,
  DeletedForMe,
  HistoryPage,
  ListChange,
  ListEntry,
  OutboxItem,
  OwnRequest,
  PresenceState,
  Receipt,
  Self,
  Seq,
  UserName,
  UserSettings,
} from './types.js';

/** Events of one conversation that are kept on the device from one start to the next. */
export const stored_events = 2_000;
/** Looked through for one that a list would show. */
const preview_events = 16;
const sync_delay_ms = 500;
/** The engine's limit. */
const sync_conversations = 500;

export interface CoreOptions {
  /** In [0, 1). */
  random: () => number;
  /** 64 random bits, decimal, never '0'. */
  random64: () => string;
  /** Conversations in the first list of a connection that has to get all of it; 0: everything. */
  listLimit?: number;
}

type StoredWaiter = { done: () => void; failed: (message: string) => void };

export class ClientCore implements LinkOwner, CoreOwner {
  readonly timers = new Timers();
  self: Self | null = null;
  readonly people = new People(this);
  private readonly growing_ = new Growing(this);
  private readonly receipts_ = new Receipts(this);
  private readonly subscriptions_ = new Subscriptions(this);
  private meta_: StoredMeta = { device: '', subject: '', syncToken: '' };
  private ticket_ = '';
  private presence_: PresenceState = 'online';
  /** Null before the first welcome. */
  settings: UserSettings | null = null;
  requests: OwnRequest[] = [];
  private readonly conversations_ = new Map<ConversationId, ConversationState>();
  private readonly link_ = new Link(this);
  private readonly sender_: Sender;
  private now_ = 0;
  private actions_: Action[] = [];
  private next_store_ = 1;
  private batch_: StorageBatch = {};
  private rows_ = new Set<ConversationId>();
  private waiters_: StoredWaiter[] = [];
  private readonly storing_ = new Map<number, StoredWaiter[]>();
  private changed_ = new Set<ConversationId>();
  private removed_ = new Set<ConversationId>();
  private missing_ = new Set<ConversationId>();
  /** Channels of spaces to be asked for by name. */
  private readonly unlisted_ = new Set<ConversationId>();

  constructor(private readonly options_: CoreOptions) {
    this.sender_ = new Sender(this, options_.random64);
  }

  /** Takes one input at time `now` (ms since 1970) and says what to do, in order. */
  handle(now: number, input: Input): Action[] {
    this.now_ = now;
    this.actions_ = [];
    this.dispatch(input);
    this.flush_batch();
    this.flush_list();
    const actions = this.actions_;
    this.actions_ = [];
    return actions;
  }

  /** When a `tick` is due, or null. */
  next_deadline(): number | null {
    return this.timers.next();
  }

  get state(): LinkState {
    return this.link_.state;
  }

  /** Most recent first. */
  list(): ConversationView[] {
    return this.states()
      .sort((a, b) => b.entry.lastActivity - a.entry.lastActivity)
      .map((state) => state.view());
  }

  view(id: ConversationId): ConversationView | null {
    return this.conversations_.get(id)?.view() ?? null;
  }

  outbox(id: ConversationId): OutboxItem[] {
    return this.conversations_.get(id)?.outbox.items() ?? [];
  }

  is_stored(item: OutboxItem): boolean {
    return this.conversations_.get(item.conversation)?.outbox.is_stored(item.local) ?? false;
  }

  receipts(id: ConversationId): Receipt[] {
    return [...(this.conversations_.get(id)?.receipts.values() ?? [])];
  }

  /** Which events are stored: from .. until - 1. */
  stored_run(id: ConversationId): { from: Seq; until: Seq; visibleFrom: Seq } | null {
    const state = this.conversations_.get(id);
    if (!state?.cursor) return null;
    return { from: state.from, until: state.cursor.seq + 1, visibleFrom: state.entry.visibleFrom };
  }

  // ---- For the parts of the core ----

  get now(): number {
    return this.now_;
  }

  random(): number {
    return this.options_.random();
  }

  act(action: Action): void {
    this.actions_.push(action);
  }

  emit(event: Emitted): void {
    this.actions_.push({ type: 'emit', event });
  }

  resolve(call: Call, result: CallResult): void {
    this.actions_.push({ type: 'resolve', call, result });
  }

  reject(call: Call, error: ParleyError): void {
    this.actions_.push({ type: 'reject', call, error });
  }

  get ready(): boolean {
    return this.link_.state === 'ready';
  }

  ask(operation: Operation, on: (answer: Answer) => void): void {
    this.link_.request(this.now_, operation, true, on);
  }

  conversation(id: ConversationId): ConversationState | null {
    return this.conversations_.get(id) ?? null;
  }

  states(): ConversationState[] {
    return [...this.conversations_.values()];
  }

  abandon(state: ConversationState, error: ParleyError): void {
    this.sender_.abandon(state, error);
  }

  /** The row of `id` joins this turn's batch. */
  touch(id: ConversationId): void {
    this.rows_.add(id);
    this.changed_.add(id);
  }

  /** This turn's batch; everything in it is committed together. */
  get batch(): StorageBatch {
    return this.batch_;
  }

  /** Runs when this turn's batch is durable, or has failed. */
  when_stored(done: () => void, failed: (message: string) => void = () => undefined): void {
    this.waiters_.push({ done, failed });
  }

  // ---- Inputs ----

  private dispatch(input: Input): void {
    switch (input.type) {
      case 'start':
        return this.start(input.stored, input.device);
      case 'stop':
        return this.link_.stop(null);
      case 'tick':
        return this.tick();
      case 'online':
        return this.link_.online(this.now_);
      case 'offline':
        return this.link_.offline(this.now_);
      case 'opened':
        return this.link_.opened(this.now_, input.token);
      case 'received':
        for (const reply of input.replies) this.link_.received(this.now_, reply);
        return;
      case 'closed':
        return this.link_.closed(this.now_, input.code, input.reason);
      case 'stored':
        return this.stored(input.id, null);
      case 'store_failed':
        return this.stored(input.id, input.message);
      case 'send':
        return this.sender_.send(input);
      case 'retry':
        return this.sender_.retry(input.conversation, input.local);
      case 'discard':
        return this.sender_.discard(input.conversation, input.local);
      case 'request':
        return this.request(input.call, input.operation);
      case 'open':
        return this.subscriptions_.open(input.conversation);
      case 'close':
        return this.subscriptions_.close(input.conversation);
      case 'read':
        return this.receipts_.read(input.conversation, input.seq);
      case 'typing':
        return this.people.typing(input.conversation, input.kind, input.on);
      case 'presence':
        return this.set_presence(input.state);
      case 'watch':
        return this.people.watch(input.conversation, input.users);
      case 'watch_conversation':
        return this.people.watch_conversation(input.conversation, input.on);
      case 'names':
        return this.people.want_names(input.users);
    }
  }

  private start(
    stored: {
      meta: StoredMeta | null;
      conversations: StoredConversation[];
      outbox: OutboxItem[];
      names: UserName[];
    },
    device: string,
  ): void {
    if (this.link_.state !== 'idle') return;
    if (stored.meta) {
      this.meta_ = stored.meta;
    } else {
      this.meta_ = { device, subject: '', syncToken: '' };
      this.batch_.meta = this.meta_;
    }
    for (const { user, subject } of stored.names) this.people.names.set(user, subject);
    for (const row of stored.conversations) {
      const state = ConversationState.restore(row);
      this.conversations_.set(row.conversation, state);
      this.changed_.add(row.conversation);
      this.trim(state);
    }
    this.note_unlisted(stored.conversations.map((row) => row.entry));
    for (const item of stored.outbox)
      this.conversations_.get(item.conversation)?.outbox.restore(item);
    this.link_.dial(this.now_);
  }

  /** What is stored of one conversation stays bounded; older events come from the engine again. */
  private trim(state: ConversationState): void {
    const below = (state.cursor?.seq ?? 0) + 1 - stored_events;
    if (state.from >= below) return;
    state.from = below;
    const { conversation } = state.entry;
    (this.batch_.dropEvents ??= []).push({ conversation, below });
    this.rows_.add(conversation);
  }

  private tick(): void {
    for (const name of this.timers.take_due(this.now_)) {
      if (this.link_.timer(this.now_, name)) continue;
      const [what, id] = name.split(' ', 2);
      const state = id === undefined ? null : this.conversation(id);
      if (what === 'receipts' && state) this.receipts_.flush(state);
      if (what === 'outbox' && state) this.sender_.pump(state);
      if (what === 'subscribe') this.subscriptions_.again();
      if (what === 'names') this.people.flush_names();
      if (what === 'growing') this.growing_.expire();
      if (what === 'sync') this.sync();
    }
  }

  private stored(id: number, failure: string | null): void {
    const waiters = this.storing_.get(id) ?? [];
    this.storing_.delete(id);
    for (const waiter of waiters) {
      if (failure === null) waiter.done();
      else waiter.failed(failure);
    }
    if (failure !== null) this.problem(new ParleyError('store_failed', failure));
  }

  /** Something unread is not known exactly any more: the engine states what has moved. */
  private sync_later(): void {
    this.timers.set_earlier('sync', this.now_ + sync_delay_ms);
  }

  private sync(): void {
    if (!this.ready) return; // the welcome brings it
    for (const state of this.states()) state.doubtful = false;
    const conversations = [...this.unlisted_].slice(0, sync_conversations);
    this.ask({ type: 'sync', token: this.meta_.syncToken, conversations }, (answer) => {
      if (answer.type === 'list') this.on_list(answer.change);
      else this.sync_later();
    });
  }

  problem(error: ParleyError): void {
    this.emit({ name: 'problem', value: error });
  }

  // ---- The link ----

  hello(): ReturnType<LinkOwner['hello']> {
    const ticket = this.ticket_;
    this.ticket_ = ''; // single use
    const { device, syncToken } = this.meta_;
    const { listLimit = 0 } = this.options_;
    return {
      ticket,
      device,
      syncToken,
      ...(this.presence_ === 'online' ? {} : { state: this.presence_ }),
      ...(listLimit === 0 ? {} : { listLimit }),
    };
  }

  private set_presence(state: PresenceState): void {
    this.presence_ = state; // the next hello says it too
    if (this.ready) this.ask({ type: 'set_presence', state }, () => undefined);
  }

  on_welcome(welcome: Welcome): void {
    const { subject } = welcome.self;
    if (this.meta_.subject !== '' && this.meta_.subject !== subject) {
      const text = `this storage belongs to ${this.meta_.subject}, not to ${subject}; use another`;
      this.link_.stop(new ParleyError('invalid_argument', text));
      return;
    }
    this.self = welcome.self;
    this.ticket_ = welcome.ticket;
    this.meta_ = { ...this.meta_, subject };
    this.batch_.meta = this.meta_;
    this.people.learn_names([{ user: welcome.self.user, subject }]);
    this.apply_list(welcome.list);
    this.subscriptions_.subscribe(this.states(), this.subscriptions_.most_recent());
    for (const state of this.states()) {
      this.sender_.pump(state);
      this.receipts_.flush(state);
      if (state.watched.length > 0) this.people.send_watch(state);
      if (state.watched_whole) this.people.send_watch_conversation(state);
    }
    this.people.flush_names();
  }

  on_lost(): void {
    this.people.link_lost();
    this.growing_.link_lost();
    for (const state of this.states()) {
      state.level = 'none';
      state.subscribing = null;
      state.refused = false;
      state.previewing = false;
      state.online = null;
      state.outbox.link_lost();
    }
  }

  on_push(answer: Answer): void {
    switch (answer.type) {
      case 'events':
        return this.on_events(answer);
      case 'head_moved':
        return this.on_head_moved(answer);
      case 'list':
        return this.on_list(answer.change);
      case 'receipts':
        return this.receipts_.moved(answer.conversation, answer.receipts);
      case 'signalled': {
        const { type: _, ...value } = answer;
        return this.emit({ name: 'signal', value });
      }
      case 'thread_state':
        return this.emit({ name: 'thread', value: answer.thread });
      case 'ballot':
        return this.emit({ name: 'ballot', value: answer.ballot });
      case 'deleted_for_me':
        return this.on_deleted_for_me(answer.deleted);
      case 'streamed':
        this.people.want_names([answer.piece.sender]);
        return this.growing_.take(answer.piece);
      case 'presence':
        return this.people.present(answer.users);
      case 'online':
        return this.people.take_online(answer);
      case 'scheduled':
        return this.emit({ name: 'scheduled', value: answer.change });
      case 'error':
        return this.problem(answer.error);
      default:
        return; // a push of a type this build does not know
    }
  }

  // ---- The list ----

  private on_list(change: ListChange): void {
    const known = new Set(this.conversations_.keys());
    this.apply_list(change);
    const fresh = this.states().filter((state) => !known.has(state.entry.conversation));
    this.subscriptions_.subscribe(fresh, this.subscriptions_.most_recent());
  }

  /** Entries, removals and the token become durable together. */
  private apply_list(change: ListChange): void {
    const removed = new Set(change.removed);
    // What a first page leaves out may be on a later one.
    if (change.whole && !change.more) {
      const kept = new Set(change.entries.map((entry) => entry.conversation));
      for (const id of this.conversations_.keys()) {
        if (kept.has(id)) continue;
        if (!removed.has(id)) this.missing_.add(id);
        removed.add(id);
      }
    }
    for (const state of this.states()) {
      const { conversation, space } = state.entry;
      if (space !== '' && removed.has(space)) removed.add(conversation);
    }
    for (const id of removed) this.forget(id);
    for (const entry of change.entries) this.upsert(entry);
    for (const entry of change.entries) this.keep_children(entry);
    for (const id of removed) this.unlisted_.delete(id);
    for (const entry of change.entries) this.unlisted_.delete(entry.conversation);
    if (!change.more) this.note_unlisted(change.entries); // else they may be on a later page
    if (this.unlisted_.size > 0) this.sync_later();
    if (change.token !== '') {
      this.meta_ = { ...this.meta_, syncToken: change.token };
      this.batch_.meta = this.meta_;
    }
    if (change.settings) {
      this.settings = change.settings;
      this.emit({ name: 'settings', value: change.settings });
    }
    if (change.devices) this.emit({ name: 'devices', value: this.mark_own(change.devices) });
    if (change.blocked) this.emit({ name: 'blocked', value: change.blocked });
    if (change.requests) {
      this.requests = change.requests;
      this.emit({ name: 'requests', value: change.requests });
    }
  }

  /** A space that a list tells names all of its channels that this user is in. */
  private keep_children(entry: ListEntry): void {
    if (entry.kind !== 'space') return;
    const kept = new Set(entry.children);
    for (const state of this.states()) {
      const { conversation, space } = state.entry;
      if (space === entry.conversation && !kept.has(conversation)) this.forget(conversation);
    }
  }

  /**
   * Channels that their space names and the list does not have: they may have come before a token
   * that another push brought, which then does not bring them any more.
   */
  private note_unlisted(entries: ListEntry[]): void {
    // Rows of earlier builds have no children.
    for (const child of entries.flatMap((entry) => entry.children ?? []))
      if (!this.conversations_.has(child)) this.unlisted_.add(child);
  }

  /** Events of a space that are not read here may say of other channels. */
  passed_over(state: ConversationState, head: Seq): void {
    if (state.entry.kind !== 'space' || head <= state.entry.head.seq) return;
    this.unlisted_.add(state.entry.conversation);
    this.sync_later();
  }

  private mark_own(devices: Device[]): Device[] {
    return devices.map((device) => ({ ...device, current: device.id === this.self?.device }));
  }

  private upsert(entry: ListEntry): ConversationState {
    let state = this.conversations_.get(entry.conversation);
    if (state) {
      state.merge(entry);
    } else {
      state = new ConversationState(entry);
      this.conversations_.set(entry.conversation, state);
    }
    if (entry.peer !== '') this.people.want_names([entry.peer]);
    if (entry.lastEvent) this.people.want_names([entry.lastEvent.sender, entry.lastEvent.target]);
    this.removed_.delete(entry.conversation);
    this.touch(entry.conversation);
    return state;
  }

  private forget(id: ConversationId): void {
    const state = this.conversations_.get(id);
    if (!state) return;
    this.sender_.abandon(
      state,
      new ParleyError('denied', 'you are no longer in this conversation'),
    );
    this.conversations_.delete(id);
    this.timers.delete(`receipts ${id}`);
    this.timers.delete(`outbox ${id}`);
    this.rows_.delete(id);
    this.changed_.delete(id);
    this.removed_.add(id);
    this.growing_.conversation_gone(id);
    const others = <T extends { conversation: ConversationId }>(all: T[] | undefined): T[] =>
      (all ?? []).filter((one) => one.conversation !== id);
    this.batch_.outbox = others(this.batch_.outbox);
    this.batch_.events = others(this.batch_.events);
    this.batch_.deletedMessages = others(this.batch_.deletedMessages);
    this.batch_.deletedForMe = others(this.batch_.deletedForMe);
    (this.batch_.removedConversations ??= []).push(id);
  }

  // ---- The streams ----

  private on_events(frame: EventsFrame): void {
    const state = this.conversation(frame.conversation);
    if (!state || !this.self) return;
    const applied = state.apply(frame, this.self.user);
    if (applied.result === 'gap') this.subscriptions_.repair(state);
    if (applied.result !== 'applied') return;
    const { conversation } = frame;
    const { events } = applied;
    for (const { kind, child } of events) {
      if (kind === 'child_opened') state.add_child(child);
      if (kind === 'child_opened' || kind === 'child_closed') this.unlisted_.add(child);
    }
    if (state.doubtful || this.unlisted_.size > 0) this.sync_later();
    (this.batch_.events ??= []).push({ conversation, events });
    for (const { kind, about, seq: changed } of events) {
      if (kind === 'deleted')
        (this.batch_.deletedMessages ??= []).push({ conversation, seq: about, changed });
    }
    this.touch(conversation);
    const seq = state.cursor!.seq;
    this.when_stored(() => this.receipts_.received(state, seq));
    for (const event of events) this.people.want_names([event.sender, event.target]);
    this.emit({ name: 'events', value: { conversation, events } });
    for (const event of events) this.growing_.stored(event);
  }

  /** What is kept of them goes; the list's line, which has other numbers, follows by itself. */
  private on_deleted_for_me(deleted: DeletedForMe): void {
    const { conversation, seqs } = deleted;
    const state = this.conversation(conversation);
    if (!state) return;
    const stored = seqs.filter((seq) => seq >= state.from);
    if (stored.length > 0) (this.batch_.deletedForMe ??= []).push({ conversation, seqs: stored });
    if (state.forget(seqs)) this.preview(state);
    this.touch(conversation);
    this.emit({ name: 'deletedForMe', value: deleted });
  }

  private on_head_moved(push: {
    conversation: ConversationId;
    head: { epoch: string; seq: Seq; mark: number };
    headOrdinal: number;
  }): void {
    const state = this.conversation(push.conversation);
    if (!state) return;
    if (state.level !== 'full') this.passed_over(state, push.head.seq);
    if (state.moved(push.head, push.headOrdinal)) this.touch(push.conversation);
    if (state.level === 'full') {
      if (
        !state.cursor ||
        push.head.seq > state.cursor.seq ||
        push.head.epoch !== state.cursor.epoch
      ) {
        this.subscriptions_.repair(state);
      }
      return;
    }
    this.preview(state);
    this.sync_later(); // whom it mentions is not told
  }

  /** Level heads brings no bodies: the list's preview is asked for, one question at a time. */
  private preview(state: ConversationState): void {
    if (state.previewing || !this.ready) return;
    state.previewing = true;
    const { conversation } = state.entry;
    const operation: Operation = {
      type: 'history',
      conversation,
      from: 0,
      backward: true,
      limit: preview_events,
    };
    this.ask(operation, (answer) => {
      state.previewing = false;
      if (answer.type !== 'history_page' || answer.page.events.length === 0) return;
      state.preview(this.without_deleted(answer.page));
      const event = state.entry.lastEvent;
      if (event) this.people.want_names([event.sender, event.target]);
      this.touch(conversation);
    });
  }

  /** A page may have been read before this client was told of what was deleted for its user. */
  private without_deleted(page: HistoryPage): HistoryPage {
    const gone = this.conversation(page.conversation)?.gone;
    if (!gone || gone.size === 0) return page;
    return { ...page, events: page.events.map((event) => forget(event, gone)) };
  }

  // ---- The host's requests ----

  private request(call: Call, operation: Operation): void {
    if (this.link_.state === 'stopped') {
      this.reject(call, new ParleyError('session_closed', 'the client was stopped'));
      return;
    }
    this.link_.request(this.now_, operation, false, (answer) =>
      this.answer_call(call, operation, answer),
    );
  }

  private answer_call(call: Call, operation: Operation, answer: Answer): void {
    switch (answer.type) {
      case 'error':
        return this.reject(call, answer.error);
      case 'done':
        return this.resolve(call, { type: 'done' });
      case 'opened': {
        const known = this.conversation(answer.entry.conversation);
        const children = known ? known.entry.children : []; // a list alone tells them
        const state = this.upsert({ ...answer.entry, children });
        if (!known) this.subscriptions_.subscribe([state], this.subscriptions_.most_recent());
        return this.resolve(call, { type: 'conversation', view: state.view() });
      }
      case 'history_page': {
        const page = this.without_deleted(answer.page);
        this.keep_page(page);
        return this.resolve(call, { type: 'history', page });
      }
      case 'members_page': {
        if (operation.type === 'members')
          this.receipts_.moved(operation.conversation, answer.page.receipts);
        this.people.want_names(answer.page.members.map((member) => member.user));
        return this.resolve(call, { type: 'members', page: answer.page });
      }
      case 'names':
        this.people.learn_names(answer.users);
        return this.resolve(call, { type: 'names', users: answer.users });
      case 'messages':
        this.people.want_names(answer.messages.map((message) => message.sender));
        return this.resolve(call, { type: 'messages', messages: answer.messages });
      case 'scheduled':
        return this.resolve(call, { type: 'scheduled', change: answer.change });
      case 'conversation_info':
        return this.resolve(call, { type: 'info', info: answer.info });
      case 'join_requests_page':
        this.people.want_names(answer.page.requests.map((request) => request.user));
        return this.resolve(call, { type: 'join_requests', page: answer.page });
      case 'blocked_users':
        this.people.want_names(answer.users);
        return this.resolve(call, { type: 'blocked', users: answer.users });
      case 'invites':
        this.people.want_names(answer.invites.map((invite) => invite.by).filter((by) => by !== ''));
        return this.resolve(call, { type: 'invites', invites: answer.invites });
      case 'restrictions_page':
        this.people.want_names(answer.page.users.map((restricted) => restricted.user));
        return this.resolve(call, { type: 'restrictions', page: answer.page });
      case 'retention':
        return this.resolve(call, { type: 'retention', retention: answer.retention });
      case 'reactors_page':
        this.people.want_names(answer.page.users);
        return this.resolve(call, { type: 'reactors', page: answer.page });
      case 'ballot':
        return this.resolve(call, { type: 'ballot', ballot: answer.ballot });
      case 'stream_started':
        return this.resolve(call, { type: 'stream_started', stream: answer.stream });
      case 'voters_page':
        this.people.want_names(answer.page.users);
        return this.resolve(call, { type: 'voters', page: answer.page });
      case 'thread_page':
        this.people.want_names(answer.page.replies.map((reply) => reply.sender));
        return this.resolve(call, { type: 'thread', page: answer.page });
      case 'threads_page':
        this.people.want_names(answer.page.threads.map((thread) => thread.root.sender));
        return this.resolve(call, { type: 'threads', page: answer.page });
      case 'thread_state':
        return this.resolve(call, { type: 'thread_state', thread: answer.thread });
      case 'list_page': {
        const { entries, more } = answer.page;
        const fresh = entries.filter((entry) => !this.conversation(entry.conversation));
        const states = entries.map((entry) => this.upsert(entry));
        for (const entry of entries) this.keep_children(entry);
        this.subscriptions_.subscribe(
          states.filter((state) => fresh.includes(state.entry)),
          this.subscriptions_.most_recent(),
        );
        const views = states.map((state) => state.view());
        return this.resolve(call, { type: 'list_page', views, more });
      }
      case 'device_list':
        return this.resolve(call, { type: 'devices', devices: this.mark_own(answer.devices) });
      case 'seen_by':
        return this.resolve(call, { type: 'seen', count: answer.count });
      case 'user_settings':
        return this.resolve(call, { type: 'user_settings', settings: answer.settings });
      default:
        return this.reject(
          call,
          new ParleyError(
            'protocol_error',
            `the server answered ${operation.type} with ${answer.type}`,
          ),
        );
    }
  }

  /** A page that touches the stored run from below makes it longer; any other is only shown. */
  private keep_page(page: HistoryPage): void {
    for (const event of page.events) this.people.want_names([event.sender, event.target]);
    const state = this.conversation(page.conversation);
    const last = page.events[page.events.length - 1];
    if (!state?.cursor || !last || page.epoch !== state.cursor.epoch) return;
    const events = page.events.filter((event) => event.seq < state.from);
    for (const event of events) state.remember(event);
    if (events.length === 0 || last.seq < state.from - 1) return;
    state.from = events[0]!.seq;
    (this.batch_.events ??= []).push({ conversation: page.conversation, events });
    this.rows_.add(page.conversation);
  }

  // ---- The end of a turn ----

  private flush_batch(): void {
    for (const id of this.rows_) {
      const state = this.conversation(id);
      if (state) (this.batch_.conversations ??= []).push(state.row());
    }
    this.rows_.clear();
    const waiters = this.waiters_;
    this.waiters_ = [];
    if (Object.keys(this.batch_).length === 0) {
      for (const waiter of waiters) waiter.done();
      return;
    }
    const id = this.next_store_;
    this.next_store_ += 1;
    this.storing_.set(id, waiters);
    this.act({ type: 'store', id, batch: this.batch_ });
    this.batch_ = {};
  }

  private flush_list(): void {
    if (this.changed_.size === 0 && this.removed_.size === 0) return;
    const removed = [...this.removed_];
    const missing = removed.filter((id) => this.missing_.has(id));
    const value = { changed: [...this.changed_], removed, missing };
    this.changed_.clear();
    this.removed_.clear();
    this.missing_.clear();
    this.emit({ name: 'list', value });
  }
}
