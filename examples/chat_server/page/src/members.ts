// members.ts: who is in the conversation on screen: the first hundred are watched.
import type { ConversationInfo, ConversationView, Member, ParleyClient, Seq } from '@parley/client';
import { user_name } from './format.js';
import type { Person } from './mentions.js';

const watched_members = 100;

export class Members {
  list: readonly Member[] = [];
  /** Of all, also those that are not in the list; 0: not known yet. */
  count = 0;
  /** What is set, and whether this user is muted; null: not known, or of two people. */
  info: ConversationInfo | null = null;
  private view_: ConversationView | null = null;

  constructor(
    private readonly client_: ParleyClient,
    private readonly changed_: () => void,
  ) {}

  show(view: ConversationView | null): void {
    const before = this.view_;
    if (before && before.kind !== 'direct') this.client_.watch(before.conversation, []);
    this.view_ = view;
    this.list = [];
    this.count = 0;
    this.info = null;
    void this.load();
  }

  async load(): Promise<void> {
    const view = this.view_;
    if (!view) return;
    try {
      const id = view.conversation;
      const [page, info] = await Promise.all([
        this.client_.members(id, { limit: watched_members }),
        view.kind === 'direct' ? null : this.client_.info(id),
      ]);
      if (view !== this.view_) return;
      this.info = info;
      this.list = page.members;
      this.count = page.count;
    } catch {
      return; // the header does without; the next membership event or opening asks again
    }
    const users = this.list.map((member) => member.user).filter((user) => user !== this.self());
    if (view.kind !== 'direct') this.client_.watch(view.conversation, users);
    this.changed_();
  }

  /** Who may be named in a message. */
  others(): Person[] {
    return this.list
      .filter(({ user }) => user !== this.self())
      .map(({ user }) => ({ user, name: user_name(this.client_, user) }));
  }

  online(): number {
    const { client_: client } = this;
    return this.list.filter(({ user }) => user === this.self() || client.presence(user)?.online)
      .length;
  }

  /** How far all others have come; null: not told here. */
  receipts(view: ConversationView): { received: Seq; read: Seq } | null {
    if (view.kind === 'channel' || view.peer === this.self()) return null;
    const users = view.kind === 'direct' ? [view.peer] : this.list.map((member) => member.user);
    const others = users.filter((user) => user !== this.self());
    if (others.length === 0 || this.count > this.list.length) return null;
    const all = this.client_.receipts(view.conversation);
    const known = new Map(all.map((receipt) => [receipt.user, receipt]));
    return {
      received: Math.min(...others.map((user) => known.get(user)?.received ?? 0)),
      read: Math.min(...others.map((user) => known.get(user)?.read ?? 0)),
    };
  }

  private self(): string {
    return this.client_.self?.user ?? '';
  }
}
