// list_view.ts: the conversation list with unread counts, last messages and presence; and who is
// signed in.
import type { ConversationId, ConversationView, ParleyClient, PresenceState } from '@parley/client';
import type { Blocks } from './blocks.js';
import type { LeftChannel } from './device.js';
import type { OwnRequests } from './join_requests.js';
import { el, icon, icon_button, reconcile, type Keyed } from './dom.js';
import { on_long_press } from './fingers.js';
import { avatar, conversation_title, presence_text } from './format.js';
import { archive_line, attention, list_line, under_spaces } from './list_line.js';
import { folders, list_menu } from './list_menu.js';
import { open_menu, open_sheet } from './menu.js';
import { when_released } from './press.js';
import type { Typing } from './typing.js';
import type { Watches } from './watches.js';

const lines_at_once = 100;
const near_end_px = 400;
/** The engine tells a session of 1,000 people. */
const watched_peers = 500;

export interface ListActions {
  open: (id: ConversationId) => void;
  start: () => void;
  sign_out: () => void;
  /** The window about oneself. */
  you: () => void;
  presence: () => PresenceState;
  watches: Watches;
  /** Channels that this window has left and may join again. */
  left: () => LeftChannel[];
  /** What this user asked to be let into. */
  asked: OwnRequests;
  blocks: Blocks;
  join: (id: ConversationId) => void;
}

export class ListView {
  readonly element: HTMLElement;
  selected: ConversationId | null = null;
  private readonly me_ = el('div', { class: 'me' });
  private readonly list_ = el('ul', { class: 'conversations', 'aria-label': 'Conversations' });
  private readonly folders_ = el('div', {
    class: 'folders',
    role: 'group',
    'aria-label': 'Folders',
  });
  /** '' for all. */
  private folder_ = '';
  private readonly empty_ = el('div', { class: 'list-empty' });
  private archive_open_ = false;
  /** So many are drawn; scrolling down brings more. */
  private lines_ = lines_at_once;
  private readonly left_ = el('div', { class: 'left-channels' });
  private readonly filter_ = el('input', {
    type: 'search',
    placeholder: 'Find a conversation',
    'aria-label': 'Find a conversation',
    autocomplete: 'off',
  });
  private readonly watched_ = new Set<ConversationId>();
  private frame_ = 0;

