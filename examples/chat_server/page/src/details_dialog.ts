// details_dialog.ts: who is in a conversation, and what one may do about it.
import type { ConversationId, ConversationView, Member, ParleyClient } from '@parley/client';
import type { Blocks } from './blocks.js';
import { confirm_dialog, dialog, field, form, text_input } from './dialog.js';
import { el, icon_button, reconcile } from './dom.js';
import { avatar, conversation_title, presence_text, user_name } from './format.js';
import { member_menu, role_name } from './member_menu.js';
import { search_prefix } from './members.js';
import { open_menu } from './menu.js';
import { restrictions_dialog } from './restrictions.js';
import { may } from './rights.js';
import { settings_dialog } from './settings_dialog.js';
import { invites_dialog } from './invites_dialog.js';
import { share_conversation } from './links.js';
import { names_in } from './start_dialog.js';
import { toast_error } from './toasts.js';

const listed_members = 100;
const filter_from = 8;
/** Between the last key and the search for who is not listed. */
const search_pause_ms = 150;

export interface LeaveActions {
  leaving: () => void;
  left: (view: ConversationView) => void;
  /** It is no more, for everybody. */
  deleted: () => void;
}

/** The members, by name; drawn anew when they, their names or their presence change. */
class MemberList {
  readonly element = el('ul', { class: 'members', 'aria-label': 'Members' });
  readonly count = el('p', { class: 'subtitle' });
  readonly filter = el('input', {
    type: 'search',
    placeholder: 'Find a member',
    'aria-label': 'Find a member',
    autocomplete: 'off',
    hidden: true,
  });
  private members_: Member[] = [];
  /** Of more than are listed: those whose names begin with what is looked for; null: nothing is. */
  private found_: readonly Member[] | null = null;
  private all_listed_ = true;
  private counted_ = '';
  private pause_ = 0;

  constructor(
    private readonly client_: ParleyClient,
    private readonly id_: ConversationId,
    private readonly blocks_: Blocks,
  ) {
    this.filter.addEventListener('input', () => this.look());
  }

  async load(): Promise<void> {
    try {
      const page = await this.client_.members(this.id_, { limit: listed_members });
      this.members_ = page.members;
      this.all_listed_ = !page.more;
      this.counted_ = page.more
        ? `${page.count} members; the first ${page.members.length} are listed`
        : `${page.count} member${page.count === 1 ? '' : 's'}`;
      this.filter.hidden = page.members.length <= filter_from;
      this.draw();
    } catch (error) {
      if (this.client_.conversation(this.id_))
        toast_error('The members could not be loaded', error);
    }
  }

  private look(): void {
    const prefix = search_prefix(this.filter.value);
    clearTimeout(this.pause_);
    if (prefix === '') this.found_ = null;
    else if (!this.all_listed_)
      this.pause_ = window.setTimeout(() => void this.search(prefix), search_pause_ms);
    this.draw();
  }

  private async search(prefix: string): Promise<void> {
    try {
      const { members } = await this.client_.members(this.id_, { prefix, limit: listed_members });
      if (prefix !== search_prefix(this.filter.value)) return;
      this.found_ = members;
      this.draw();
    } catch (error) {
      toast_error('The members could not be searched', error);
    }
  }

  /** Who fits what is looked for. */
  private fitting(): readonly Member[] {
    if (this.found_) return this.found_;
    const wanted = this.filter.value.trim().toLowerCase();
    return this.members_.filter(({ user }) =>
      user_name(this.client_, user).toLowerCase().includes(wanted),
    );
  }

  draw(): void {
    const { client_: client } = this;
    const view = client.conversation(this.id_);
    if (!view) return;
    const shown = [...this.fitting()];
    const nobody = shown.length === 0 && this.filter.value !== '';
    this.count.textContent = nobody ? 'Nobody of that name' : this.counted_;
    this.count.hidden = view.kind === 'direct';
    const by_name = (a: Member, b: Member): number =>
      user_name(client, a.user).localeCompare(user_name(client, b.user), undefined, {
        numeric: true,
        sensitivity: 'base',
      });
    reconcile(
      this.element,
      shown.sort(by_name).map((member) => this.line(view, member)),
    );
  }

  private line(view: ConversationView, member: Member) {
    const { client_: client } = this;
    const name = user_name(client, member.user);
    const own = member.user === client.self?.user;
    const presence = client.presence(member.user);
    const state = own ? 'online' : (presence?.state ?? 'offline');
    const blocked = this.blocks_.has(member.user);
    const words = own ? 'online' : blocked ? 'blocked by you' : presence_text(presence);
    const role = role_name(member.role);
    const items = member_menu(client, view, member, this.blocks_, () => void this.load());
    const build = (): HTMLElement =>
      el(
        'li',
        {},
        avatar(name, 'direct', state),
        el(
          'span',
          { class: 'lines' },
          el(
            'span',
            { class: 'line' },
            el('span', { class: 'title', title: name }, name),
            own ? el('span', { class: 'you' }, '(you)') : null,
          ),
          el('span', { class: 'subtitle', dir: 'auto' }, words),
        ),
        role === '' ? null : el('span', { class: 'role' }, role),
        items.length > 0 ? this.menu_button(name, items) : null,
      );
    const signature = [name, own, state, words, role, items.map((item) => item.name)];
    return { key: member.user, signature: JSON.stringify(signature), build };
  }

