// chat_view.ts: one conversation on screen: header, messages with paging both ways, composer.
import {
  isChange,
  type ChatEvent,
  type ConversationId,
  type ConversationView,
  type Message,
  type OutboxItem,
  type ParleyClient,
  type SendOptions,
  type Seq,
} from '@parley/client';
import { ChatHeader } from './chat_header.js';
import { Composer, type ComposerActions } from './composer.js';
import { el } from './dom.js';
import { EventWindow, page_events, type Edge } from './event_window.js';
import { conversation_title, events_sentence, user_name } from './format.js';
import { Growing } from './growing.js';
import { JoinRequests, render_requests_bar, requests_dialog } from './join_requests.js';
import { KnownMessages } from './known_messages.js';
import { Members } from './members.js';
import { ActionBar } from './message_actions.js';
import { MessageCommands } from './message_commands.js';
import { pins_dialog, render_pinned_bar } from './pins.js';
import { Polls, voters_dialog, type PollRow } from './polls.js';
import { when_released } from './press.js';
import { Reactions } from './reactions.js';
import { may, may_name_all, why_silent } from './rights.js';
import { row_element, type RowActions } from './rows.js';
import { Scheduled, render_scheduled_bar, scheduled_dialog } from './scheduled.js';
import { Scroller } from './scroller.js';
import { render_space, type ChannelActions } from './space_channels.js';
import { ThreadPanel } from './thread_panel.js';
import { Threads, threads_dialog, type ThreadNote } from './threads.js';
import { build_rows, type AckedItem, type Row } from './timeline.js';
import { clear_toast, toast, toast_error } from './toasts.js';
import { render_top } from './top_notes.js';
import type { Typing } from './typing.js';
import type { Watches } from './watches.js';

export interface ChatActions extends ChannelActions {
  back: () => void;
  details: (id: ConversationId) => void;
  share: (id: ConversationId) => void;
}

export class ChatView {
  readonly element: HTMLElement;
  private readonly header_: ChatHeader;
  private readonly asking_ = el('div', { class: 'asking-place', hidden: true });
  private readonly requests_: JoinRequests;
  private readonly space_ = el('section', { class: 'space-channels', hidden: true });
  private readonly pinned_ = el('div', { class: 'pinned-place', hidden: true });
  private readonly later_ = el('div', { class: 'scheduled-place', hidden: true });
  private readonly scheduled_: Scheduled;
  private readonly scroller_: Scroller;
  private readonly composer_: Composer;
  private readonly bar_: ActionBar;
  private readonly known_: KnownMessages;
  private readonly members_: Members;
  private readonly reactions_: Reactions;
  private readonly polls_: Polls;
  private readonly growing_: Growing;
  private readonly commands_: MessageCommands;
  private readonly threads_: Threads;
  private readonly thread_: ThreadPanel;
  private id_: ConversationId | null = null;
  private window_: EventWindow;
  private acked_: AckedItem[] = [];
  private pending_: OutboxItem[] = [];
  private read_line_: Seq | null = null;
  private readonly unfolded_ = new Set<string>();
  private frame_ = 0;

  constructor(
    private readonly client_: ParleyClient,
    private readonly typing_: Typing,
    watches: Watches,
    private readonly actions_: ChatActions,
  ) {
    const actions = this.actions_;
    const view = (): ConversationView | null => this.view();
    this.window_ = this.window_of('');
    this.known_ = new KnownMessages(client_);
    this.members_ = new Members(client_, watches, () => this.schedule());
    this.header_ = new ChatHeader(client_, this.members_, {
      back: actions.back,
      details: () => actions.details(this.id_!),
      share: () => actions.share(this.id_!),
      threads: () => threads_dialog(client_, this.threads_, (root) => this.open_thread(root)),
    });
    this.requests_ = new JoinRequests(client_);
    this.requests_.on_change(() => this.schedule());
    this.scheduled_ = new Scheduled(client_);
    this.scheduled_.on_change(() => this.schedule());
    this.composer_ = new Composer(client_, this.composer_actions());
    this.reactions_ = new Reactions(client_, () => this.schedule());
    this.polls_ = new Polls(client_, () => this.schedule());
    this.growing_ = new Growing(client_, ({ stream }) => {
      this.unfolded_.add(`g${stream}`); // it is read as it comes
      this.schedule();
    });
    this.commands_ = new MessageCommands(client_, this.known_, this.reactions_, {
      view,
      info: () => this.members_.info,
      composer: this.composer_,
      open: actions.open,
      open_thread: (root) => this.open_thread(root),
    });
    this.threads_ = new Threads(
      client_,
      () => this.schedule(),
      (seq) => this.known_.get(seq)?.sender ?? null,
    );
    this.scroller_ = new Scroller({
      near: (edge) => void this.load(edge),
      moved: () => this.mark_read(),
      jump: () => void this.to_end(),
    });
    this.bar_ = new ActionBar(
      this.scroller_.rows,
      (seq) => this.commands_.actions_of(seq),
      () => this.composer_.focus(),
    );
    this.thread_ = new ThreadPanel(client_, this.known_, this.reactions_, this.threads_, {
      actions_of: (seq) => this.commands_.actions_of(seq),
      row_actions: ({ conversation }) => this.row_actions(conversation),
      poll: (view, seq) => this.poll_of(view, seq),
      growing: (view, root) => this.growing_.of(view.conversation, root),
      silent: (view) => why_silent(view, this.members_.info),
      closed: () => this.composer_.focus(),
    });
    this.element = el('div', { class: 'chat-panes' }, this.pane(), this.thread_.element);
    this.listen();
  }

