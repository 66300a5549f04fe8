// memory_storage.ts: a storage that lives as long as the object; for Node scripts, bots and tests.
import { forget, redact } from './messages.js';
import type {
  ClientStorage,
  StorageBatch,
  StoredConversation,
  StoredMeta,
  StoredState,
} from './storage.js';
import type { ChatEvent, ConversationId, OutboxItem, Seq, UserName } from './types.js';

function outbox_key(conversation: ConversationId, local: string): string {
  return `${conversation}/${local}`;
}

export class MemoryStorage implements ClientStorage {
  private meta_: StoredMeta | null = null;
  private readonly conversations_ = new Map<ConversationId, StoredConversation>();
  private readonly outbox_ = new Map<string, OutboxItem>();
  private readonly names_ = new Map<string, UserName>();
  private readonly events_ = new Map<ConversationId, Map<Seq, ChatEvent>>();

  async load(): Promise<StoredState> {
    return structuredClone({
      meta: this.meta_,
      conversations: [...this.conversations_.values()],
      outbox: [...this.outbox_.values()],
      names: [...this.names_.values()],
    });
  }

  async commit(batch: StorageBatch): Promise<void> {
    const copy = structuredClone(batch);
    if (copy.meta) this.meta_ = copy.meta;
    for (const name of copy.names ?? []) this.names_.set(name.user, name);
    for (const id of copy.removedConversations ?? []) {
      this.conversations_.delete(id);
      this.events_.delete(id);
      for (const [key, item] of this.outbox_)
        if (item.conversation === id) this.outbox_.delete(key);
    }
    for (const row of copy.conversations ?? []) this.conversations_.set(row.conversation, row);
    for (const item of copy.removedOutbox ?? []) {
      this.outbox_.delete(outbox_key(item.conversation, item.local));
    }
    for (const item of copy.outbox ?? []) {
      this.outbox_.set(outbox_key(item.conversation, item.local), item);
    }
    for (const drop of copy.dropEvents ?? []) {
      if (drop.below === undefined) {
        this.events_.delete(drop.conversation);
        continue;
      }
      const events = this.events_.get(drop.conversation);
      for (const seq of events?.keys() ?? []) if (seq < drop.below) events?.delete(seq);
    }
    for (const run of copy.events ?? []) {
      const events = this.events_.get(run.conversation) ?? new Map<Seq, ChatEvent>();
      for (const event of run.events) events.set(event.seq, event);
      this.events_.set(run.conversation, events);
    }
    for (const { conversation, seq, changed } of copy.deletedMessages ?? []) {
      const events = this.events_.get(conversation);
      for (const event of events?.values() ?? [])
        events!.set(event.seq, redact(event, seq, changed));
    }
    for (const { conversation, seqs } of copy.deletedForMe ?? []) {
      const gone = new Set(seqs);
      const events = this.events_.get(conversation);
      for (const event of events?.values() ?? []) events!.set(event.seq, forget(event, gone));
    }
  }

  async events(
    conversation: ConversationId,
    from: Seq,
    before: Seq,
    limit: number,
  ): Promise<ChatEvent[]> {
    const events = [...(this.events_.get(conversation)?.values() ?? [])]
      .filter((event) => event.seq >= from && event.seq < before)
      .sort((a, b) => a.seq - b.seq);
    return structuredClone(events.slice(Math.max(0, events.length - limit)));
  }

  async clear(): Promise<void> {
    this.meta_ = null;
    this.conversations_.clear();
    this.outbox_.clear();
    this.names_.clear();
    this.events_.clear();
  }

  close(): void {}
}
