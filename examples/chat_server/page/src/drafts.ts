// drafts.ts: what is written and not sent: kept in this window, and in the user's list for the other ones.
import type { ConversationId, ParleyClient } from '@parley/client';
import { stored_drafts, store_drafts, type Draft } from './device.js';

const told_after_ms = 1_000;
/** More is kept in this window only. */
const told_bytes = 4_096;
const remembered = 8;

export class Drafts {
  private readonly drafts_ = stored_drafts();
  private readonly timers_ = new Map<ConversationId, number>();
  /** Told to the list and not come back from there yet. */
  private readonly told_ = new Map<ConversationId, string[]>();

  /** `follow`: the draft of this conversation was written in another window. */
  constructor(
    private readonly client_: ParleyClient,
    private readonly follow_: (id: ConversationId) => void,
  ) {
    client_.on('list', () => this.compare());
    client_.on('state', ({ state }) => {
      if (state === 'ready') this.tell_all();
    });
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.tell_all();
    });
    addEventListener('pagehide', () => this.tell_all());
  }

  text(id: ConversationId): string {
    return this.of(id).text;
  }

  write(id: ConversationId, text: string): void {
    this.of(id).text = text;
    clearTimeout(this.timers_.get(id));
    this.timers_.set(
      id,
      window.setTimeout(() => this.tell(id), told_after_ms),
    );
  }

  /** Stores it, without waiting for a pause. */
  tell(id: ConversationId): void {
    clearTimeout(this.timers_.get(id));
    this.timers_.delete(id);
    this.keep();
    const draft = this.of(id);
    if (this.client_.state !== 'ready' || !this.client_.conversation(id)) return;
    const text = draft.text.trim() === '' ? '' : draft.text;
    if (text === draft.listed || new TextEncoder().encode(text).length > told_bytes) return;
    const before = draft.listed;
    draft.listed = text;
    const told = [...(this.told_.get(id) ?? []), text].slice(-remembered);
    this.told_.set(id, told);
    this.client_.setList(id, { draft: text }).catch(() => {
      // It stays in this window; the next pause tries again.
      if (draft.listed === text) draft.listed = before;
    });
  }

  private tell_all(): void {
    for (const id of this.drafts_.keys()) this.tell(id);
  }

  private of(id: ConversationId): Draft {
    const listed = this.listed(id);
    const draft = this.drafts_.get(id) ?? { text: listed, listed };
    this.drafts_.set(id, draft);
    return draft;
  }

  /** With what the list really has: what was told may never arrive there. */
  private keep(): void {
    const kept = new Map<ConversationId, Draft>();
    for (const [id, { text }] of this.drafts_) {
      const listed = this.listed(id);
      if (text !== listed) kept.set(id, { text, listed });
    }
    store_drafts(kept);
  }

  private listed(id: ConversationId): string {
    return this.client_.conversation(id)?.draft ?? '';
  }

  /** The drafts of the list with those of this window. */
  private compare(): void {
    for (const [id, draft] of this.drafts_) {
      const listed = this.listed(id);
      if (listed !== draft.listed && !this.is_echo(id, listed)) this.taken(id, draft, listed);
    }
  }

  private is_echo(id: ConversationId, listed: string): boolean {
    const told = this.told_.get(id) ?? [];
    const at = told.indexOf(listed);
    if (at < 0) return false;
    this.told_.set(id, told.slice(at + 1));
    return true;
  }

  /** What was begun here and told to nobody yet stays. */
  private taken(id: ConversationId, draft: Draft, listed: string): void {
    const begun = draft.text !== draft.listed && draft.text.trim() !== '';
    draft.listed = listed;
    this.told_.delete(id);
    if (begun) return;
    draft.text = listed;
    this.keep();
    this.follow_(id);
  }
}
