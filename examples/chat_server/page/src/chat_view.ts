// chat_view.ts: one conversation on screen: header, messages with paging upward, composer.
import {
  MessageFold,
  isChange,
  type ChatEvent,
  type ConversationId,
  type ConversationView,
  type Member,
  type Message,
  type OutboxItem,
  type ParleyClient,
  type Seq,
  type UserId,
} from '@parley/client';
import { Composer } from './composer.js';
import { el, icon, icon_button, reconcile } from './dom.js';
import {
  avatar,
  conversation_title,
  events_sentence,
  last_seen,
  snippet,
  user_name,
} from './format.js';
import { ActionBar, confirm_delete, type MessageActions } from './message_actions.js';
import { pins_dialog, render_pinned_bar } from './pins.js';
import { Reactions } from './reactions.js';
import { row_element } from './rows.js';
import { build_rows, typing_text, type AckedItem, type Quote } from './timeline.js';
import { clear_toast, toast, toast_error } from './toasts.js';
import { not_connected } from './words.js';

const page_events = 50;
const page_events_max = 256;
const near_top_px = 600;
const near_bottom_px = 48;
const typing_shown_ms = 5_000;
const watched_members = 100;
const flash_ms = 1_600;

export interface ChatActions {
  back: () => void;
  details: (id: ConversationId) => void;
  share: (id: ConversationId) => void;
}

export class ChatView {
  readonly element: HTMLElement;
  private readonly header_ = el('header', { class: 'chat-header' });
  private readonly rows_ = el('div', { class: 'rows' });
  private readonly scroller_ = el('div', {
    class: 'messages',
    role: 'log',
    'aria-live': 'polite',
    'aria-label': 'Messages',
  });
  private readonly pinned_ = el('div', { class: 'pinned-place', hidden: true });
  private readonly top_ = el('div', { class: 'top' });
  private readonly jump_ = el('button', { type: 'button', class: 'jump', hidden: true });
  private readonly composer_: Composer;
  private readonly bar_: ActionBar;
  private readonly reactions_: Reactions;
  /** Every message that was told, in the list below or not, as it stands. */
  private fold_ = new MessageFold('');
  /** Messages that are not in the list below and were asked for one by one. */
  private readonly asked_ = new Set<Seq>();
  private readonly pin_watchers_ = new Set<() => void>();
  private id_: ConversationId | null = null;
  private events_: ChatEvent[] = [];
  /** Came while the first page was loading. */
  private early_: ChatEvent[] = [];
  private loaded_ = false;
  private more_ = false;
  private loading_ = false;
  private load_failed_ = false;
  private acked_: AckedItem[] = [];
  private members_: Member[] = [];
  private member_count_ = 0;
  private read_line_: Seq | null = null;
  private stick_ = true;
  private readonly typing_ = new Map<UserId, number>();
  private typing_timer_ = 0;
  private frame_ = 0;
  /** Grows with every conversation shown, so that late answers for an earlier one are dropped. */
  private turn_ = 0;

  constructor(
    private readonly client_: ParleyClient,
    private readonly actions_: ChatActions,
  ) {
    this.composer_ = new Composer(client_, {
      send: (text, reply_to) => this.send(text, reply_to),
      save: (seq, text) => client_.edit(this.id_!, seq, text),
      remove: (seq) => this.remove(this.fold_.get(seq)),
      last_own: () => this.last_own(),
      typing: (on) => this.id_ !== null && client_.typing(this.id_, on),
    });
    this.reactions_ = new Reactions(client_, () => this.schedule());
    this.bar_ = new ActionBar(
      this.rows_,
      (seq) => this.actions_of(seq),
      () => this.composer_.focus(),
    );
    this.scroller_.append(this.top_, this.rows_);
    const body = el('div', { class: 'chat-body' }, this.scroller_, this.jump_);
    this.element = el(
      'section',
      { class: 'chat', 'aria-label': 'Conversation' },
      this.header_,
      this.pinned_,
      body,
      this.composer_.element,
    );
    this.listen();
  }

