// typing.ts: who is writing where; forgotten when nothing was heard for a while.
import type { ConversationId, ParleyClient, UserId } from '@parley/client';

export class Typing {
  private readonly until_ = new Map<ConversationId, Map<UserId, number>>();
  private readonly listeners_: (() => void)[] = [];

  constructor(client: ParleyClient) {
    client.on('signal', ({ conversation, sender, kind, lastsMs }) => {
      if (sender === client.self?.user || kind !== 'typing') return;
      if (lastsMs > 0) this.begins(conversation, sender, lastsMs);
      else this.ends(conversation, sender);
    });
    client.on('events', ({ conversation, events }) => {
      for (const event of events)
        if (event.kind === 'message') this.ends(conversation, event.sender);
    });
  }

  on_change(listener: () => void): void {
    this.listeners_.push(listener);
  }

  /** The one heard last is the last one. */
  users(conversation: ConversationId): UserId[] {
    const now = Date.now();
    const all = [...(this.until_.get(conversation) ?? [])];
    return all.filter(([, until]) => until > now).map(([user]) => user);
  }

  private begins(conversation: ConversationId, user: UserId, lasts_ms: number): void {
    const users = this.until_.get(conversation) ?? new Map<UserId, number>();
    this.until_.set(conversation, users);
    users.delete(user);
    users.set(user, Date.now() + lasts_ms);
    setTimeout(() => this.tell(), lasts_ms + 50);
    this.tell();
  }

  private ends(conversation: ConversationId, user: UserId): void {
    if (this.until_.get(conversation)?.delete(user)) this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners_) listener();
  }
}
