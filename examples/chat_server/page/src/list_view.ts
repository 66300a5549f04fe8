// list_view.ts: the conversation list with unread counts, last messages and presence; and who is
// signed in.
import type { ConversationId, ConversationView, ParleyClient, UserId } from '@parley/client';
import type { LeftChannel } from './device.js';
import { el, icon, icon_button, reconcile, type Keyed } from './dom.js';
import { avatar, conversation_title, list_time, preview, user_name } from './format.js';

const typing_shown_ms = 5_000;

export interface ListActions {
  open: (id: ConversationId) => void;
  start: () => void;
  sign_out: () => void;
  /** Channels that this window has left and may join again. */
  left: () => LeftChannel[];
  join: (id: ConversationId) => void;
}

export class ListView {
  readonly element: HTMLElement;
  selected: ConversationId | null = null;
  private readonly me_ = el('div', { class: 'me' });
  private readonly list_ = el('ul', { class: 'conversations', 'aria-label': 'Conversations' });
  private readonly empty_ = el('div', { class: 'list-empty' });
  private readonly left_ = el('div', { class: 'left-channels' });
  private readonly filter_ = el('input', {
    type: 'search',
    placeholder: 'Find a conversation',
    'aria-label': 'Find a conversation',
    autocomplete: 'off',
  });
  private readonly typing_ = new Map<ConversationId, { user: UserId; until: number }>();
  private readonly watched_ = new Set<ConversationId>();
  private frame_ = 0;

  constructor(
    private readonly client_: ParleyClient,
    private readonly actions_: ListActions,
    /** Who signed in, until the server says so. */
    private readonly name_: string,
  ) {
    const header = el(
      'header',
      { class: 'list-header' },
      this.me_,
      icon_button('plus', 'New conversation', actions_.start, 'primary'),
      icon_button('leave', 'Sign out', actions_.sign_out),
    );
    const search = el('label', { class: 'search' }, icon('search'), this.filter_);
    this.element = el(
      'nav',
      { class: 'sidebar', 'aria-label': 'Conversations' },
      header,
      search,
      this.list_,
      this.empty_,
      this.left_,
    );
    for (const name of ['list', 'names', 'presence', 'state', 'events', 'outbox'] as const) {
      client_.on(name, () => this.schedule());
    }
    client_.on('signal', ({ conversation, sender, kind }) => {
      if (kind === 'typing_stopped' && this.typing_.get(conversation)?.user === sender) {
        this.typing_.delete(conversation);
        this.schedule();
      }
      if (kind !== 'typing' || sender === client_.self?.user) return;
      this.typing_.set(conversation, { user: sender, until: Date.now() + typing_shown_ms });
      setTimeout(() => this.schedule(), typing_shown_ms + 50);
      this.schedule();
    });
    client_.on('events', ({ conversation, events }) => {
      if (events.some((event) => event.kind === 'message')) this.typing_.delete(conversation);
    });
    this.filter_.addEventListener('input', () => this.render());
    this.list_.addEventListener('keydown', (event) => this.move_focus(event));
    this.render();
  }

  schedule(): void {
    if (this.frame_ !== 0) return;
    const run = (): void => {
      this.frame_ = 0;
      this.render();
    };
    this.frame_ = document.hidden ? window.setTimeout(run, 50) : requestAnimationFrame(run);
  }

  render(): void {
    const all = this.client_.conversations();
    this.watch_peers(all);
    this.render_me();
    const wanted = this.filter_.value.trim().toLowerCase();
    const shown = all.filter((view) =>
      conversation_title(this.client_, view).toLowerCase().includes(wanted),
    );
    reconcile(
      this.list_,
      shown.map((view) => this.item(view)),
    );
    this.render_empty(all.length, shown.length);
    this.render_left();
    const unread = all.reduce((sum, view) => sum + (view.unread > 0 ? 1 : 0), 0);
    document.title = unread > 0 ? `(${unread}) Parley` : 'Parley';
  }