  get id(): ConversationId | null {
    return this.id_;
  }

  show(id: ConversationId): void {
    if (this.id_ === id) return;
    this.hide();
    const view = this.client_.conversation(id);
    if (!view) return;
    this.id_ = id;
    this.turn_ += 1;
    this.read_line_ = view.unread > 0 ? view.read : null;
    this.fold_ = new MessageFold(this.client_.self?.user ?? '');
    this.composer_.show(id);
    this.client_.open(id);
    this.render();
    void this.load_first(view.unread);
    void this.load_members();
    void this.load_pins();
    if (matchMedia('(min-width: 721px)').matches) this.composer_.focus();
  }

  hide(): void {
    if (this.id_ === null) return;
    const id = this.id_;
    this.composer_.hide();
    this.client_.close(id);
    if (this.client_.conversation(id)?.kind !== 'direct') this.client_.watch(id, []);
    this.id_ = null;
    this.turn_ += 1;
    this.events_ = [];
    this.acked_ = [];
    this.members_ = [];
    this.member_count_ = 0;
    this.typing_.clear();
    this.asked_.clear();
    this.loaded_ = this.more_ = this.loading_ = this.load_failed_ = false;
    this.read_line_ = null;
    this.stick_ = true;
    this.rows_.replaceChildren();
    this.header_.replaceChildren();
    this.pinned_.hidden = true;
    this.top_.dataset['state'] = '';
  }

  // ---- What happens outside ----

  private listen(): void {
    const client = this.client_;
    client.on('events', ({ conversation, events }) => {
      if (conversation === this.id_) this.arrived(events);
    });
    client.on('reset', ({ conversation, answer, lost }) =>
      this.was_reset(conversation, answer, lost),
    );
    client.on('acked', ({ conversation, local, ack }) => {
      const item = this.pending_.find((one) => one.local === local);
      if (conversation !== this.id_ || !item) return;
      this.acked_.push({ item, seq: ack.seq, time: ack.time });
      this.schedule();
    });
    client.on('outbox', ({ conversation }) => {
      if (conversation === this.id_) this.schedule();
    });
    client.on('receipts', ({ conversation }) => {
      if (conversation === this.id_) this.schedule();
    });
    client.on('signal', ({ conversation, sender, kind }) => {
      if (conversation !== this.id_ || sender === client.self?.user) return;
      if (kind === 'typing') this.types(sender);
      if (kind === 'typing_stopped' && this.typing_.delete(sender)) this.schedule();
    });
    for (const name of ['list', 'names', 'presence', 'state'] as const)
      client.on(name, () => this.schedule());
    this.scroller_.addEventListener('scroll', () => this.scrolled(), { passive: true });
    new ResizeObserver(() => {
      if (this.stick_) this.to_bottom();
    }).observe(this.scroller_);
    for (const name of ['focus', 'visibilitychange'])
      addEventListener(name, () => this.mark_read());
    document.addEventListener('visibilitychange', () => this.mark_read());
    this.jump_.addEventListener('click', () => {
      this.to_bottom();
      this.mark_read();
    });
  }

  private arrived(events: ChatEvent[]): void {
    this.take(events);
    if (!this.loaded_) {
      this.early_.push(...events);
      return;
    }
    const last = this.events_[this.events_.length - 1];
    const fresh = last ? events.filter((event) => event.seq > last.seq) : events;
    if (fresh.length === 0) return;
    if (last && fresh[0]!.seq !== last.seq + 1) {
      void this.load_first(0, true); // a hole: start over from the end
      return;
    }
    this.events_.push(...fresh);
    for (const event of fresh)
      if (event.kind === 'pinned' && !this.fold_.get(event.about)) this.ask(event.about);
    for (const event of fresh) if (event.kind === 'message') this.typing_.delete(event.sender);
    const foreign = fresh.find(
      (event) => event.kind === 'message' && event.sender !== this.client_.self?.user,
    );
    if (foreign && this.read_line_ === null && !this.looking()) this.read_line_ = foreign.seq - 1;
    if (fresh.some((event) => event.kind !== 'message' && !isChange(event)))
      void this.load_members();
    this.schedule();
  }

