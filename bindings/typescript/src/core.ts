// core.ts: the client as a pure state machine: inputs and the time go in, actions come out; no socket, clock or promise.
import { ConversationState, type ConversationView } from './conversation.js';
import { ParleyError } from './errors.js';
import type { Action, Call, CallResult, Emitted, Input, LinkState } from './inputs.js';
import { Link, type LinkOwner } from './link.js';
import type { Answer, EventsFrame, Operation, SubscribeItem, Welcome } from './operations.js';
import { Sender } from './sender.js';
import type { StorageBatch, StoredConversation, StoredMeta } from './storage.js';
import { Timers } from './timers.js';
import type {
  ConversationId,
  HistoryPage,
  Level,
  ListChange,
  ListEntry,
  OutboxItem,
  Presence,
  Receipt,
  ResumeAnswer,
  Self,
  Seq,
  UserId,
  UserName,
} from './types.js';

/** Of the direct and group conversations so many, the most recent, are subscribed in full. */
export const full_at_once = 64;
/** Events of one conversation that are kept on the device from one start to the next. */
export const stored_events = 2_000;
const subscribe_at_once = 256;
const lookup_at_once = 256;
const receipt_delay_ms = 200;
const typing_period_ms = 3_000;
const names_delay_ms = 10;

export interface CoreOptions {
  /** In [0, 1). */
  random: () => number;
  /** 64 random bits, decimal, never '0'. */
  random64: () => string;
}

type StoredWaiter = { done: () => void; failed: (message: string) => void };