  private composer_actions(): ComposerActions {
    return {
      send: (text, options) => void this.send(text, options),
      save: (seq, text) => this.client_.edit(this.id_!, seq, text),
      remove: (seq) => this.commands_.remove(seq),
      last_own: () => this.last_own(),
      later: async (text, replyTo, at) => {
        await this.client_.schedule(this.id_!, text, at, { replyTo });
      },
      poll: (question, poll) => void this.send(question, { poll }),
      typing: (on) => this.id_ !== null && this.client_.typing(this.id_, on),
      people: () => this.members_.others(),
      find_people: (begun) => this.members_.find(begun),
      may_name_all: () => this.may_name_all(),
    };
  }

  private pane(): HTMLElement {
    return el(
      'section',
      { class: 'chat', 'aria-label': 'Conversation' },
      this.header_.element,
      this.asking_,
      this.pinned_,
      this.space_,
      this.scroller_.element,
      this.later_,
      this.composer_.element,
    );
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
    this.read_line_ = view.unread > 0 ? view.read : null;
    this.known_.show(view);
    this.members_.show(view);
    this.threads_.show(view);
    this.requests_.show(view);
    this.composer_.show(id);
    this.client_.open(id);
    this.window_ = this.window_of(id);
    void this.load_anew(view.unread);
    if (matchMedia('(min-width: 721px)').matches) this.composer_.focus();
  }

  hide(): void {
    if (this.id_ === null) return;
    const id = this.id_;
    this.composer_.hide();
    this.client_.close(id);
    this.id_ = null;
    this.window_ = this.window_of('');
    this.known_.show(null);
    this.members_.show(null);
    this.threads_.show(null);
    this.requests_.show(null);
    this.thread_.close();
    this.acked_ = [];
    this.unfolded_.clear();
    this.read_line_ = null;
    this.scroller_.clear();
    this.header_.element.replaceChildren();
    this.pinned_.hidden = true;
  }

  private view(): ConversationView | null {
    return this.id_ === null ? null : this.client_.conversation(this.id_);
  }

  private window_of(id: ConversationId): EventWindow {
    return new EventWindow(this.client_, id, (events) => this.take(events));
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
    client.on('deletedForMe', ({ conversation, seqs }) => {
      if (conversation !== this.id_) return;
      this.window_.forget(seqs);
      this.thread_.forget(seqs);
      for (const seq of seqs) this.composer_.gone(seq);
      this.known_.forget(seqs);
    });
    for (const name of ['list', 'names', 'presence', 'online', 'state'] as const)
      client.on(name, () => this.schedule());
    this.typing_.on_change(() => this.schedule());
    this.known_.on_change(() => this.schedule());
    for (const name of ['focus', 'visibilitychange'])
      addEventListener(name, () => this.mark_read());
    document.addEventListener('visibilitychange', () => this.mark_read());
  }

  private arrived(events: readonly ChatEvent[]): void {
    this.take(events);
    this.threads_.arrived(events);
    this.requests_.arrived(events);
    const fresh = this.window_.arrived(events, this.scroller_.stick);
    if (fresh === null) return this.load_over();
    const foreign = fresh.find(
      (event) => event.kind === 'message' && event.sender !== this.client_.self?.user,
    );
    if (foreign && this.read_line_ === null && !this.looking()) this.read_line_ = foreign.seq - 1;
    if (fresh.some((event) => event.kind !== 'message' && !isChange(event)))
      void this.members_.load();
    this.schedule();
  }

  private take(events: readonly ChatEvent[]): void {
    this.known_.take(events);
    this.thread_.take(events);
    for (const event of events) if (event.kind === 'deleted') this.composer_.gone(event.about);
  }