  /** Into the messages as they stand. */
  private take(events: readonly ChatEvent[]): void {
    this.fold_.take(events);
    for (const event of events) if (event.kind === 'deleted') this.composer_.gone(event.about);
    for (const draw of this.pin_watchers_) draw();
  }

  private was_reset(id: ConversationId, answer: string, lost: number): void {
    const view = this.client_.conversation(id);
    if (view && lost > 0) {
      const title = conversation_title(this.client_, view);
      const why =
        answer === 'trimmed' ? 'are no longer kept' : 'are gone: the server has another history';
      toast(`${title}: ${lost} message${lost === 1 ? '' : 's'} ${why}`, 'error');
    }
    if (id !== this.id_ || !this.loaded_) return;
    const last = this.events_[this.events_.length - 1];
    if (answer === 'snapshot' && last?.seq === view?.headSeq) return;
    void this.load_first(0, true);
  }

  private types(user: UserId): void {
    this.typing_.set(user, Date.now() + typing_shown_ms);
    clearTimeout(this.typing_timer_);
    this.typing_timer_ = window.setTimeout(() => this.schedule(), typing_shown_ms + 50);
    this.schedule();
  }

  // ---- Loading ----

  /** `anew`: what is known of messages may be out of date, or of another history. */
  private async load_first(unread: number, anew = false): Promise<void> {
    if (this.id_ === null) return;
    const turn = this.turn_;
    this.loaded_ = false;
    this.loading_ = true;
    this.load_failed_ = false;
    this.early_ = [];
    try {
      const limit = Math.min(page_events_max, Math.max(page_events, unread + 20));
      const { events, more } = await this.client_.history(this.id_, { limit });
      if (turn !== this.turn_) return;
      if (anew) {
        this.fold_ = new MessageFold(this.client_.self?.user ?? '');
        this.asked_.clear();
        void this.load_pins();
      }
      this.take(events);
      this.events_ = events;
      this.more_ = more;
      this.loaded_ = true;
      this.arrived(this.early_);
      this.stick_ = true;
    } catch (error) {
      if (turn !== this.turn_) return;
      this.load_failed_ = true;
      toast_error('The messages could not be loaded', error);
    }
    this.loading_ = false;
    this.render();
    const line = this.rows_.querySelector<HTMLElement>('.row.new');
    if (line && line.offsetTop < this.scroller_.scrollTop) {
      this.scroller_.scrollTop = Math.max(0, line.offsetTop - 80);
      this.scrolled();
    }
    this.mark_read();
  }

  private async load_older(limit = page_events): Promise<void> {
    const first = this.events_[0];
    if (this.id_ === null || !first || !this.more_ || this.loading_ || !this.loaded_) return;
    const turn = this.turn_;
    this.loading_ = true;
    this.load_failed_ = false;
    this.render();
    try {
      const { events, more } = await this.client_.history(this.id_, {
        before: first.seq,
        limit,
      });
      if (turn !== this.turn_) return;
      const older = events.filter((event) => event.seq < this.events_[0]!.seq);
      this.take(older);
      this.events_ = [...older, ...this.events_];
      this.more_ = more && older.length > 0;
    } catch (error) {
      if (turn !== this.turn_) return;
      this.load_failed_ = true;
      toast_error('Older messages could not be loaded', error);
    }
    this.loading_ = false;
    this.render();
    if (!this.load_failed_ && this.scroller_.scrollTop < near_top_px) void this.load_older();
  }

  /** The pinned messages, wherever they stand. */
  private async load_pins(): Promise<void> {
    if (this.id_ === null) return;
    const turn = this.turn_;
    try {
      const pins = await this.client_.pins(this.id_);
      if (turn !== this.turn_) return;
      this.take(pins);
      this.schedule();
    } catch {
      // The bar does without; the next opening asks again.
    }
  }