  private item(view: ConversationView): Keyed {
    const { conversation, kind, unread } = view;
    const title = conversation_title(this.client_, view);
    const typing = this.typing_.get(conversation);
    const is_typing = typing !== undefined && typing.until > Date.now();
    const typist =
      is_typing && kind !== 'direct' ? `${user_name(this.client_, typing.user)} is ` : '';
    const unsent = this.client_.outbox(conversation).at(-1) ?? null;
    const text = is_typing ? `${typist}typing…` : preview(this.client_, view, unsent);
    const time = list_time(unsent?.createdAt ?? view.lastActivity);
    const pending = unsent?.state === 'pending' && !is_typing;
    const online = kind === 'direct' ? (this.client_.presence(view.peer)?.online ?? false) : null;
    const current = conversation === this.selected;
    const failed = this.client_.outbox(conversation).some((item) => item.state === 'failed');
    const build = (): HTMLElement =>
      el(
        'li',
        {},
        el(
          'button',
          {
            type: 'button',
            class: `conversation${current ? ' current' : ''}${unread > 0 ? ' unread' : ''}`,
            'aria-current': current ? 'true' : null,
            on: { click: () => this.actions_.open(conversation) },
          },
          avatar(title, kind, online),
          el(
            'span',
            { class: 'lines' },
            el(
              'span',
              { class: 'line' },
              el('span', { class: 'title', dir: 'auto' }, title),
              el('time', {}, time),
            ),
            el(
              'span',
              { class: 'line' },
              pending ? icon('clock', 'Not sent yet') : null,
              el('span', { class: `preview${is_typing ? ' typing' : ''}`, dir: 'auto' }, text),
              failed
                ? el('span', { class: 'badge failed', title: 'A message was not sent' }, '!')
                : null,
              unread > 0
                ? el(
                    'span',
                    { class: 'badge', 'aria-label': `${unread} unread` },
                    unread > 99 ? '99+' : String(unread),
                  )
                : null,
            ),
          ),
        ),
      );
    return {
      key: conversation,
      signature: JSON.stringify([title, text, time, online, current, unread, failed, pending]),
      build,
    };
  }

  private render_me(): void {
    const name = this.client_.self?.subject ?? this.name_;
    const online = this.client_.state === 'ready';
    reconcile(this.me_, [
      {
        key: 'me',
        signature: JSON.stringify([name, online]),
        build: () =>
          el(
            'div',
            { class: 'me-line' },
            avatar(name, 'direct', online),
            el(
              'span',
              { class: 'lines' },
              el('span', { class: 'title' }, name),
              el('span', { class: 'subtitle' }, online ? 'online' : 'not connected'),
            ),
          ),
      },
    ]);
  }

  private render_empty(all: number, shown: number): void {
    const state = shown > 0 ? '' : all > 0 ? 'nothing' : this.client_.self ? 'first' : 'loading';
    if (this.empty_.dataset['state'] === state) return;
    this.empty_.dataset['state'] = state;
    this.empty_.replaceChildren();
    if (state === 'loading')
      this.empty_.append(el('div', { class: 'spinner', 'aria-label': 'Loading' }));
    if (state === 'nothing') this.empty_.append(el('p', {}, 'No conversation of that name.'));
    if (state === 'first') {
      this.empty_.append(
        el('p', {}, 'Nothing here yet.'),
        el(
          'button',
          { type: 'button', class: 'button', on: { click: this.actions_.start } },
          'Start a conversation',
        ),
      );
    }
  }

  private render_left(): void {
    const known = new Set(this.client_.conversations().map((view) => view.conversation));
    const left = this.actions_.left().filter(({ id }) => !known.has(id));
    reconcile(
      this.left_,
      left.map(({ id, title }) => ({
        key: id,
        signature: title,
        build: () =>
          el(
            'p',
            {},
            el('span', {}, `You left ${title}.`),
            el(
              'button',
              { type: 'button', class: 'link', on: { click: () => this.actions_.join(id) } },
              `Join ${title} again`,
            ),
          ),
      })),
    );
  }

  /** Presence of the people in the direct conversations, for the dots. */
  private watch_peers(views: readonly ConversationView[]): void {
    for (const { conversation, kind, peer } of views) {
      if (kind !== 'direct' || peer === '' || this.watched_.has(conversation)) continue;
      this.watched_.add(conversation);
      this.client_.watch(conversation, [peer]);
    }
  }

  private move_focus(event: KeyboardEvent): void {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0) return;
    const buttons = [...this.list_.querySelectorAll('button')];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const next = buttons[at + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }
}