  private was_reset(id: ConversationId, answer: string, lost: number): void {
    const view = this.client_.conversation(id);
    if (view && lost > 0) {
      const title = conversation_title(this.client_, view);
      const why =
        answer === 'trimmed' ? 'are no longer kept' : 'are gone: the server has another history';
      toast(`${title}: ${lost} message${lost === 1 ? '' : 's'} ${why}`, 'error');
    }
    if (!view || id !== this.id_ || !this.window_.loaded) return;
    if (answer === 'snapshot' && this.window_.last === view.headSeq) return;
    this.load_over();
  }

  // ---- Loading ----

  /** From the end, or where reading stopped when that is far above. */
  private async load_anew(unread: number): Promise<void> {
    const { window_ } = this;
    const far = this.read_line_ !== null && unread > page_events;
    const shown = far ? window_.show_around(this.read_line_!) : window_.show_end();
    this.render();
    if (!(await this.finished(window_, shown, 'The messages could not be loaded'))) return;
    this.scroller_.stick = !far;
    this.render();
    this.scroller_.to_line(far);
    this.mark_read();
    void this.load('newer'); // what came meanwhile
  }

  /** There was a hole, or it is another history: what was known may be wrong. */
  private load_over(): void {
    this.known_.show(this.view());
    void this.load_anew(0);
  }

  private async load(edge: Edge): Promise<void> {
    const window_ = this.window_;
    const asked = window_.load(edge);
    if (window_.loading === edge) this.render();
    const what = `${edge === 'older' ? 'Older' : 'Newer'} messages could not be loaded`;
    if (await this.finished(window_, asked, what)) this.render();
  }

