// thread_panel.ts: one thread beside the conversation: its root, the replies, and where one replies.
import type {
  ChatEvent,
  ConversationView,
  OutboxItem,
  ParleyClient,
  Seq,
  ThreadState,
} from '@parley/client';
import { el, icon, icon_button } from './dom.js';
import { user_name } from './format.js';
import type { GrowingText } from './growing.js';
import type { KnownMessages } from './known_messages.js';
import { ActionBar, type ActionsOf } from './message_actions.js';
import type { PollRow } from './polls.js';
import type { Reactions } from './reactions.js';
import { row_element, type RowActions } from './rows.js';
import { Scroller } from './scroller.js';
import type { Threads } from './threads.js';
import { build_rows } from './timeline.js';
import { toast_error } from './toasts.js';

const page_replies = 50;

export interface ThreadActions {
  actions_of: ActionsOf;
  row_actions: (view: ConversationView) => RowActions;
  poll: (view: ConversationView, seq: Seq) => PollRow | null;
  /** What is still being written in the thread of a root. */
  growing: (view: ConversationView, root: Seq) => GrowingText[];
  /** Why one may not write; '' when one may. */
  silent: (view: ConversationView) => string;
  closed: () => void;
}

export class ThreadPanel {
  readonly element: HTMLElement;
  private readonly follow_ = el('button', { type: 'button', class: 'button quiet' });
  private readonly scroller_: Scroller;
  private readonly bar_: ActionBar;
  private readonly input_ = el('textarea', {
    rows: '1',
    placeholder: 'Reply in the thread',
    'aria-label': 'Reply in the thread',
    autocomplete: 'off',
  });
  private readonly line_: HTMLElement;
  private readonly barred_ = el('p', { class: 'barred', hidden: true });
  private view_: ConversationView | null = null;
  private thread_: ThreadState | null = null;
  private root_: Seq = 0;
  private replies_: ChatEvent[] = [];
  private more_ = false;
  private loading_ = false;