export class ClientCore implements LinkOwner {
  readonly timers = new Timers();
  self: Self | null = null;
  readonly names = new Map<UserId, string>();
  readonly presence = new Map<UserId, Presence>();
  private meta_: StoredMeta = { device: '', subject: '', syncToken: '' };
  private ticket_ = '';
  private readonly conversations_ = new Map<ConversationId, ConversationState>();
  private readonly link_ = new Link(this);
  private readonly sender_: Sender;
  private wanted_names_ = new Set<UserId>();
  private asked_names_ = new Set<UserId>();
  private now_ = 0;
  private actions_: Action[] = [];
  private next_store_ = 1;
  private batch_: StorageBatch = {};
  private rows_ = new Set<ConversationId>();
  private waiters_: StoredWaiter[] = [];
  private readonly storing_ = new Map<number, StoredWaiter[]>();
  private changed_ = new Set<ConversationId>();
  private removed_ = new Set<ConversationId>();

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
        return this.open(input.conversation);
      case 'close':
        return this.close(input.conversation);
      case 'read':
        return this.read(input.conversation, input.seq);
      case 'typing':
        return this.typing(input.conversation);
      case 'watch':
        return this.watch(input.conversation, input.users);
      case 'names':
        return this.want_names(input.users);
    }
  }

  private start(stored: { meta: StoredMeta | null; conversations: StoredConversation[]; outbox: OutboxItem[]; names: UserName[] }, device: string): void {
    if (this.link_.state !== 'idle') return;
    if (stored.meta) {
      this.meta_ = stored.meta;
    } else {
      this.meta_ = { device, subject: '', syncToken: '' };
      this.batch_.meta = this.meta_;
    }
    for (const { user, subject } of stored.names) this.names.set(user, subject);
    for (const row of stored.conversations) {
      const state = ConversationState.restore(row);
      this.conversations_.set(row.conversation, state);
      this.changed_.add(row.conversation);
      this.trim(state);
    }
    for (const item of stored.outbox) this.conversations_.get(item.conversation)?.outbox.restore(item);
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
      if (what === 'receipts' && state) this.flush_receipts(state);
      if (what === 'outbox' && state) this.sender_.pump(state);
      if (what === 'names') this.flush_names();
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

  private problem(error: ParleyError): void {
    this.emit({ name: 'problem', value: error });
  }

  // ---- The link ----

  hello(): { ticket: string; device: string; syncToken: string } {
    const ticket = this.ticket_;
    this.ticket_ = '';  // single use
    return { ticket, device: this.meta_.device, syncToken: this.meta_.syncToken };
  }

  on_welcome(welcome: Welcome): void {
    const { subject } = welcome.self;
    if (this.meta_.subject !== '' && this.meta_.subject !== subject) {
      const text = `this storage belongs to ${this.meta_.subject}, the token to ${subject}; use another storage`;
      this.link_.stop(new ParleyError('invalid_argument', text));
      return;
    }
    this.self = welcome.self;
    this.ticket_ = welcome.ticket;
    this.meta_ = { ...this.meta_, subject };
    this.batch_.meta = this.meta_;
    this.learn_names([{ user: welcome.self.user, subject }]);
    this.apply_list(welcome.list);
    this.subscribe(this.states(), new Set(this.most_recent()));
    for (const state of this.states()) {
      this.sender_.pump(state);
      this.flush_receipts(state);
      if (state.watched.length > 0) this.send_watch(state);
    }
    this.flush_names();
  }

  on_lost(): void {
    this.presence.clear();
    this.asked_names_.clear();
    for (const state of this.states()) {
      state.level = 'none';
      state.repairing = false;
      state.previewing = false;
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
        return this.on_receipts(answer.conversation, answer.receipts);
      case 'signalled': {
        const { conversation, sender, kind, text } = answer;
        return this.emit({ name: 'signal', value: { conversation, sender, kind, text } });
      }
      case 'presence':
        return this.on_presence(answer.users);
      case 'error':
        return this.problem(answer.error);
      default:
        return;  // a push of a type this build does not know
    }
  }

  // ---- The list ----

  private on_list(change: ListChange): void {
    const known = new Set(this.conversations_.keys());
    this.apply_list(change);
    const fresh = this.states().filter((state) => !known.has(state.entry.conversation));
    this.subscribe(fresh, new Set(this.most_recent()));
  }

  /** Entries, removals and the token become durable together. */
  private apply_list(change: ListChange): void {
    const removed = new Set(change.removed);
    if (change.whole) {
      const kept = new Set(change.entries.map((entry) => entry.conversation));
      for (const id of this.conversations_.keys()) if (!kept.has(id)) removed.add(id);
    }
    for (const id of removed) this.forget(id);
    for (const entry of change.entries) this.upsert(entry);
    if (change.token !== '') {
      this.meta_ = { ...this.meta_, syncToken: change.token };
      this.batch_.meta = this.meta_;
    }
  }

  private upsert(entry: ListEntry): ConversationState {
    let state = this.conversations_.get(entry.conversation);
    if (state) {
      state.merge(entry);
    } else {
      state = new ConversationState(entry);
      this.conversations_.set(entry.conversation, state);
    }
    if (entry.peer !== '') this.want_names([entry.peer]);
    if (entry.lastEvent) this.want_names([entry.lastEvent.sender, entry.lastEvent.target]);
    this.removed_.delete(entry.conversation);
    this.touch(entry.conversation);
    return state;
  }

  private forget(id: ConversationId): void {
    const state = this.conversations_.get(id);
    if (!state) return;
    this.sender_.abandon(state, new ParleyError('denied', 'you are no longer in this conversation'));
    this.conversations_.delete(id);
    this.timers.delete(`receipts ${id}`);
    this.timers.delete(`outbox ${id}`);
    this.rows_.delete(id);
    this.changed_.delete(id);
    this.removed_.add(id);
    const others = <T extends { conversation: ConversationId }>(all: T[] | undefined): T[] =>
      (all ?? []).filter((one) => one.conversation !== id);
    this.batch_.outbox = others(this.batch_.outbox);
    this.batch_.events = others(this.batch_.events);
    (this.batch_.removedConversations ??= []).push(id);
  }

  // ---- Subscriptions ----

  private most_recent(): ConversationId[] {
    return this.states()
      .filter((state) => state.entry.kind !== 'channel')
      .sort((a, b) => b.entry.lastActivity - a.entry.lastActivity)
      .slice(0, full_at_once)
      .map((state) => state.entry.conversation);
  }

  private subscribe(states: ConversationState[], full: ReadonlySet<ConversationId>): void {
    const items = states.map((state): SubscribeItem => {
      const { conversation } = state.entry;
      const level: Level = state.opened > 0 || full.has(conversation) ? 'full' : 'heads';
      return { conversation, level, cursor: level === 'full' ? state.cursor : null };
    });
    for (let at = 0; at < items.length; at += subscribe_at_once) {
      this.send_subscribe(items.slice(at, at + subscribe_at_once));
    }
  }

  private send_subscribe(items: SubscribeItem[]): void {
    if (!this.ready) return;
    for (const item of items) {
      const state = this.conversation(item.conversation);
      if (!state) continue;
      state.level = item.level;
      state.repairing = item.level === 'full';
    }
    this.ask({ type: 'subscribe', items }, (answer) => {
      if (answer.type === 'subscribed') {
        answer.answers.forEach((one, index) => this.on_resume(one, items[index]));
        return;
      }
      for (const item of items) {
        const state = this.conversation(item.conversation);
        if (state) state.repairing = false;
      }
      if (answer.type === 'error') this.problem(answer.error);
    });
  }

  /** What was pushed does not follow on what is here: ask the engine from the cursor. */
  private repair(state: ConversationState): void {
    if (state.repairing || state.level !== 'full') return;
    this.send_subscribe([
      { conversation: state.entry.conversation, level: 'full', cursor: state.cursor },
    ]);
  }

  private on_resume(answer: ResumeAnswer, item: SubscribeItem | undefined): void {
    const state = this.conversation(answer.conversation);
    if (!state || !item) return;
    const { conversation } = answer;
    this.emit({ name: 'resume', value: answer });
    if (item.level !== 'full') {
      if (answer.answer !== 'denied' && answer.answer !== 'not_member') {
        if (state.moved(answer.head, answer.headOrdinal)) this.touch(conversation);
      }
      return;
    }
    state.repairing = false;
    if (answer.answer === 'denied' || answer.answer === 'not_member') {
      state.level = 'none';
      const error = new ParleyError('denied', 'you are not in this conversation');
      this.sender_.abandon(state, error);
      return;
    }
    const { reset, lost } = state.resume(answer);
    if (reset) {
      (this.batch_.dropEvents ??= []).push({ conversation });
      this.emit({ name: 'reset', value: { conversation, answer: answer.answer, lost } });
    }
    this.touch(conversation);
  }

  private open(id: ConversationId): void {
    const state = this.conversation(id);
    if (!state) return;
    state.opened += 1;
    if (state.level !== 'full') this.subscribe([state], new Set());
  }

  private close(id: ConversationId): void {
    const state = this.conversation(id);
    if (!state || state.opened === 0) return;
    state.opened -= 1;
    if (state.opened > 0 || this.most_recent().includes(id)) return;
    this.subscribe([state], new Set());
  }

  // ---- The streams ----

  private on_events(frame: EventsFrame): void {
    const state = this.conversation(frame.conversation);
    if (!state || !this.self) return;
    const applied = state.apply(frame, this.self.user);
    if (applied.result === 'gap') this.repair(state);
    if (applied.result !== 'applied') return;
    const { conversation } = frame;
    const { events } = applied;
    (this.batch_.events ??= []).push({ conversation, events });
    this.touch(conversation);
    const seq = state.cursor!.seq;
    this.when_stored(() => this.received(state, seq));
    for (const event of events) this.want_names([event.sender, event.target]);
    this.emit({ name: 'events', value: { conversation, events } });
  }

  private on_head_moved(push: { conversation: ConversationId; head: { epoch: string; seq: Seq; mark: number }; headOrdinal: number }): void {
    const state = this.conversation(push.conversation);
    if (!state) return;
    if (state.moved(push.head, push.headOrdinal)) this.touch(push.conversation);
    if (state.level === 'full') {
      if (!state.cursor || push.head.seq > state.cursor.seq || push.head.epoch !== state.cursor.epoch) {
        this.repair(state);
      }
      return;
    }
    this.preview(state);
  }

  /** Level heads brings no bodies: the list's preview is asked for, one question at a time. */
  private preview(state: ConversationState): void {
    if (state.previewing || !this.ready) return;
    state.previewing = true;
    const { conversation } = state.entry;
    const operation: Operation = { type: 'history', conversation, from: 0, backward: true, limit: 1 };
    this.ask(operation, (answer) => {
      state.previewing = false;
      const event = answer.type === 'history_page' ? answer.page.events[0] : undefined;
      if (!event) return;
      state.remember(event);
      state.entry = {
        ...state.entry,
        lastEvent: event,
        lastActivity: Math.max(state.entry.lastActivity, event.time),
      };
      this.want_names([event.sender, event.target]);
      this.touch(conversation);
    });
  }

  // ---- Receipts ----

  /** The event is stored here: the engine may know. */
  private received(state: ConversationState, seq: Seq): void {
    if (state.entry.kind === 'channel' || seq <= state.received) return;
    state.received = seq;
    this.touch(state.entry.conversation);
    this.schedule_receipts(state);
  }

  private read(id: ConversationId, wanted: Seq): void {
    const state = this.conversation(id);
    if (!state) return;
    const seq = Math.min(wanted, state.entry.head.seq);
    if (seq <= state.read) return;
    const ordinal = state.ordinal_at(seq);
    state.read_up_to(seq, ordinal ?? 0);
    if (ordinal === null) this.ask_ordinal(state, seq);
    this.touch(id);
    this.schedule_receipts(state);
  }

  private ask_ordinal(state: ConversationState, seq: Seq): void {
    if (!this.ready) return;
    const { conversation } = state.entry;
    const operation: Operation = { type: 'history', conversation, from: seq + 1, backward: true, limit: 1 };
    this.ask(operation, (answer) => {
      const event = answer.type === 'history_page' ? answer.page.events[0] : undefined;
      if (!event || event.seq > state.read) return;
      state.read_up_to(event.seq, event.ordinal);
      this.touch(conversation);
    });
  }

  /** At most one mark_read per conversation and 200 ms. */
  private schedule_receipts(state: ConversationState): void {
    this.timers.set_earlier(`receipts ${state.entry.conversation}`, this.now_ + receipt_delay_ms);
  }

  private flush_receipts(state: ConversationState): void {
    if (!this.ready) return;  // the welcome flushes what is ahead
    const received = Math.max(state.received, state.read);
    const ahead = { received: received > state.sent.received ? received : 0, read: state.read > state.sent.read ? state.read : 0 };
    if (ahead.received === 0 && ahead.read === 0) return;
    const { conversation } = state.entry;
    this.ask({ type: 'mark_read', conversation, ...ahead }, (answer) => {
      if (answer.type === 'done') {
        state.sent.received = Math.max(state.sent.received, ahead.received);
        state.sent.read = Math.max(state.sent.read, ahead.read);
      } else if (answer.type === 'error' && answer.error.retryable) {
        const delay = Math.max(answer.error.retryAfterMs, 1_000);
        this.timers.set_earlier(`receipts ${conversation}`, this.now_ + delay);
      }
    });
  }

  private on_receipts(id: ConversationId, receipts: Receipt[]): void {
    const state = this.conversation(id);
    if (!state) return;
    const moved = state.merge_receipts(receipts);
    const own = moved.find((receipt) => receipt.user === this.self?.user);
    if (own) {
      state.sent.read = Math.max(state.sent.read, own.read);
      state.sent.received = Math.max(state.sent.received, own.received);
      if (own.read > state.read) {  // another device of this user
        const ordinal = state.ordinal_at(own.read);
        state.read_up_to(own.read, ordinal ?? 0);
        if (ordinal === null) this.ask_ordinal(state, own.read);
        this.touch(id);
      }
    }
    if (moved.length > 0) this.emit({ name: 'receipts', value: { conversation: id, receipts: moved } });
  }

  // ---- Signals, presence, names ----

  private typing(conversation: ConversationId): void {
    const state = this.conversation(conversation);
    if (!state || !this.ready || this.now_ - state.typing_sent_at < typing_period_ms) return;
    state.typing_sent_at = this.now_;
    this.ask({ type: 'signal', conversation, kind: 'typing', text: '' }, () => undefined);
  }

  private watch(id: ConversationId, users: UserId[]): void {
    const state = this.conversation(id);
    if (!state) return;
    state.watched = users;
    if (this.ready) this.send_watch(state);
  }

  private send_watch(state: ConversationState): void {
    const { conversation } = state.entry;
    this.ask({ type: 'watch', conversation, users: state.watched }, (answer) => {
      if (answer.type === 'presence') this.on_presence(answer.users);
      if (answer.type === 'error') this.problem(answer.error);
    });
  }

  private on_presence(users: Presence[]): void {
    for (const one of users) this.presence.set(one.user, one);
    if (users.length > 0) this.emit({ name: 'presence', value: { users } });
  }

  private want_names(users: UserId[]): void {
    for (const user of users) {
      if (user === '' || this.names.has(user) || this.asked_names_.has(user)) continue;
      this.wanted_names_.add(user);
      this.timers.set_earlier('names', this.now_ + names_delay_ms);
    }
  }

  private flush_names(): void {
    if (!this.ready) return;
    const wanted = [...this.wanted_names_];
    this.wanted_names_.clear();
    for (let at = 0; at < wanted.length; at += lookup_at_once) {
      const users = wanted.slice(at, at + lookup_at_once);
      for (const user of users) this.asked_names_.add(user);
      this.ask({ type: 'lookup', users }, (answer) => {
        for (const user of users) this.asked_names_.delete(user);
        if (answer.type === 'names') this.learn_names(answer.users);
      });
    }
  }

  private learn_names(users: UserName[]): void {
    const fresh = users.filter(({ user, subject }) => this.names.get(user) !== subject);
    if (fresh.length === 0) return;
    for (const { user, subject } of fresh) this.names.set(user, subject);
    this.batch_.names = [...(this.batch_.names ?? []), ...fresh];
    this.emit({ name: 'names', value: { users: fresh } });
  }

  // ---- The host's requests ----

  private request(call: Call, operation: Operation): void {
    if (this.link_.state === 'stopped') {
      this.reject(call, new ParleyError('session_closed', 'the client was stopped'));
      return;
    }
    this.link_.request(this.now_, operation, false, (answer) => this.answer_call(call, operation, answer));
  }

  private answer_call(call: Call, operation: Operation, answer: Answer): void {
    switch (answer.type) {
      case 'error':
        return this.reject(call, answer.error);
      case 'done':
        return this.resolve(call, { type: 'done' });
      case 'opened': {
        const known = this.conversation(answer.entry.conversation) !== null;
        const state = this.upsert(answer.entry);
        if (!known) this.subscribe([state], new Set(this.most_recent()));
        return this.resolve(call, { type: 'conversation', view: state.view() });
      }
      case 'history_page':
        this.keep_page(answer.page);
        return this.resolve(call, { type: 'history', page: answer.page });
      case 'members_page': {
        if (operation.type === 'members') this.on_receipts(operation.conversation, answer.page.receipts);
        this.want_names(answer.page.members.map((member) => member.user));
        return this.resolve(call, { type: 'members', page: answer.page });
      }
      case 'names':
        this.learn_names(answer.users);
        return this.resolve(call, { type: 'names', users: answer.users });
      default:
        return this.reject(
          call,
          new ParleyError('protocol_error', `the server answered ${operation.type} with ${answer.type}`),
        );
    }
  }

  /** A page that touches the stored run from below makes it longer; any other is only shown. */
  private keep_page(page: HistoryPage): void {
    for (const event of page.events) this.want_names([event.sender, event.target]);
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
    const value = { changed: [...this.changed_], removed: [...this.removed_] };
    this.changed_.clear();
    this.removed_.clear();
    this.emit({ name: 'list', value });
  }
}