  /** False also when another conversation is on screen now. */
  private async finished(
    window_: EventWindow,
    asked: Promise<boolean>,
    what: string,
  ): Promise<boolean> {
    try {
      return (await asked) && window_ === this.window_;
    } catch (error) {
      if (window_ !== this.window_) return false;
      toast_error(what, error);
      this.render();
      return false;
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
    const draw = (): void => when_released(run);
    this.frame_ = document.hidden ? window.setTimeout(draw, 50) : requestAnimationFrame(draw);
  }

  private render(): void {
    const view = this.view();
    if (!view) return;
    const { window_, scroller_: scroller } = this;
    this.header_.render(view, this.typing_names(), this.threads_.all_unread());
    this.composer_.bar(why_silent(view, this.members_.info));
    this.composer_.people_changed();
    const echoes = new Set(window_.events.map((event) => event.echo));
    this.acked_ = this.acked_.filter(({ item }) => !echoes.has(item.random));
    this.pending_ = this.client_.outbox(view.conversation).filter((item) => !item.threadRoot);
    scroller.busy = window_.loading !== null;
    scroller.whole = !window_.newer;
    scroller.unread = view.unread;
    render_top(scroller.top, {
      window: window_,
      unsent: this.pending_.length > 0,
      offline: this.client_.state !== 'ready',
      kind: view.kind,
      again: () => void (window_.loaded ? this.load('older') : this.load_anew(0)),
    });
    const focused = this.bar_.focused();
    const actions = this.row_actions(view.conversation);
    this.thread_.render();
    scroller.draw(
      this.rows(view).map((row) => ({
        key: row.key,
        signature: JSON.stringify(row),
        build: () => row_element(row, actions),
      })),
    );
    this.bar_.redraw(focused);
    render_space(
      this.space_,
      this.client_,
      view,
      this.members_.info,
      window_.events,
      this.actions_,
    );
    render_scheduled_bar(this.later_, this.scheduled_.of(view.conversation).length, () =>
      scheduled_dialog(this.client_, this.scheduled_, view.conversation),
    );
    render_requests_bar(this.asking_, this.requests_.list.length, () =>
      requests_dialog(this.client_, this.requests_, view.conversation),
    );
    render_pinned_bar(this.pinned_, this.known_.pinned(), () => this.open_pins());
  }

  private rows(view: ConversationView): Row[] {
    const { window_, known_: known } = this;
    // The line stands before the first unread message, which may be above the window.
    const line = this.read_line_;
    const line_known = line !== null && (!window_.older || line + 1 >= window_.first);
    return build_rows({
      events: window_.events
        .filter((event) => !isChange(event) && event.threadRoot === 0)
        .map((event) => known.get(event.seq) ?? event),
      outbox: window_.newer ? [] : this.pending_,
      is_stored: (item) => this.client_.isStored(item),
      acked: window_.newer ? [] : this.acked_,
      self: this.client_.self?.user ?? '',
      others: this.members_.receipts(view),
      read_line: line_known ? line : null,
      show_names: view.kind !== 'direct',
      name: (user) => user_name(this.client_, user),
      sentence: (events) => events_sentence(this.client_, events, view.kind),
      quote: (seq) => known.quote(view, seq),
      reactions: ({ seq }) => {
        const message = known.get(seq);
        return message ? this.reactions_.chips(view.conversation, message) : [];
      },
      thread: ({ seq }) => this.thread_note(seq),
      poll: ({ seq }) => this.poll_of(view, seq),
      growing: window_.newer ? [] : this.growing_.of(view.conversation, 0),
      typing: window_.newer ? [] : this.typing_names(),
      unfolded: this.unfolded_,
    });
  }

  private poll_of(view: ConversationView, seq: Seq): PollRow | null {
    const message = this.known_.get(seq);
    return message ? this.polls_.row(view.conversation, message) : null;
  }

  private thread_note(root: Seq): ThreadNote | null {
    const replies = this.known_.get(root)?.replies ?? 0;
    return replies === 0 ? null : { replies, unread: this.threads_.unread(root) };
  }

  private open_thread(root: Seq): void {
    const view = this.view();
    if (view) this.thread_.open(view, root);
  }

  private row_actions(id: ConversationId): RowActions {
    const { client_: client } = this;
    return {
      retry: (local) => client.retry(id, local),
      discard: (local) => client.discard(id, local),
      react: (seq, key) => this.commands_.react(seq, key),
      look: (seq, key) => {
        const message = this.known_.get(seq);
        if (message) this.reactions_.look(id, message, key);
      },
      vote: (seq, option) => {
        const message = this.known_.get(seq);
        if (message) this.polls_.vote(id, message, option);
      },
      voters: (seq) => {
        const message = this.known_.get(seq);
        if (message) voters_dialog(client, id, message);
      },
      go_to: (seq) => void this.go_to(seq),
      open_thread: (root) => this.open_thread(root),
      unfold: (key) => {
        this.unfolded_.add(key);
        this.scroller_.stick = false; // one reads on from here
        this.render();
      },
    };
  }

  private typing_names(): string[] {
    if (this.id_ === null) return [];
    return this.typing_.users(this.id_).map((user) => user_name(this.client_, user));
  }

  // ---- Reading ----

  private looking(): boolean {
    return this.window_.loaded && document.visibilityState === 'visible' && document.hasFocus();
  }

  /** Up to what was on screen. */
  private mark_read(): void {
    if (this.id_ === null || !this.looking()) return;
    const seq = this.scroller_.stick ? this.window_.last : this.scroller_.last_seen();
    if (seq > 0) this.client_.markRead(this.id_, seq);
  }

  private async to_end(): Promise<void> {
    const window_ = this.window_;
    if (window_.newer) {
      const shown = window_.show_end();
      this.render();
      if (!(await this.finished(window_, shown, 'The messages could not be loaded'))) return;
      this.scroller_.whole = true;
    }
    this.scroller_.stick = true;
    this.render();
    this.mark_read();
  }

  /** Scrolls to a message and lights it up, wherever it stands. */
  private async go_to(seq: Seq): Promise<void> {
    const window_ = this.window_;
    if (!this.scroller_.row_of(seq)) {
      const shown = window_.show_around(seq);
      this.scroller_.stick = false;
      this.render();
      if (!(await this.finished(window_, shown, 'The message could not be loaded'))) return;
      this.render();
    }
    const row = this.scroller_.row_of(seq);
    if (row) this.scroller_.flash(row);
    else toast('This message is not open to you.');
  }

  // ---- Writing ----

  private async send(text: string, options: SendOptions): Promise<void> {
    const id = this.id_;
    if (id === null) return;
    const what = 'Not sent';
    this.read_line_ = null;
    const sent = this.client_.send(id, text, options);
    void this.to_end();
    try {
      await sent;
      clear_toast(what);
    } catch (error) {
      // What is kept as failed shows so in its place, with the text.
      if (this.client_.outbox(id).some((item) => item.text === text)) return;
      this.composer_.restore(id, text);
      toast_error(what, error);
    }
  }

  private last_own(): Message | null {
    const self = this.client_.self?.user;
    for (const { seq } of [...this.window_.events].reverse()) {
      const message = this.known_.get(seq);
      if (message && message.sender === self && !message.deleted && message.data === '')
        return message;
    }
    return null;
  }

  private may_name_all(): boolean {
    const view = this.view();
    return view !== null && view.kind !== 'direct' && may_name_all(view, this.members_.count);
  }

  private open_pins(): void {
    const view = this.view();
    if (!view) return;
    pins_dialog(
      this.client_,
      {
        pinned: () => this.known_.pinned(),
        go_to: (seq) => void this.go_to(seq),
        unpin: may(view, 'pin') ? (message) => this.commands_.pin(message) : null,
      },
      (draw) => {
        const offs = [this.client_.on('names', draw), this.known_.on_change(draw)];
        draw();
        return () => offs.forEach((off) => off());
      },
    );
  }
}
