// known_messages.ts: the messages of the conversation on screen as they stand: those in the window, and those
// that are pinned or answered.
import {
  MessageFold,
  type ChatEvent,
  type ConversationView,
  type Message,
  type ParleyClient,
  type Seq,
} from '@parley/client';
import { snippet, user_name } from './format.js';
import type { Quote } from './timeline.js';

export class KnownMessages {
  private fold_ = new MessageFold('');
  private view_: ConversationView | null = null;
  /** Asked for one by one. */
  private readonly asked_ = new Set<Seq>();
  private readonly pinned_ = new Set<Seq>();
  private readonly listeners_ = new Set<() => void>();

  constructor(private readonly client_: ParleyClient) {}

  /** Called when a message is new or has changed; returns how to stop that. */
  on_change(listener: () => void): () => void {
    this.listeners_.add(listener);
    return () => this.listeners_.delete(listener);
  }

  /** Of another conversation, or of the same one anew: what was known may be of another history. */
  show(view: ConversationView | null): void {
    this.view_ = view;
    this.fold_ = new MessageFold(this.client_.self?.user ?? '');
    this.asked_.clear();
    this.pinned_.clear();
    if (view) void this.load_pins(view);
  }

  take(events: readonly ChatEvent[]): void {
    this.fold_.self = this.client_.self?.user ?? this.fold_.self;
    const touched = this.fold_.take(events);
    for (const seq of touched) {
      if (this.fold_.get(seq)?.pinned) this.pinned_.add(seq);
      else this.pinned_.delete(seq);
    }
    for (const { kind, about } of events)
      if (kind === 'pinned' && !this.fold_.get(about)) this.ask(about);
    if (touched.length > 0) for (const listener of [...this.listeners_]) listener();
  }

  /** The user deleted these for itself alone. */
  forget(seqs: readonly Seq[]): void {
    this.fold_.forget(seqs);
    for (const seq of seqs) this.pinned_.delete(seq);
    for (const listener of [...this.listeners_]) listener();
  }

  get(seq: Seq): Message | null {
    return this.fold_.get(seq);
  }

  /** Ascending. */
  pinned(): Message[] {
    const seqs = [...this.pinned_].sort((a, b) => a - b);
    return seqs.flatMap((seq) => this.fold_.get(seq) ?? []);
  }

  /** What stands over an answer; asked for when it is not known. */
  quote(view: ConversationView, seq: Seq): Quote {
    const message = this.get(seq);
    if (seq < view.visibleFrom) return { seq, name: '', text: 'An earlier message' };
    if (!message) {
      this.ask(seq);
      return { seq, name: '', text: '…' };
    }
    const own = message.sender === this.client_.self?.user;
    const name = own ? 'You' : user_name(this.client_, message.sender);
    return { seq, name, text: snippet(message) };
  }

  private ask(seq: Seq): void {
    const view = this.view_;
    if (!view || this.asked_.has(seq)) return;
    this.asked_.add(seq);
    this.client_
      .history(view.conversation, { before: seq + 1, limit: 1 })
      .then(({ events }) => {
        if (view === this.view_) this.take(events);
      })
      .catch(() => this.asked_.delete(seq));
  }

  private async load_pins(view: ConversationView): Promise<void> {
    try {
      const pins = await this.client_.pins(view.conversation);
      if (view === this.view_) this.take(pins);
    } catch {
      // The bar does without; the next opening asks again.
    }
  }
}