  constructor(
    private readonly client_: ParleyClient,
    private readonly known_: KnownMessages,
    private readonly reactions_: Reactions,
    private readonly threads_: Threads,
    private readonly actions_: ThreadActions,
  ) {
    this.scroller_ = new Scroller({
      near: (edge) => edge === 'older' && void this.load_older(),
      moved: () => this.mark_read(),
      jump: () => this.scroller_.to_bottom(),
    });
    this.bar_ = new ActionBar(
      this.scroller_.rows,
      (seq) => this.actions_of(seq),
      () => this.input_.focus(),
    );
    this.follow_.addEventListener('click', () => this.toggle_follow());
    this.input_.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.close();
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.send();
    });
    const submit = el(
      'button',
      { type: 'submit', class: 'send', 'aria-label': 'Reply', title: 'Reply' },
      icon('send'),
    );
    this.line_ = el('div', { class: 'line' }, this.input_, submit);
    const form = el('form', { class: 'composer' }, this.barred_, this.line_);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.send();
    });
    const header = el(
      'header',
      { class: 'thread-header' },
      el('h2', {}, 'Thread'),
      this.follow_,
      icon_button('close', 'Close the thread', () => this.close()),
    );
    this.element = el(
      'aside',
      { class: 'thread', 'aria-label': 'Thread', hidden: true },
      header,
      this.scroller_.element,
      form,
    );
  }

  get root(): Seq {
    return this.root_;
  }

  open(view: ConversationView, root: Seq): void {
    this.clear();
    this.view_ = view;
    this.root_ = root;
    this.element.hidden = false;
    this.render();
    void this.load();
    this.input_.focus();
  }

  close(): void {
    if (this.root_ === 0) return;
    this.clear();
    this.actions_.closed();
  }

  private clear(): void {
    this.element.hidden = true;
    this.view_ = null;
    this.thread_ = null;
    this.root_ = 0;
    this.replies_ = [];
    this.more_ = this.loading_ = false;
    this.scroller_.clear();
    this.input_.value = '';
  }

  /** What was pushed. */
  take(events: readonly ChatEvent[]): void {
    const last = this.replies_.at(-1)?.seq ?? 0;
    for (const event of events)
      if (event.kind === 'message' && event.threadRoot === this.root_ && event.seq > last)
        this.replies_.push(event);
  }

  /** The user deleted these for itself alone. */
  forget(seqs: readonly Seq[]): void {
    if (seqs.includes(this.root_)) return this.close();
    this.replies_ = this.replies_.filter(({ seq }) => !seqs.includes(seq));
  }

  render(): void {
    const { view_: view } = this;
    if (!view) return;
    const { thread_: thread, client_: client } = this;
    this.bar(this.actions_.silent(view));
    this.follow_.hidden = thread === null;
    this.follow_.textContent = thread?.followed ? 'Following' : 'Follow';
    this.follow_.setAttribute('aria-pressed', String(thread?.followed ?? false));
    const root = this.known_.get(this.root_);
    const rows = build_rows({
      events: [...(root ? [root] : []), ...this.replies_].map(
        (event) => this.known_.get(event.seq) ?? event,
      ),
      outbox: this.pending(view),
      is_stored: (item) => client.isStored(item),
      acked: [],
      self: client.self?.user ?? '',
      others: null,
      read_line: null,
      show_names: true,
      name: (user) => user_name(client, user),
      sentence: () => '',
      quote: (seq) => this.known_.quote(view, seq),
      reactions: ({ seq }) => {
        const message = this.known_.get(seq);
        return message ? this.reactions_.chips(view.conversation, message) : [];
      },
      thread: () => null,
      poll: ({ seq }) => this.actions_.poll(view, seq),
      growing: this.actions_.growing(view, this.root_),
      typing: [],
      unfolded: new Set(),
    });
    const at = rows.findIndex((row) => row.kind === 'message' && row.seq === this.root_);
    const root_row = rows[at];
    if (root_row?.kind === 'message') root_row.tick = 'none'; // the conversation shows it
    const replies = root?.replies ?? 0;
    if (at >= 0 && replies > 0) {
      const text = replies === 1 ? '1 reply' : `${replies} replies`;
      rows.splice(at + 1, 0, { kind: 'new', key: 'replies', text });
    }
    const focused = this.bar_.focused();
    const actions = this.actions_.row_actions(view);
    this.scroller_.draw(
      rows.map((row) => ({
        key: row.key,
        signature: JSON.stringify(row),
        build: () => row_element(row, actions),
      })),
    );
    this.bar_.redraw(focused);
    this.mark_read();
  }

  private bar(why: string): void {
    this.barred_.textContent = why;
    this.barred_.hidden = why === '';
    this.line_.hidden = why !== '';
  }

  /** The composer of the conversation is not that of the thread. */
  private actions_of(seq: Seq): ReturnType<ActionsOf> {
    const found = this.actions_.actions_of(seq);
    if (!found) return null;
    return {
      message: found.message,
      actions: { ...found.actions, reply: null, edit: null, thread: null },
    };
  }

  private pending(view: ConversationView): OutboxItem[] {
    return this.client_
      .outbox(view.conversation)
      .filter((item) => (item.threadRoot ?? 0) === this.root_);
  }

  private async load(): Promise<void> {
    const { view_: view, root_: root } = this;
    if (!view) return;
    try {
      const page = await this.client_.thread(view.conversation, root, { limit: page_replies });
      if (view !== this.view_ || root !== this.root_) return;
      this.known_.take([page.thread.root, ...page.replies]);
      const last = page.replies.at(-1)?.seq ?? 0;
      this.replies_ = [...page.replies, ...this.replies_.filter(({ seq }) => seq > last)];
      this.thread_ = page.thread;
      this.more_ = page.more;
      this.render();
    } catch (error) {
      toast_error('The thread could not be loaded', error);
    }
  }

  private async load_older(): Promise<void> {
    const { view_: view, root_: root } = this;
    const first = this.replies_[0]?.seq ?? 0;
    if (!view || !this.more_ || this.loading_ || first === 0) return;
    this.loading_ = true;
    try {
      const page = await this.client_.thread(view.conversation, root, {
        from: first,
        limit: page_replies,
      });
      if (view !== this.view_ || root !== this.root_) return;
      this.known_.take(page.replies);
      this.replies_ = [...page.replies.filter(({ seq }) => seq < first), ...this.replies_];
      this.more_ = page.more;
      this.render();
    } catch (error) {
      toast_error('Older replies could not be loaded', error);
    } finally {
      this.loading_ = false;
    }
  }

  private mark_read(): void {
    const last = this.replies_.at(-1)?.seq ?? 0;
    const looking = document.visibilityState === 'visible' && document.hasFocus();
    const { view_: view, thread_: thread } = this;
    if (!view || !thread?.followed || !looking || !this.scroller_.stick) return;
    if (last <= thread.read) return;
    this.thread_ = { ...thread, read: last };
    this.client_
      .readThread(view.conversation, this.root_, last)
      .then((now) => this.threads_.learn(now))
      .catch(() => undefined); // the next reply or opening tries again
  }

  private toggle_follow(): void {
    const { view_: view, thread_: thread } = this;
    if (!view || !thread) return;
    this.client_
      .followThread(view.conversation, this.root_, !thread.followed)
      .then((now) => {
        if (now.root.seq === this.root_) this.thread_ = now;
        this.threads_.learn(now);
        this.render();
      })
      .catch((error: unknown) => toast_error('Not changed', error));
  }

  private send(): void {
    const { view_: view, root_: root } = this;
    const text = this.input_.value.trim();
    if (!view || text === '') return;
    this.input_.value = '';
    this.scroller_.to_bottom();
    this.client_.send(view.conversation, text, { threadRoot: root }).then(
      () => {
        // Who replies follows.
        if (this.thread_ && root === this.root_) this.thread_ = { ...this.thread_, followed: true };
        this.render();
      },
      (error: unknown) => {
        if (root === this.root_ && this.input_.value === '') this.input_.value = text;
        toast_error('Not sent', error);
      },
    );
    this.render();
  }
}