  private menu_button(name: string, items: Parameters<typeof open_menu>[0]): HTMLElement {
    const label = `What to do about ${name}`;
    const button = icon_button('more', label, () => {
      const { left, bottom } = button.getBoundingClientRect();
      open_menu(items, label, { x: left, y: bottom + 4 }, () => button);
    });
    button.setAttribute('aria-haspopup', 'menu');
    button.dataset['focus'] = 'menu';
    return button;
  }
}

function leave_button(
  client: ParleyClient,
  view: ConversationView,
  actions: LeaveActions,
): HTMLElement {
  const leave = (): void => {
    actions.leaving();
    client
      .leave(view.conversation)
      .then(() => {
        button.closest('dialog')?.close();
        actions.left(view);
      })
      .catch((error: unknown) => toast_error('You could not leave', error));
  };
  const back =
    view.kind === 'channel'
      ? 'It goes from your list. Its link leads back.'
      : 'It goes from your list. To come back, somebody there has to add you.';
  const ask = (): void => confirm_dialog(`Leave this ${view.kind}?`, back, 'Leave', leave);
  const button = el(
    'button',
    { type: 'button', class: 'button danger', on: { click: ask } },
    `Leave this ${view.kind}`,
  );
  return button;
}

function delete_button(
  client: ParleyClient,
  view: ConversationView,
  actions: LeaveActions,
): HTMLElement {
  const erase = (): void => {
    actions.leaving();
    client
      .deleteConversation(view.conversation)
      .then(() => {
        button.closest('dialog')?.close();
        actions.deleted();
      })
      .catch((error: unknown) => toast_error('It was not deleted', error));
  };
  const text = 'All that was written is gone, for everybody. Nothing brings it back.';
  const title = `Delete “${conversation_title(client, view)}”?`;
  const ask = (): void => confirm_dialog(title, text, 'Delete for good', erase);
  const button = el(
    'button',
    { type: 'button', class: 'button danger', on: { click: ask } },
    `Delete this ${view.kind}`,
  );
  return button;
}

export function details_dialog(
  client: ParleyClient,
  id: ConversationId,
  blocks: Blocks,
  actions: LeaveActions,
): void {
  const view = client.conversation(id);
  if (!view) return;
  const members = new MemberList(client, id, blocks);
  const quiet = (text: string, click: () => void): HTMLElement =>
    el('button', { type: 'button', class: 'button quiet', on: { click } }, text);
  const link = quiet('Copy the link', () => void share_conversation(id));
  link.hidden = view.kind !== 'channel';
  const about = el('p', { class: 'about', dir: 'auto', hidden: true });
  const load_about = async (): Promise<void> => {
    const { settings } = await client.info(id);
    about.textContent = settings.description;
    about.hidden = settings.description === '';
    link.hidden = view.kind !== 'channel' && settings.join === 'added';
  };
  const content: Node[] = [about, members.count, members.filter, members.element];
  if (may(view, 'add')) {
    const names = text_input('members', 'dave, erin');
    const add = (): Promise<void> => client.add(id, names_in(names.value));
    const adding = form(client, 'Add', [field('Add people', names)], add, () => {
      names.value = '';
      void members.load();
    });
    adding.classList.add('one-line');
    content.push(adding);
  }
  const buttons = el('div', { class: 'buttons spread' });
  if (may(view, 'settings'))
    buttons.append(quiet('Settings', () => void settings_dialog(client, id)));
  if (may(view, 'restrict'))
    buttons.append(quiet('Muted and banned', () => restrictions_dialog(client, view)));
  if (view.kind !== 'direct' && may(view, 'invite'))
    buttons.append(quiet('Invite links', () => invites_dialog(client, view)));
  buttons.append(link);
  if (view.kind !== 'direct') buttons.append(leave_button(client, view, actions));
  if (view.kind !== 'direct' && view.role === 'owner')
    buttons.append(delete_button(client, view, actions));
  if (view.kind !== 'direct') content.push(buttons);
  const window_ = dialog(conversation_title(client, view), ...content);
  const draw = (): void => members.draw();
  const offs = [
    client.on('names', draw),
    client.on('presence', draw),
    blocks.on_change(draw),
    client.on('events', ({ conversation, events }) => {
      const changes = events.some(({ kind }) => kind !== 'message' && kind !== 'ended');
      if (conversation === id && changes) void members.load();
    }),
    client.on('list', ({ removed }) => {
      if (removed.includes(id)) window_.close();
    }),
  ];
  window_.addEventListener('close', () => offs.forEach((off) => off()));
  void members.load();
  load_about().catch(() => undefined); // the window does without
}