  /** One message that is shown outside its place: an answered or a pinned one. */
  private ask(seq: Seq): void {
    if (this.id_ === null || this.asked_.has(seq)) return;
    this.asked_.add(seq);
    const turn = this.turn_;
    this.client_
      .history(this.id_, { before: seq + 1, limit: 1 })
      .then(({ events }) => {
        if (turn !== this.turn_) return;
        this.take(events);
        this.schedule();
      })
      .catch(() => this.asked_.delete(seq));
  }

  private async load_members(): Promise<void> {
    if (this.id_ === null) return;
    const turn = this.turn_;
    const id = this.id_;
    try {
      const page = await this.client_.members(id, { limit: watched_members });
      if (turn !== this.turn_) return;
      this.members_ = page.members;
      this.member_count_ = page.count;
      const users = page.members
        .map((member) => member.user)
        .filter((user) => user !== this.client_.self?.user);
      if (this.client_.conversation(id)?.kind !== 'direct') this.client_.watch(id, users);
      this.schedule();
    } catch {
      // The header does without; the next membership event or opening asks again.
    }
  }

  // ---- Rendering ----

  private schedule(): void {
    if (this.frame_ !== 0) return;
    const run = (): void => {
      this.frame_ = 0;
      this.render();
      this.mark_read();
    };
    // A hidden window gets no animation frames, and its state must be right when it is looked at.
    this.frame_ = document.hidden ? window.setTimeout(run, 50) : requestAnimationFrame(run);
  }

  private pending_: OutboxItem[] = [];

  private render(): void {
    const view = this.id_ === null ? null : this.client_.conversation(this.id_);
    if (!view) return;
    this.scroller_.setAttribute('aria-busy', String(this.loading_));
    this.render_header(view);
    this.render_top(view);
    this.fold_.self = this.client_.self?.user ?? this.fold_.self;
    const echoes = new Set(this.events_.map((event) => event.echo));
    this.acked_ = this.acked_.filter(({ item }) => !echoes.has(item.random));
    this.pending_ = this.client_.outbox(view.conversation);
    const rows = build_rows({
      events: this.events_
        .filter((event) => !isChange(event))
        .map((event) => this.fold_.get(event.seq) ?? event),
      outbox: this.pending_,
      is_stored: (item) => this.client_.isStored(item),
      acked: this.acked_,
      self: this.client_.self?.user ?? '',
      others: this.others(view),
      read_line: this.read_line_,
      show_names: view.kind !== 'direct',
      name: (user) => user_name(this.client_, user),
      sentence: (events) => events_sentence(this.client_, events, view.kind),
      quote: (seq) => this.quote(view, seq),
      reactions: ({ seq }) => {
        const message = this.fold_.get(seq);
        return message ? this.reactions_.chips(view.conversation, message) : [];
      },
      typing: this.typing_names(),
    });
    const { id_: id, client_: client } = this;
    const actions = {
      retry: (local: string) => client.retry(id!, local),
      discard: (local: string) => client.discard(id!, local),
      react: (seq: Seq, key: string) => this.react(this.fold_.get(seq), key),
      look: (seq: Seq, key: string) => {
        const message = this.fold_.get(seq);
        if (message) this.reactions_.look(id!, message, key);
      },
      go_to: (seq: Seq) => void this.go_to(seq),
    };
    const focused = this.bar_.focused();
    const anchor = this.stick_ ? null : this.anchor();
    reconcile(
      this.rows_,
      rows.map((row) => ({
        key: row.key,
        signature: JSON.stringify(row),
        build: () => row_element(row, actions),
      })),
    );
    this.bar_.redraw(focused);
    this.render_tab_stop();
    render_pinned_bar(this.pinned_, this.pinned(), () => this.open_pins());
    if (this.stick_) this.to_bottom();
    else if (anchor) this.scroller_.scrollTop += anchor.key_top() - anchor.top;
    this.render_jump(view);
  }

