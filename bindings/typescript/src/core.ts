// core.ts: the client as a pure state machine: inputs and the time go in, actions come out; no
// socket, clock or promise.
import { Calls, type CallsOwner } from './calls.js';
import { ConversationState, type ConversationView } from './conversation.js';
import { ParleyError } from './errors.js';
import type { Action, Call, CallResult, Emitted, Input, LinkState } from './inputs.js';
import { Link, type LinkOwner } from './link.js';
import type { Answer, Operation, Welcome } from './operations.js';
import { Growing } from './growing.js';
import { People } from './people.js';
import { Receipts } from './receipts.js';
import { Sender } from './sender.js';
import { Streams, type StreamsOwner } from './streams.js';
import { Subscriptions } from './subscriptions.js';
import type { StorageBatch, StoredConversation, StoredMeta } from './storage.js';
import { Sync, type SyncOwner } from './sync.js';
import { Timers } from './timers.js';
import type {
  ConversationId,
  Device,
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

export interface CoreOptions {
  /** In [0, 1). */
  random: () => number;
  /** 64 random bits, decimal, never '0'. */
  random64: () => string;
  /** Conversations in the first list of a connection that has to get all of it; 0: everything. */
  listLimit?: number;
}

type StoredWaiter = { done: () => void; failed: (message: string) => void };

export class ClientCore implements LinkOwner, SyncOwner, StreamsOwner, CallsOwner {
  readonly timers = new Timers();
  self: Self | null = null;
  readonly people = new People(this);
  private readonly growing_ = new Growing(this);
  private readonly receipts_ = new Receipts(this);
  private readonly subscriptions_ = new Subscriptions(this);
  private readonly sync_ = new Sync(this);
  private readonly streams_ = new Streams(
    this,
    this.sync_,
    this.people,
    this.receipts_,
    this.subscriptions_,
    this.growing_,
  );
  private readonly calls_ = new Calls(this, this.people, this.receipts_, this.streams_);
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

  get sync_token(): string {
    return this.meta_.syncToken;
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
    this.keep_row(id);
    this.changed_.add(id);
  }

  keep_row(id: ConversationId): void {
    this.rows_.add(id);
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
    this.sync_.note_unlisted(stored.conversations.map((row) => row.entry));
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
      if (what === 'sync') this.sync_.ask();
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
    for (const entry of welcome.list.entries)
      this.conversations_.get(entry.conversation)?.stands_at(entry);
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
        return this.streams_.events(answer);
      case 'head_moved':
        return this.streams_.head_moved(answer);
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
        return this.streams_.deleted_for_me(answer.deleted);
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

  on_list(change: ListChange): void {
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
    this.sync_.told(change, removed);
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

  passed_over(state: ConversationState, head: Seq): void {
    this.sync_.passed_over(state, head);
  }

  take_opened(entry: ListEntry): ConversationState {
    const known = this.conversation(entry.conversation);
    const children = known ? known.entry.children : []; // a list alone tells them
    const state = this.upsert({ ...entry, children });
    if (!known) this.subscriptions_.subscribe([state], this.subscriptions_.most_recent());
    return state;
  }

  take_page(entries: ListEntry[]): ConversationState[] {
    const known = new Set(this.conversations_.keys());
    const states = entries.map((entry) => this.upsert(entry));
    for (const entry of entries) this.keep_children(entry);
    const fresh = states.filter((state) => !known.has(state.entry.conversation));
    this.subscriptions_.subscribe(fresh, this.subscriptions_.most_recent());
    return states;
  }

  mark_own(devices: Device[]): Device[] {
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

  private request(call: Call, operation: Operation): void {
    if (this.link_.state === 'stopped') {
      this.reject(call, new ParleyError('session_closed', 'the client was stopped'));
      return;
    }
    this.link_.request(this.now_, operation, false, (answer) =>
      this.calls_.answered(call, operation, answer),
    );
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
