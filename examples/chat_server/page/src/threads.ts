// threads.ts: the threads of the conversation on screen that this user follows, and what is unread in them.
import type {
  ChatEvent,
  ConversationView,
  ParleyClient,
  Seq,
  ThreadState,
  UserId,
} from '@parley/client';
import { dialog } from './dialog.js';
import { el } from './dom.js';
import { list_time, snippet, user_name } from './format.js';

const listed_threads = 50;

export interface ThreadNote {
  replies: number;
  unread: number;
}

export class Threads {
  private view_: ConversationView | null = null;
  private loading_ = false;
  private readonly followed_ = new Map<Seq, ThreadState>();

  constructor(
    private readonly client_: ParleyClient,
    private readonly changed_: () => void,
    /** Who wrote a message; null: not known. */
    private readonly sender_of_: (seq: Seq) => UserId | null,
  ) {
    client_.on('thread', (thread) => {
      if (thread.conversation === this.view_?.conversation) this.learn(thread);
    });
  }

  show(view: ConversationView | null): void {
    this.view_ = view;
    this.followed_.clear();
    void this.load();
  }

  learn(thread: ThreadState): void {
    const root = thread.root.seq;
    if (thread.followed) this.followed_.set(root, thread);
    else this.followed_.delete(root);
    this.changed_();
  }

  /** Replies that were pushed are unread in the threads that are followed. */
  arrived(events: readonly ChatEvent[]): void {
    const self = this.client_.self?.user;
    for (const { kind, threadRoot, sender, seq } of events) {
      if (kind !== 'message' || threadRoot === 0) continue;
      const thread = this.followed_.get(threadRoot);
      if (!thread) {
        // Whoever replies, or wrote what is replied to, follows from then on.
        if (sender === self || this.sender_of_(threadRoot) === self) void this.load();
      } else if (seq > thread.root.lastReply) {
        const unread = thread.unread + Number(sender !== self && seq > thread.read);
        const root = { ...thread.root, lastReply: seq, replies: thread.root.replies + 1 };
        this.followed_.set(threadRoot, { ...thread, unread, root });
      }
    }
  }

  unread(root: Seq): number {
    return this.followed_.get(root)?.unread ?? 0;
  }

  /** In all threads that are followed. */
  all_unread(): number {
    return [...this.followed_.values()].reduce((sum, { unread }) => sum + unread, 0);
  }

  /** The newest root first. */
  all(): ThreadState[] {
    return [...this.followed_.values()].sort((a, b) => b.root.seq - a.root.seq);
  }

  private async load(): Promise<void> {
    const view = this.view_;
    if (!view || this.loading_) return;
    this.loading_ = true;
    try {
      const page = await this.client_.threads(view.conversation, { limit: listed_threads });
      if (view !== this.view_) return;
      for (const thread of page.threads) this.followed_.set(thread.root.seq, thread);
      this.changed_();
    } catch {
      // What changes is told; the next opening asks again.
    } finally {
      this.loading_ = false;
    }
    if (view !== this.view_) void this.load();
  }
}

export function threads_dialog(
  client: ParleyClient,
  threads: Threads,
  open: (root: Seq) => void,
): void {
  const line = ({ root, unread }: ThreadState): HTMLElement => {
    const enter = (): void => {
      window_.close();
      open(root.seq);
    };
    const replies = `${root.replies} ${root.replies === 1 ? 'reply' : 'replies'}`;
    return el(
      'li',
      {},
      el(
        'button',
        { type: 'button', class: 'pin-line', on: { click: enter } },
        el(
          'span',
          { class: 'line' },
          el('span', { class: 'title' }, user_name(client, root.sender)),
          el('time', {}, list_time(root.time)),
        ),
        el('span', { class: 'pin-text', dir: 'auto' }, snippet(root)),
        el(
          'span',
          { class: 'line' },
          el('span', { class: 'subtitle' }, replies),
          unread > 0 ? el('span', { class: 'badge' }, String(unread)) : null,
        ),
      ),
    );
  };
  const lines = threads.all().map(line);
  const none = el('p', { class: 'subtitle wrap' }, 'You follow no thread here. Reply in one.');
  const window_ = dialog(
    'Threads',
    lines.length > 0 ? el('ul', { class: 'pins' }, ...lines) : none,
  );
}