  /** The first visible row: it must not move when rows above it come. */
  private anchor(): { top: number; key_top: () => number } | null {
    const edge = this.scroller_.getBoundingClientRect().top;
    for (const row of this.rows_.children as HTMLCollectionOf<HTMLElement>) {
      const { top, bottom } = row.getBoundingClientRect();
      if (bottom <= edge) continue;
      const { key } = row.dataset;
      const find = (): HTMLElement | undefined =>
        ([...this.rows_.children] as HTMLElement[]).find((one) => one.dataset['key'] === key);
      return { top, key_top: () => find()?.getBoundingClientRect().top ?? top };
    }
    return null;
  }

  /** The Tab key stops at one message: where the focus was last, else the newest. */
  private render_tab_stop(): void {
    const rows = [...this.rows_.querySelectorAll<HTMLElement>('.message')];
    const current = rows.find((row) => row.contains(document.activeElement)) ?? rows.at(-1);
    for (const row of rows) if (row.tabIndex === 0 && row !== current) row.tabIndex = -1;
    if (current) current.tabIndex = 0;
  }

  private quote(view: ConversationView, seq: Seq): Quote {
    const message = this.fold_.get(seq);
    if (!message && seq >= view.visibleFrom) this.ask(seq);
    const self = this.client_.self?.user;
    return {
      seq,
      name: !message
        ? ''
        : message.sender === self
          ? 'You'
          : user_name(this.client_, message.sender),
      text: message ? snippet(message) : seq < view.visibleFrom ? 'An earlier message' : '…',
    };
  }

  private render_header(view: ConversationView): void {
    const title = conversation_title(this.client_, view);
    const presence = view.kind === 'direct' ? this.client_.presence(view.peer) : null;
    const online = presence === null ? null : presence.online;
    const subtitle = this.subtitle(view);
    const details = (): void => this.actions_.details(view.conversation);
    const signature = JSON.stringify([view.conversation, title, online, subtitle]);
    reconcile(this.header_, [
      {
        key: 'header',
        signature,
        build: () =>
          el(
            'div',
            { class: 'bar' },
            icon_button('back', 'Back to the list', () => this.actions_.back(), 'only-narrow'),
            el(
              'button',
              {
                type: 'button',
                class: 'who',
                title: 'Members and details',
                on: { click: details },
              },
              avatar(title, view.kind, online),
              el(
                'span',
                { class: 'who-text' },
                el('span', { class: 'title', dir: 'auto' }, title),
                el('span', { class: 'subtitle' }, subtitle),
              ),
            ),
            view.kind === 'channel'
              ? icon_button('link', 'Copy the link to this channel', () =>
                  this.actions_.share(view.conversation),
                )
              : null,
            icon_button('people', 'Members', details),
          ),
      },
    ]);
  }

  private subtitle(view: ConversationView): string {
    const typing =
      view.kind === 'direct' && this.typing_names().length > 0
        ? 'typing'
        : typing_text(this.typing_names());
    if (typing !== '') return `${typing}…`;
    if (view.kind === 'direct') {
      const presence = this.client_.presence(view.peer);
      if (!presence) return '';
      return presence.online ? 'online' : last_seen(presence.lastSeen);
    }
    if (this.member_count_ === 0) return view.kind;
    const online = this.members_.filter(
      ({ user }) => user === this.client_.self?.user || this.client_.presence(user)?.online,
    ).length;
    const members = `${this.member_count_} member${this.member_count_ === 1 ? '' : 's'}`;
    return online > 1 ? `${members}, ${online} online` : members;
  }

