// subscriptions.ts: which conversations are pushed, how much of each, and the answers to cursors.
import type { ConversationState } from './conversation.js';
import { ParleyError } from './errors.js';
import type { SubscribeItem } from './operations.js';
import type { CoreOwner } from './owner.js';
import type { ConversationId, Level, ResumeAnswer } from './types.js';

/** Of the direct and group conversations so many, the most recent, are subscribed in full. */
export const full_at_once = 64;
const subscribe_at_once = 256;
const retry_min_ms = 1_000;

export class Subscriptions {
  constructor(private readonly owner_: CoreOwner) {}

  most_recent(): ReadonlySet<ConversationId> {
    const recent = this.owner_
      .states()
      .filter((state) => state.entry.kind !== 'channel')
      .sort((a, b) => b.entry.lastActivity - a.entry.lastActivity)
      .slice(0, full_at_once)
      .map((state) => state.entry.conversation);
    return new Set(recent);
  }

  subscribe(states: ConversationState[], full: ReadonlySet<ConversationId>): void {
    const items = states.map((state): SubscribeItem => {
      const { conversation } = state.entry;
      const level: Level = state.opened > 0 || full.has(conversation) ? 'full' : 'heads';
      return { conversation, level, cursor: level === 'full' ? state.start() : null };
    });
    for (let at = 0; at < items.length; at += subscribe_at_once) {
      this.send_subscribe(items.slice(at, at + subscribe_at_once));
    }
  }

  private send_subscribe(items: SubscribeItem[]): void {
    if (!this.owner_.ready) return;
    for (const item of items) {
      const state = this.owner_.conversation(item.conversation);
      if (!state) continue;
      state.level = item.level;
      state.subscribing = item;
    }
    this.owner_.ask({ type: 'subscribe', items }, (answer) => {
      if (answer.type === 'subscribed') {
        answer.answers.forEach((one, index) => this.on_resume(one, items[index]));
        return;
      }
      if (answer.type === 'error') this.failed(items, answer.error);
    });
  }

  /** Nothing of the request holds; what may be asked again later is. */
  private failed(items: SubscribeItem[], error: ParleyError): void {
    for (const item of items) {
      const state = this.owner_.conversation(item.conversation);
      if (!state || state.subscribing !== item) continue;
      state.subscribing = null;
      state.level = 'none';
    }
    if (!error.retryable) return this.owner_.problem(error);
    const delay = Math.max(error.retryAfterMs, retry_min_ms);
    this.owner_.timers.set_earlier('subscribe', this.owner_.now + delay);
  }

  /** The timer after a failed subscribe. */
  again(): void {
    const missing = this.owner_
      .states()
      .filter((state) => state.level === 'none' && !state.refused);
    this.subscribe(missing, this.most_recent());
  }

  /** What was pushed does not follow on what is here: ask the engine from the cursor. */
  repair(state: ConversationState): void {
    if (state.subscribing !== null || state.level !== 'full') return;
    this.send_subscribe([
      { conversation: state.entry.conversation, level: 'full', cursor: state.cursor },
    ]);
  }

  private on_resume(answer: ResumeAnswer, item: SubscribeItem | undefined): void {
    const state = this.owner_.conversation(answer.conversation);
    if (!state || !item || state.subscribing !== item) return; // a later subscribe replaced it
    const { conversation } = answer;
    state.subscribing = null;
    this.owner_.emit({ name: 'resume', value: answer });
    if (answer.answer === 'denied' || answer.answer === 'not_member') {
      state.level = 'none';
      state.refused = true;
      this.owner_.abandon(state, new ParleyError('denied', 'you are not in this conversation'));
      return;
    }
    const skips = answer.answer !== 'caught_up' && answer.answer !== 'range';
    if (item.level !== 'full' || skips) this.owner_.passed_over(state, answer.head.seq);
    if (item.level !== 'full') {
      if (state.moved(answer.head, answer.headOrdinal)) this.owner_.touch(conversation);
      return;
    }
    const { reset, lost } = state.resume(answer);
    if (reset) {
      (this.owner_.batch.dropEvents ??= []).push({ conversation });
      this.owner_.emit({ name: 'reset', value: { conversation, answer: answer.answer, lost } });
    }
    this.owner_.touch(conversation);
  }

  open(id: ConversationId): void {
    const state = this.owner_.conversation(id);
    if (!state) return;
    state.opened += 1;
    if (state.level !== 'full') this.subscribe([state], new Set());
  }

  close(id: ConversationId): void {
    const state = this.owner_.conversation(id);
    if (!state || state.opened === 0) return;
    state.opened -= 1;
    if (state.opened > 0 || this.most_recent().has(id)) return;
    this.subscribe([state], new Set());
  }
}
