// people.ts: what is known of other users: names, presence, and that somebody is typing.
import type { ConversationState } from './conversation.js';
import type { CoreOwner } from './owner.js';
import type { OnlineFrame } from './operations.js';
import type { ConversationId, Online, Presence, UserId, UserName } from './types.js';

const lookup_at_once = 256;
const names_delay_ms = 10;
const typing_period_ms = 3_000;
/** As long as others are expected to show it. */
const typing_shown_ms = 6_000;

export class People {
  readonly names = new Map<UserId, string>();
  readonly presence = new Map<UserId, Presence>();
  private readonly wanted_ = new Set<UserId>();
  private readonly asked_ = new Set<UserId>();

  constructor(private readonly owner_: CoreOwner) {}

  /** Without a link nobody's presence is known. */
  link_lost(): void {
    this.presence.clear();
    for (const user of this.asked_) this.wanted_.add(user);
    this.asked_.clear();
  }

  typing(conversation: ConversationId, kind: string, on: boolean): void {
    const state = this.owner_.conversation(conversation);
    if (!state || !this.owner_.ready) return;
    const since = this.owner_.now - (state.busy_since.get(kind) ?? Number.NEGATIVE_INFINITY);
    if (on ? since < typing_period_ms : since >= typing_shown_ms) return; // said, or forgotten
    if (on) state.busy_since.set(kind, this.owner_.now);
    else state.busy_since.delete(kind);
    const lastsMs = on ? typing_shown_ms : 0;
    this.owner_.ask({ type: 'signal', conversation, kind, text: '', lastsMs }, () => undefined);
  }

  watch(id: ConversationId, users: UserId[]): void {
    const state = this.owner_.conversation(id);
    if (!state) return;
    state.watched = users;
    if (this.owner_.ready) this.send_watch(state);
  }

  send_watch(state: ConversationState): void {
    const { conversation } = state.entry;
    this.owner_.ask({ type: 'watch', conversation, users: state.watched }, (answer) => {
      if (answer.type === 'presence') this.present(answer.users);
      if (answer.type === 'error') this.owner_.problem(answer.error);
    });
  }

  watch_conversation(id: ConversationId, on: boolean): void {
    const state = this.owner_.conversation(id);
    if (!state || state.watched_whole === on) return;
    state.watched_whole = on;
    if (!on) state.online = null;
    if (this.owner_.ready) this.send_watch_conversation(state);
  }

  send_watch_conversation(state: ConversationState): void {
    const { conversation } = state.entry;
    const on = state.watched_whole;
    this.owner_.ask({ type: 'watch_conversation', conversation, on }, (answer) => {
      if (answer.type === 'online') this.take_online(answer);
      if (answer.type === 'error') this.owner_.problem(answer.error);
    });
  }

  take_online(frame: OnlineFrame): void {
    const state = this.owner_.conversation(frame.conversation);
    if (!state?.watched_whole || frame.step === 'none') return;
    const users = frame.users?.map(({ user }) => user) ?? state.online?.users ?? [];
    state.online = { step: frame.step, count: frame.count, users };
    if (frame.users) this.present(frame.users);
    this.owner_.emit({ name: 'online', value: this.online(state) });
  }

  online(state: ConversationState): Online {
    const { conversation } = state.entry;
    if (!state.online) return { conversation, step: 'none', count: 0, users: [] };
    const { step, count } = state.online;
    const users = state.online.users.filter((user) => this.presence.get(user)?.online);
    return { conversation, step, count: step === 'full' ? users.length : count, users };
  }

  present(users: Presence[]): void {
    for (const one of users) this.presence.set(one.user, one);
    if (users.length > 0) this.owner_.emit({ name: 'presence', value: { users } });
  }

  want_names(users: UserId[]): void {
    for (const user of users) {
      if (user === '' || this.names.has(user) || this.asked_.has(user)) continue;
      this.wanted_.add(user);
      this.owner_.timers.set_earlier('names', this.owner_.now + names_delay_ms);
    }
  }

  flush_names(): void {
    if (!this.owner_.ready) return;
    const wanted = [...this.wanted_];
    this.wanted_.clear();
    for (let at = 0; at < wanted.length; at += lookup_at_once) {
      const users = wanted.slice(at, at + lookup_at_once);
      for (const user of users) this.asked_.add(user);
      this.owner_.ask({ type: 'lookup', users }, (answer) => {
        for (const user of users) this.asked_.delete(user);
        if (answer.type === 'names') this.learn_names(answer.users);
      });
    }
  }

  learn_names(users: UserName[]): void {
    const fresh = users.filter(({ user, subject }) => this.names.get(user) !== subject);
    if (fresh.length === 0) return;
    for (const { user, subject } of fresh) this.names.set(user, subject);
    (this.owner_.batch.names ??= []).push(...fresh);
    this.owner_.emit({ name: 'names', value: { users: fresh } });
  }
}