  private render_top(view: ConversationView): void {
    const empty = this.loaded_ && this.events_.length === 0 && this.pending_.length === 0;
    const offline = this.client_.state !== 'ready';
    const state = this.loading_
      ? offline
        ? 'offline'
        : 'loading'
      : this.load_failed_
        ? 'failed'
        : empty
          ? 'empty'
          : 'none';
    if (this.top_.dataset['state'] === state) return;
    this.top_.dataset['state'] = state;
    this.top_.replaceChildren();
    if (state === 'loading')
      this.top_.append(el('div', { class: 'spinner', 'aria-label': 'Loading' }));
    if (state === 'offline') {
      const text = this.loaded_
        ? 'Older messages will load when you are connected.'
        : 'The messages will load when you are connected.';
      this.top_.append(el('p', { class: this.loaded_ ? 'waits' : 'empty' }, text));
    }
    if (state === 'failed') {
      const again = (): void => void (this.loaded_ ? this.load_older() : this.load_first(0));
      this.top_.append(
        el('button', { type: 'button', class: 'quiet', on: { click: again } }, 'Load again'),
      );
    }
    if (state === 'empty') {
      const text =
        view.kind === 'channel'
          ? 'You see what is written here from now on.'
          : 'Nothing written yet.';
      this.top_.append(el('p', { class: 'empty' }, text, el('br'), 'Say hello.'));
    }
  }

  private render_jump(view: ConversationView): void {
    this.jump_.hidden = this.stick_;
    const text = view.unread > 0 ? `${view.unread} new` : '';
    const label =
      view.unread > 0 ? `${view.unread} new messages, go to the newest` : 'Go to the newest';
    if (this.jump_.getAttribute('aria-label') === label) return;
    this.jump_.setAttribute('aria-label', label);
    this.jump_.replaceChildren(text, icon('down'));
  }

  private typing_names(): string[] {
    const now = Date.now();
    return [...this.typing_]
      .filter(([, until]) => until > now)
      .map(([user]) => user_name(this.client_, user));
  }

  /** How far all others have come; channels show no such ticks. */
  private others(view: ConversationView): { received: Seq; read: Seq } | null {
    const self = this.client_.self?.user;
    if (view.kind === 'channel' || view.peer === self) return null;
    const known = new Map(
      this.client_.receipts(view.conversation).map((receipt) => [receipt.user, receipt]),
    );
    const users = view.kind === 'direct' ? [view.peer] : this.members_.map((member) => member.user);
    const others = users.filter((user) => user !== self);
    if (others.length === 0 || this.member_count_ > this.members_.length) return null;
    return {
      received: Math.min(...others.map((user) => known.get(user)?.received ?? 0)),
      read: Math.min(...others.map((user) => known.get(user)?.read ?? 0)),
    };
  }

  // ---- Scrolling and reading ----

  private scrolled(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller_;
    const stick = scrollHeight - scrollTop - clientHeight < near_bottom_px;
    if (stick !== this.stick_) {
      this.stick_ = stick;
      this.schedule();
    }
    if (scrollTop < near_top_px) void this.load_older();
  }

  private to_bottom(): void {
    this.stick_ = true;
    this.scroller_.scrollTop = this.scroller_.scrollHeight;
  }

  private looking(): boolean {
    return (
      this.stick_ && this.loaded_ && document.visibilityState === 'visible' && document.hasFocus()
    );
  }

  private mark_read(): void {
    const last = this.events_[this.events_.length - 1];
    if (this.id_ !== null && last && this.looking()) this.client_.markRead(this.id_, last.seq);
  }

  // ---- Writing ----

  private send(text: string, reply_to: Seq): void {
    const id = this.id_;
    if (id === null) return;
    const what = 'Not sent';
    this.read_line_ = null;
    this.client_
      .send(id, text, { replyTo: reply_to })
      .then(() => clear_toast(what))
      .catch((error: unknown) => {
        // What is kept as failed shows so in its place, with the text.
        if (this.client_.outbox(id).some((item) => item.text === text)) return;
        this.composer_.restore(id, text);
        toast_error(what, error);
      });
    this.to_bottom();
    this.render();
    this.to_bottom();
  }

  // ---- Changes of messages ----

