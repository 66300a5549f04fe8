// chat_view.ts: one conversation on screen: header, messages with paging upward, composer.
import type {
  ChatEvent,
  ConversationId,
  ConversationView,
  Member,
  OutboxItem,
  ParleyClient,
  Seq,
  UserId,
} from '@parley/client';
import { el, icon, icon_button, reconcile } from './dom.js';
import { avatar, conversation_title, event_sentence, last_seen, user_name } from './format.js';
import { row_element } from './rows.js';
import { build_rows, typing_text, type AckedItem } from './timeline.js';
import { toast, toast_error } from './toasts.js';

const page_events = 50;
const page_events_max = 256;
const near_top_px = 600;
const near_bottom_px = 48;
const typing_shown_ms = 5_000;
const watched_members = 100;

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
    tabindex: '0',
  });
  private readonly top_ = el('div', { class: 'top' });
  private readonly jump_ = el('button', { type: 'button', class: 'jump', hidden: true });
  private readonly input_ = el('textarea', {
    rows: '1',
    placeholder: 'Write a message',
    'aria-label': 'Message',
    enterkeyhint: 'send',
    autocomplete: 'off',
  });
  private readonly composer_: HTMLFormElement;
  private id_: ConversationId | null = null;
  private events_: ChatEvent[] = [];
  private loaded_ = false;
  private more_ = false;
  private loading_ = false;
  private load_failed_ = false;
  private acked_: AckedItem[] = [];
  private members_: Member[] = [];
  private member_count_ = 0;
  private read_line_: Seq | null = null;
  private stick_ = true;
  private readonly drafts_ = new Map<ConversationId, string>();
  private readonly typing_ = new Map<UserId, number>();
  private typing_timer_ = 0;
  private frame_ = 0;
  /** Grows with every conversation shown, so that late answers for an earlier one are dropped. */
  private turn_ = 0;

  constructor(
    private readonly client_: ParleyClient,
    private readonly actions_: ChatActions,
  ) {
    const send = el(
      'button',
      { type: 'submit', class: 'send', 'aria-label': 'Send', title: 'Send' },
      icon('send'),
    );
    this.composer_ = el('form', { class: 'composer' }, this.input_, send);
    this.scroller_.append(this.top_, this.rows_);
    const body = el('div', { class: 'chat-body' }, this.scroller_, this.jump_);
    this.element = el(
      'section',
      { class: 'chat', 'aria-label': 'Conversation' },
      this.header_,
      body,
      this.composer_,
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
    this.input_.value = this.drafts_.get(id) ?? '';
    this.grow();
    this.client_.open(id);
    this.render();
    void this.load_first(view.unread);
    void this.load_members();
    if (matchMedia('(min-width: 721px)').matches) this.input_.focus();
  }

  hide(): void {
    if (this.id_ === null) return;
    const id = this.id_;
    this.drafts_.set(id, this.input_.value);
    this.client_.close(id);
    if (this.client_.conversation(id)?.kind !== 'direct') this.client_.watch(id, []);
    this.id_ = null;
    this.turn_ += 1;
    this.events_ = [];
    this.acked_ = [];
    this.members_ = [];
    this.member_count_ = 0;
    this.typing_.clear();
    this.loaded_ = this.more_ = this.loading_ = this.load_failed_ = false;
    this.read_line_ = null;
    this.stick_ = true;
    this.rows_.replaceChildren();
    this.header_.replaceChildren();
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
      if (conversation === this.id_ && kind === 'typing' && sender !== client.self?.user)
        this.types(sender);
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
    this.composer_.addEventListener('submit', (event) => {
      event.preventDefault();
      this.send();
    });
    this.input_.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.send();
    });
    this.input_.addEventListener('input', () => {
      this.grow();
      if (this.id_ !== null && this.input_.value.trim() !== '') this.client_.typing(this.id_);
    });
  }

  private arrived(events: ChatEvent[]): void {
    if (!this.loaded_) {
      this.early_.push(...events);
      return;
    }
    const last = this.events_[this.events_.length - 1];
    const fresh = last ? events.filter((event) => event.seq > last.seq) : events;
    if (fresh.length === 0) return;
    if (last && fresh[0]!.seq !== last.seq + 1) {
      void this.load_first(0); // a hole: start over from the end
      return;
    }
    this.events_.push(...fresh);
    for (const event of fresh) this.typing_.delete(event.sender);
    const foreign = fresh.find(
      (event) => event.kind === 'message' && event.sender !== this.client_.self?.user,
    );
    if (foreign && this.read_line_ === null && !this.looking()) this.read_line_ = foreign.seq - 1;
    if (fresh.some((event) => event.kind !== 'message')) void this.load_members();
    this.schedule();
  }
  private early_: ChatEvent[] = [];

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
    void this.load_first(0);
  }

  private types(user: UserId): void {
    this.typing_.set(user, Date.now() + typing_shown_ms);
    clearTimeout(this.typing_timer_);
    this.typing_timer_ = window.setTimeout(() => this.schedule(), typing_shown_ms + 50);
    this.schedule();
  }

  // ---- Loading ----

  private async load_first(unread: number): Promise<void> {
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

  private async load_older(): Promise<void> {
    const first = this.events_[0];
    if (this.id_ === null || !first || !this.more_ || this.loading_ || !this.loaded_) return;
    const turn = this.turn_;
    this.loading_ = true;
    this.load_failed_ = false;
    this.render();
    try {
      const { events, more } = await this.client_.history(this.id_, {
        before: first.seq,
        limit: page_events,
      });
      if (turn !== this.turn_) return;
      const older = events.filter((event) => event.seq < this.events_[0]!.seq);
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
    const echoes = new Set(this.events_.map((event) => event.echo));
    this.acked_ = this.acked_.filter(({ item }) => !echoes.has(item.random));
    this.pending_ = this.client_.outbox(view.conversation);
    const rows = build_rows({
      events: this.events_,
      outbox: this.pending_,
      is_stored: (item) => this.client_.isStored(item),
      acked: this.acked_,
      self: this.client_.self?.user ?? '',
      others: this.others(view),
      read_line: this.read_line_,
      show_names: view.kind !== 'direct',
      name: (user) => user_name(this.client_, user),
      sentence: (event) => event_sentence(this.client_, event, view.kind),
      typing: this.typing_names(),
    });
    const { id_: id, client_: client } = this;
    const actions = {
      retry: (local: string) => client.retry(id!, local),
      discard: (local: string) => client.discard(id!, local),
    };
    const anchor = this.stick_ ? null : this.anchor();
    reconcile(
      this.rows_,
      rows.map((row) => ({
        key: row.key,
        signature: JSON.stringify(row),
        build: () => row_element(row, actions),
      })),
    );
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
    const state = this.loading_
      ? 'loading'
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

  private grow(): void {
    this.input_.style.height = 'auto';
    if (this.input_.scrollHeight === 0) return; // not on screen yet
    this.input_.style.height = `${Math.min(this.input_.scrollHeight, 160)}px`;
  }

  private send(): void {
    const text = this.input_.value.trim();
    if (this.id_ === null || text === '') return;
    this.input_.value = '';
    this.grow();
    this.input_.focus();
    this.read_line_ = null;
    this.client_.send(this.id_, text).catch((error: unknown) => toast_error('Not sent', error));
    this.to_bottom();
    this.render();
    this.to_bottom();
  }
}
