// members.ts: who is in the conversation on screen, which is watched as a whole, and the first
// hundred by name.
import type {
  ConversationInfo,
  ConversationView,
  Member,
  ParleyClient,
  Seq,
  UserId,
} from '@parley/client';
import { on_comings } from './comings.js';
import { user_name } from './format.js';
import type { Person } from './mentions.js';
import type { Watches } from './watches.js';

const watched_members = 100;
const found_members = 20;
const prefix_bytes = 64;

/** As much of a beginning as the engine looks for. */
export function search_prefix(text: string): string {
  const encoder = new TextEncoder();
  let prefix = text.trim();
  while (encoder.encode(prefix).length > prefix_bytes) prefix = prefix.slice(0, -1);
  return prefix;
}

export class Members {
  list: readonly Member[] = [];
  /** Of all, also those that are not in the list; 0: not known yet. */
  count = 0;
  /** What is set, and whether this user is muted; null: not known, or of two people. */
  info: ConversationInfo | null = null;
  private view_: ConversationView | null = null;
  private off_: () => void = () => undefined;
  /** Found by the beginnings of their names, which are the keys; null: asked for. */
  private readonly found_ = new Map<string, readonly Member[] | null>();

  constructor(
    private readonly client_: ParleyClient,
    private readonly watches_: Watches,
    private readonly changed_: () => void,
  ) {}

  show(view: ConversationView | null): void {
    const before = this.view_;
    if (before && before.kind !== 'direct') {
      this.watches_.set(before.conversation, 'members', []);
      this.client_.watchConversation(before.conversation, false);
    }
    if (view && view.kind !== 'direct') this.client_.watchConversation(view.conversation);
    this.off_();
    this.view_ = view;
    this.list = [];
    this.found_.clear();
    this.count = 0;
    this.info = null;
    if (view) {
      const knows = (user: UserId): boolean => this.list.some((member) => member.user === user);
      this.off_ = on_comings(this.client_, view, knows, () => void this.load());
    }
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
    if (view.kind !== 'direct') this.watches_.set(view.conversation, 'members', users);
    this.changed_();
  }

  /** Who may be named in a message: those in the list, and who was found. */
  others(): Person[] {
    const found = [...this.found_.values()].flatMap((members) => members ?? []);
    const users = new Set([...this.list, ...found].map(({ user }) => user));
    users.delete(this.self());
    return [...users].map((user) => ({ user, name: user_name(this.client_, user) }));
  }

  /** Members who are not in the list, by the beginning of their names; `changed` tells when they are there. */
  find(begun: string): void {
    const view = this.view_;
    const prefix = search_prefix(begun).toLowerCase();
    if (!view || prefix === '' || this.count <= this.list.length || this.found_.has(prefix)) return;
    this.found_.set(prefix, null);
    this.client_
      .members(view.conversation, { prefix, limit: found_members })
      .then(({ members }) => {
        if (view !== this.view_) return;
        this.found_.set(prefix, members);
        this.changed_();
      })
      .catch(() => this.found_.delete(prefix)); // those in the list can be named all the same
  }

  /** How many are online, this user too, and the names of others: of all, or of a few. */
  online(): { count: number; names: string[]; all: boolean } {
    const view = this.view_;
    if (!view) return { count: 0, names: [], all: false };
    const { step, count, users } = this.client_.online(view.conversation);
    const all = step === 'full';
    // The engine named everybody once; who has come since, and gone, the list knows.
    const whole = this.list.length === this.count;
    const listed = all ? this.list_online() : [];
    const here = new Set(all && whole ? listed : [...users, ...listed]);
    const others = [...here].filter((user) => user !== this.self());
    const names = others.map((user) => user_name(this.client_, user));
    return { count: all ? here.size : count, names, all };
  }

  private list_online(): UserId[] {
    return this.list
      .map(({ user }) => user)
      .filter((user) => this.client_.presence(user)?.online === true);
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