  constructor(
    private readonly client_: ParleyClient,
    private readonly typing_: Typing,
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
      this.folders_,
      this.list_,
      this.empty_,
      this.left_,
    );
    for (const name of [
      'list',
      'names',
      'presence',
      'state',
      'events',
      'outbox',
      'settings',
      'requests',
    ] as const) {
      client_.on(name, () => this.schedule());
    }
    typing_.on_change(() => this.schedule());
    this.filter_.addEventListener('input', () => this.render());
    this.list_.addEventListener('keydown', (event) => this.move_focus(event));
    this.list_.addEventListener('scroll', () => this.scrolled(), { passive: true });
    on_long_press(this.list_, 'li:has(.row-menu)', (row) => this.menu(row, null));
    this.list_.addEventListener('contextmenu', (event) => {
      const row = (event.target as Element).closest<HTMLElement>('li');
      if (!row?.querySelector('.row-menu') || (event as PointerEvent).pointerType === 'touch')
        return;
      event.preventDefault();
      this.menu(row, { x: event.clientX, y: event.clientY });
    });
    this.render();
  }

  schedule(): void {
    if (this.frame_ !== 0) return;
    const run = (): void => {
      this.frame_ = 0;
      this.render();
    };
    const draw = (): void => when_released(run);
    this.frame_ = document.hidden ? window.setTimeout(draw, 50) : requestAnimationFrame(draw);
  }

  render(): void {
    const all = this.client_.conversations();
    this.render_me();
    const wanted = this.filter_.value.trim().toLowerCase();
    this.render_folders(all);
    const shown = all.filter((view) =>
      wanted === ''
        ? !view.hidden && (this.folder_ === '' || view.folder === this.folder_)
        : conversation_title(this.client_, view).toLowerCase().includes(wanted),
    );
    const archived = shown.filter((view) => view.archived);
    const others = shown.filter((view) => !view.archived);
    const open = this.archive_open_ || wanted !== '';
    const views = [
      ...under_spaces([
        ...others.filter((view) => view.pinned),
        ...others.filter((view) => !view.pinned),
      ]),
      ...(open ? archived : []),
    ].slice(0, this.lines_);
    const shown_ids = new Set(views.map((view) => view.conversation));
    const lines = views.map((view) => this.line(view, shown_ids.has(view.space)));
    if (archived.length > 0 && views.length >= others.length)
      lines.splice(
        others.length,
        0,
        archive_line(archived.length, open, () => this.toggle_archive()),
      );
    reconcile(this.list_, lines);
    this.render_tab_stop();
    this.watch_peers(views);
    this.render_empty(all.length, shown.length);
    this.render_left();
    const unread = attention(all);
    document.title = unread > 0 ? `(${unread}) Parley` : 'Parley';
  }

  private line(view: ConversationView, inside: boolean): Keyed {
    const { conversation } = view;
    const typist = this.typing_.users(conversation).at(-1) ?? null;
    const actions = {
      open: this.actions_.open,
      menu: (row: HTMLElement, button: HTMLElement) => {
        const { left, bottom } = button.getBoundingClientRect();
        this.menu(row, { x: left, y: bottom + 4 });
      },
    };
    const current = conversation === this.selected;
    return list_line(this.client_, view, typist, current, actions, inside);
  }

  /** One is shown at a time; without any there is nothing to choose. */
  private render_folders(views: readonly ConversationView[]): void {
    const names = folders(views);
    if (!names.includes(this.folder_)) this.folder_ = '';
    this.folders_.hidden = names.length === 0;
    const tab = (folder: string): Keyed => {
      const here = views.filter((view) => folder === '' || view.folder === folder);
      const unread = folder === '' ? 0 : attention(here);
      const chosen = folder === this.folder_;
      const choose = (): void => {
        this.folder_ = folder;
        this.render();
      };
      const attributes = { type: 'button', 'aria-pressed': String(chosen), 'data-focus': 'tab' };
      return {
        key: `folder ${folder}`,
        signature: JSON.stringify([folder, chosen, unread]),
        build: () =>
          el(
            'button',
            { ...attributes, class: 'folder', on: { click: choose } },
            folder === '' ? 'All' : folder,
            unread > 0 ? el('span', { class: 'badge' }, String(unread)) : null,
          ),
      };
    };
    reconcile(this.folders_, names.length === 0 ? [] : ['', ...names].map(tab));
  }

  private toggle_archive(): void {
    this.archive_open_ = !this.archive_open_;
    this.render();
  }

  /** The Tab key stops at one line: where the focus was last, else the open one. */
  private render_tab_stop(): void {
    const lines = [...this.list_.querySelectorAll<HTMLElement>('[data-focus="row"]')];
    const current =
      lines.find((line) => line.parentElement!.contains(document.activeElement)) ??
      lines.find((line) => line.ariaCurrent === 'true') ??
      lines[0];
    for (const line of lines) line.tabIndex = line === current ? 0 : -1;
  }

  /** `at` null: a sheet. */
  private menu(row: HTMLElement, at: { x: number; y: number } | null): void {
    const id = row.dataset['key'] ?? '';
    const view = this.client_.conversation(id);
    if (!view) return;
    const items = list_menu(this.client_, view, this.actions_.blocks);
    const title = conversation_title(this.client_, view);
    const line = (): HTMLElement | null =>
      this.list_.querySelector(`[data-key="${CSS.escape(id)}"] .conversation`);
    if (at) open_menu(items, `Options of ${title}`, at, line);
    else open_sheet(title, items);
  }

  private render_me(): void {
    const name = this.client_.self?.subject ?? this.name_;
    const online = this.client_.state === 'ready';
    const { settings } = this.client_;
    const state = this.actions_.watches.self_state(this.actions_.presence());
    const words = presence_text({
      user: '',
      online,
      lastSeen: 0,
      state,
      status: settings?.status ?? '',
      statusUntil: settings?.statusUntil ?? 0,
    });
    const subtitle = online ? words : 'not connected';
    const attributes = { type: 'button', class: 'me-line', title: 'You and your devices' };
    reconcile(this.me_, [
      {
        key: 'me',
        signature: JSON.stringify([name, state, subtitle]),
        build: () =>
          el(
            'button',
            { ...attributes, 'data-focus': 'me', on: { click: this.actions_.you } },
            avatar(name, 'direct', state),
            el(
              'span',
              { class: 'lines' },
              el('span', { class: 'title' }, name),
              el('span', { class: 'subtitle', dir: 'auto' }, subtitle),
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
    const lines = left.map(({ id, title }): Keyed => ({
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
    }));
    reconcile(this.left_, [...this.actions_.asked.lines(), ...lines]);
  }

  /** Presence of the people in the lines on screen, for the dots. */
  private watch_peers(views: readonly ConversationView[]): void {
    for (const { conversation, kind, peer } of views) {
      if (kind !== 'direct' || peer === '' || this.watched_.has(conversation)) continue;
      if (this.watched_.size === watched_peers) return;
      this.watched_.add(conversation);
      this.actions_.watches.set(conversation, 'list', [peer]);
    }
  }

  private scrolled(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.list_;
    if (scrollHeight - scrollTop - clientHeight > near_end_px) return;
    if (this.list_.childElementCount < this.lines_) return;
    this.lines_ += lines_at_once;
    this.schedule();
  }

  private move_focus(event: KeyboardEvent): void {
    const row = (event.target as Element).closest('li');
    const lines = [...this.list_.querySelectorAll<HTMLElement>('[data-focus="row"]')];
    const at = lines.findIndex((line) => line.parentElement === row);
    const next = {
      ArrowDown: lines[at + 1],
      ArrowUp: lines[at - 1],
      Home: lines[0],
      End: lines.at(-1),
      ArrowRight: row?.querySelector<HTMLElement>('.row-menu'),
      ArrowLeft: lines[at],
    }[event.key];
    if (!next) return;
    event.preventDefault();
    next.focus();
    this.render_tab_stop();
  }
}
