// message_commands.ts: what this user may do with the messages of the conversation on screen, and does.
import type {
  ConversationId,
  ConversationInfo,
  ConversationView,
  Message,
  ParleyClient,
  Seq,
} from '@parley/client';
import type { Composer } from './composer.js';
import { user_name } from './format.js';
import { forward_dialog } from './forward_dialog.js';
import type { KnownMessages } from './known_messages.js';
import { confirm_delete, type MessageActions } from './message_actions.js';
import type { Reactions } from './reactions.js';
import { may, why_hindered, why_silent } from './rights.js';
import { seen_dialog } from './seen_dialog.js';
import { clear_toast, toast, toast_error, toast_offline } from './toasts.js';

export interface Shown {
  /** null: no conversation is on screen. */
  view: () => ConversationView | null;
  /** What the server tells of it; null: not known. */
  info: () => ConversationInfo | null;
  composer: Composer;
  open: (id: ConversationId) => void;
  open_thread: (root: Seq) => void;
}

async function copy_text(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast('The text is copied.');
  } catch {
    toast('This browser does not let the page copy.', 'error');
  }
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
    const { composer, open, open_thread } = this.shown_;
    const { conversation } = view;
    const in_thread = message.threadRoot > 0;
    const info = this.shown_.info();
    const changes = why_hindered(view, info) === '';
    const writes = why_silent(view, info) === '';
    const actions: MessageActions = {
      react: changes ? (one, key) => this.react(one.seq, key) : null,
      reply: writes && !in_thread ? (one) => composer.reply(one, name) : null,
      seen: own && view.kind !== 'direct' ? (one) => seen_dialog(this.client_, view, one) : null,
      copy: message.text !== '' ? (one) => void copy_text(one.text) : null,
      thread: writes && !in_thread && view.kind !== 'direct' ? (one) => open_thread(one.seq) : null,
      forward: message.poll
        ? null
        : (one) => forward_dialog(this.client_, { conversation, seq: one.seq }, open),
      edit:
        own && !in_thread && message.data === '' && !message.origin && !message.poll && changes
          ? (one) => composer.edit(one)
          : null,
      remove:
        (own && may(view, 'send')) || may(view, 'delete_any')
          ? (one) => this.remove(one.seq)
          : null,
      remove_for_me: (one) => this.remove_for_me(view.conversation, one),
      close_poll:
        message.poll && !message.results?.closed && (own || may(view, 'delete_any'))
          ? (one) => this.close_poll(one.seq)
          : null,
      pin: may(view, 'pin') ? (one) => this.pin(one) : null,
    };
    return { message, actions };
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
    const ask = {
      title: own ? 'Delete your message?' : 'Delete this message?',
      what_then: 'Everybody sees that a message was deleted, and nobody what it said.',
      button: 'Delete for everybody',
    };
    confirm_delete(message, ask, () => {
      this.change('Not deleted', () => this.client_.deleteMessage(view.conversation, seq));
      this.shown_.composer.focus();
    });
  }

  private remove_for_me(conversation: ConversationId, message: Message): void {
    const ask = {
      title: 'Delete this message for you?',
      what_then: 'It goes from all your devices for good. The others keep it, and learn nothing.',
      button: 'Delete for me',
    };
    confirm_delete(message, ask, () => {
      this.change('Not deleted', () => this.client_.deleteForMe(conversation, [message.seq]));
      this.shown_.composer.focus();
    });
  }

  close_poll(seq: Seq): void {
    const view = this.shown_.view();
    if (view) this.change('Not closed', () => this.client_.closePoll(view.conversation, seq));
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
    if (this.client_.state !== 'ready') return toast_offline(what);
    work().then(
      () => clear_toast(what),
      (error: unknown) => toast_error(what, error),
    );
  }
}
