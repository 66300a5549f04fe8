// message_commands.ts: what this user may do with the messages of the conversation on screen, and does.
import type { ConversationView, Message, ParleyClient, Seq } from '@parley/client';
import type { Composer } from './composer.js';
import { user_name } from './format.js';
import type { KnownMessages } from './known_messages.js';
import { confirm_delete, type MessageActions } from './message_actions.js';
import type { Reactions } from './reactions.js';
import { clear_toast, toast, toast_error } from './toasts.js';
import { not_connected } from './words.js';

export interface Shown {
  /** null: no conversation is on screen. */
  view: () => ConversationView | null;
  composer: Composer;
}

export function manages({ kind, role }: ConversationView): boolean {
  return kind !== 'direct' && (role === 'owner' || role === 'admin');
}

export class MessageCommands {
  constructor(
    private readonly client_: ParleyClient,
    private readonly known_: KnownMessages,
    private readonly reactions_: Reactions,
    private readonly shown_: Shown,
  ) {}

  actions_of(seq: Seq): { message: Message; actions: MessageActions } | null {
    const message = this.known_.get(seq);
    const view = this.shown_.view();
    if (!message || message.deleted || !view) return null;
    const own = message.sender === this.client_.self?.user;
    const name = own ? 'yourself' : user_name(this.client_, message.sender);
    const { composer } = this.shown_;
    const actions: MessageActions = {
      react: (one, key) => this.react(one.seq, key),
      reply: (one) => composer.reply(one, name),
      edit: own && message.data === '' ? (one) => composer.edit(one) : null,
      remove: own || manages(view) ? (one) => this.remove(one.seq) : null,
      pin: this.may_pin(view) ? (one) => this.pin(one) : null,
    };
    return { message, actions };
  }

  may_pin(view: ConversationView): boolean {
    return view.kind !== 'channel' || manages(view);
  }

  react(seq: Seq, key: string): void {
    const message = this.known_.get(seq);
    const view = this.shown_.view();
    if (view && message) this.reactions_.toggle(view.conversation, message, key);
  }

  remove(seq: Seq): void {
    const message = this.known_.get(seq);
    const view = this.shown_.view();
    if (!view || !message) return;
    const own = message.sender === this.client_.self?.user;
    confirm_delete(message, own, () => {
      this.change('Not deleted', () => this.client_.deleteMessage(view.conversation, seq));
      this.shown_.composer.focus();
    });
  }

  pin(message: Message): void {
    const view = this.shown_.view();
    if (!view) return;
    const on = !message.pinned;
    this.change(on ? 'Not pinned' : 'Not unpinned', () =>
      this.client_.pin(view.conversation, message.seq, on),
    );
  }

  /** It comes back as an event; only when it fails there is something to say. */
  private change(what: string, work: () => Promise<void>): void {
    if (this.client_.state !== 'ready') return toast(`${what}. ${not_connected}`, 'error', what);
    work().then(
      () => clear_toast(what),
      (error: unknown) => toast_error(what, error),
    );
  }
}
