// chat_header.ts: the top of a conversation: who it is with, and what they are doing now.
import type { ConversationView, ParleyClient, PresenceState } from '@parley/client';
import { el, icon_button, reconcile } from './dom.js';
import { avatar, conversation_title, presence_text } from './format.js';
import type { Members } from './members.js';
import { typing_text } from './timeline.js';

export interface HeaderActions {
  back: () => void;
  details: () => void;
  share: () => void;
  threads: () => void;
}

const named_online = 3;

interface HeaderState {
  title: string;
  state: PresenceState | null;
  subtitle: string;
  /** Who is online, as far as that is told. */
  online: string;
  /** In the threads that are followed. */
  unread_replies: number;
}

export class ChatHeader {
  readonly element = el('header', { class: 'chat-header' });

  constructor(
    private readonly client_: ParleyClient,
    private readonly members_: Members,
    private readonly actions_: HeaderActions,
  ) {}

  /** `typing`: the names of who writes now. */
  render(view: ConversationView, typing: readonly string[], unread_replies: number): void {
    const title = conversation_title(this.client_, view);
    const presence = view.kind === 'direct' ? this.client_.presence(view.peer) : null;
    const state = presence?.state ?? null;
    const subtitle = this.subtitle(view, typing);
    const online = view.kind === 'direct' ? '' : this.members_.online().names.join(', ');
    reconcile(this.element, [
      {
        key: 'header',
        signature: JSON.stringify([
          view.conversation,
          title,
          state,
          subtitle,
          online,
          unread_replies,
        ]),
        build: () => this.bar(view, { title, state, subtitle, online, unread_replies }),
      },
    ]);
  }

  private bar(
    { kind }: ConversationView,
    { title, state, subtitle, online, unread_replies }: HeaderState,
  ): HTMLElement {
    const { back, details, share, threads } = this.actions_;
    const label = unread_replies > 0 ? `Threads, ${unread_replies} unread replies` : 'Threads';
    const threads_button = icon_button('thread', label, threads, 'threads-button');
    if (unread_replies > 0)
      threads_button.append(el('span', { class: 'badge' }, String(unread_replies)));
    const lines = el(
      'span',
      { class: 'who-text' },
      el('span', { class: 'title', dir: 'auto' }, title),
      el('span', { class: 'subtitle', ...(online ? { title: `Online: ${online}` } : {}) }, subtitle),
    );
    const attributes = { type: 'button', class: 'who', title: 'Members and details' };
    return el(
      'div',
      { class: 'bar' },
      icon_button('back', 'Back to the list', back, 'only-narrow'),
      el(
        'button',
        { ...attributes, 'data-focus': 'who', on: { click: details } },
        avatar(title, kind, state),
        lines,
      ),
      kind === 'channel' ? icon_button('link', 'Copy the link to this channel', share) : null,
      kind === 'direct' || kind === 'space' ? null : threads_button,
      icon_button('people', 'Members', details),
    );
  }

  private subtitle(view: ConversationView, typing: readonly string[]): string {
    const { kind } = view;
    if (typing.length > 0) return kind === 'direct' ? 'typing…' : `${typing_text(typing)}…`;
    if (kind === 'direct') return presence_text(this.client_.presence(view.peer));
    const { count } = this.members_;
    if (count === 0) return kind;
    const { count: online, names, all } = this.members_.online();
    const members = `${count.toLocaleString('en')} member${count === 1 ? '' : 's'}`;
    if (online < 2) return members;
    const named = all && names.length <= named_online;
    return `${members} · ${named ? names.join(', ') : online.toLocaleString('en')} online`;
  }
}