  private last_own(): Message | null {
    const self = this.client_.self?.user;
    for (let at = this.events_.length - 1; at >= 0; at -= 1) {
      const message = this.fold_.get(this.events_[at]!.seq);
      if (message && message.sender === self && !message.deleted && message.data === '')
        return message;
    }
    return null;
  }

  private actions_of(seq: Seq): { message: Message; actions: MessageActions } | null {
    const message = this.fold_.get(seq);
    const view = this.id_ === null ? null : this.client_.conversation(this.id_);
    if (!message || message.deleted || !view) return null;
    const own = message.sender === this.client_.self?.user;
    const manages = view.kind !== 'direct' && (view.role === 'owner' || view.role === 'admin');
    const name = own ? 'yourself' : user_name(this.client_, message.sender);
    const actions: MessageActions = {
      react: (one, key) => this.react(one, key),
      reply: (one) => this.composer_.reply(one, name),
      edit: own && message.data === '' ? (one) => this.composer_.edit(one) : null,
      remove: own || manages ? (one) => this.remove(one) : null,
      pin: view.kind !== 'channel' || manages ? (one) => this.pin(one) : null,
    };
    return { message, actions };
  }

  private react(message: Message | null, key: string): void {
    if (this.id_ !== null && message) this.reactions_.toggle(this.id_, message, key);
  }

  private remove(message: Message | null): void {
    const id = this.id_;
    if (id === null || !message) return;
    const own = message.sender === this.client_.self?.user;
    confirm_delete(message, own, () => {
      this.change('Not deleted', () => this.client_.deleteMessage(id, message.seq));
      this.composer_.focus();
    });
  }

  private pin(message: Message): void {
    const id = this.id_;
    if (id === null) return;
    const on = !message.pinned;
    this.change(on ? 'Not pinned' : 'Not unpinned', () => this.client_.pin(id, message.seq, on));
  }

  /** It comes back as an event; only when it fails there is something to say. */
  private change(what: string, work: () => Promise<void>): void {
    if (this.client_.state !== 'ready') return toast(`${what}. ${not_connected}`, 'error', what);
    work().then(
      () => clear_toast(what),
      (error: unknown) => toast_error(what, error),
    );
  }

  private pinned(): Message[] {
    return this.fold_.all().filter((message) => message.pinned);
  }

  private open_pins(): void {
    const { id_: id } = this;
    const view = id === null ? null : this.client_.conversation(id);
    if (!view) return;
    const manages = view.role === 'owner' || view.role === 'admin';
    pins_dialog(
      this.client_,
      {
        pinned: () => this.pinned(),
        go_to: (seq) => void this.go_to(seq),
        unpin: view.kind !== 'channel' || manages ? (message) => this.pin(message) : null,
      },
      (draw) => {
        const offs = [this.client_.on('names', draw)];
        this.pin_watchers_.add(draw);
        draw();
        return () => {
          this.pin_watchers_.delete(draw);
          for (const off of offs) off();
        };
      },
    );
  }

  /** Scrolls to a message and lights it up; what lies between is loaded first. */
  private async go_to(seq: Seq): Promise<void> {
    const turn = this.turn_;
    const row = (): HTMLElement | null =>
      this.rows_.querySelector<HTMLElement>(`.message[data-seq="${seq}"]`);
    while (!row() && this.more_ && this.loaded_ && (this.events_[0]?.seq ?? 0) > seq) {
      const before = this.events_[0]!.seq;
      if (this.loading_) await new Promise((resolve) => setTimeout(resolve, 50));
      else await this.load_older(page_events_max);
      if (turn !== this.turn_ || this.load_failed_) return;
      if (!this.loading_ && this.events_[0]!.seq === before) break;
    }
    const found = row();
    if (!found) return toast('This message is not open to you.');
    this.stick_ = false;
    found.scrollIntoView({ block: 'center' });
    found.focus({ preventScroll: true });
    found.classList.add('flash');
    setTimeout(() => found.classList.remove('flash'), flash_ms);
  }
}
