// details_dialog.ts: who is in a conversation, and what one may do about it.
import type { ConversationId, ConversationView, Member, ParleyClient, UserId } from '@parley/client';
import type { Blocks } from './blocks.js';
import { on_comings } from './comings.js';
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
  /** There are more of them than are listed. */
  private found_more_ = false;
  private searching_ = false;
  private all_listed_ = true;
  private total_ = 0;
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
      this.total_ = page.count;
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
    this.searching_ = prefix !== '' && !this.all_listed_;
    if (prefix === '') this.found_ = null;
    else if (this.searching_)
      this.pause_ = window.setTimeout(() => void this.search(prefix), search_pause_ms);
    this.draw();
  }

  private async search(prefix: string): Promise<void> {
    try {
      const page = await this.client_.members(this.id_, { prefix, limit: listed_members });
      if (prefix !== search_prefix(this.filter.value)) return;
      this.found_ = page.members;
      this.found_more_ = page.more;
      this.searching_ = false;
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

  /** How many there are, or how many of them were found. */
  private counted(listed: number): string {
    const total = this.total_.toLocaleString('en');
    const members = `${total} member${this.total_ === 1 ? '' : 's'}`;
    if (this.filter.value.trim() === '')
      return this.all_listed_
        ? members
        : `${members}. ${listed} are listed; find the others by name.`;
    if (this.searching_) return 'Searching…';
    if (listed === 0) return 'Nobody of that name';
    const more = this.found_ !== null && this.found_more_;
    return more ? `More than ${listed} of ${members} found` : `${listed} of ${members} found`;
  }

  /** Nobody else is there. */
  alone(): boolean {
    return this.total_ === 1;
  }

  /** As far as is known here. */
  has_other_owner(): boolean {
    const self = this.client_.self?.user;
    const others = this.members_.filter(({ user }) => user !== self);
    return !this.all_listed_ || others.some(({ role }) => role === 'owner');
  }

  knows(user: UserId): boolean {
    return this.members_.some((member) => member.user === user);
  }

  draw(): void {
    const { client_: client } = this;
    const view = client.conversation(this.id_);
    if (!view) return;
    const shown = [...this.fitting()];
    this.count.textContent = this.counted(shown.length);
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
    const known = presence?.state ?? 'offline';
    const state = own && known === 'offline' ? 'online' : known;
    const blocked = this.blocks_.has(member.user);
    const said = presence && state === known ? presence_text(presence) : state;
    const words = blocked ? 'blocked by you' : said;
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

function danger(text: string, click: () => void): HTMLElement {
  return el('button', { type: 'button', class: 'button danger', on: { click } }, text);
}

function leave_button(
  client: ParleyClient,
  view: ConversationView,
  members: MemberList,
  actions: LeaveActions,
): HTMLElement {
  const { conversation: id, kind } = view;
  const leave = (): void => {
    actions.leaving();
    client
      .leave(id)
      .then(() => {
        button.closest('dialog')?.close();
        actions.left(view);
      })
      .catch((error: unknown) => toast_error('You could not leave', error));
  };
  const back =
    kind === 'channel'
      ? 'It goes from your list. Its link leads back.'
      : 'It goes from your list. To come back, somebody there has to add you.';
  const ask = (): void => {
    const owner = client.conversation(id)?.role === 'owner';
    if (owner && members.alone()) {
      const why = `Nobody else is in this ${kind}, so there is nobody to leave it to.`;
      return ask_to_delete(client, view, button, actions, why);
    }
    if (owner && !members.has_other_owner()) {
      const what = `Make somebody else an owner first, or delete the ${kind}.`;
      return void dialog('You are the only owner', el('p', { class: 'subtitle wrap' }, what));
    }
    confirm_dialog(`Leave this ${kind}?`, back, 'Leave', leave, 'danger');
  };
  const button = danger(`Leave this ${kind}`, ask);
  return button;
}

/** `inside`: of the window that closes with it; `why`: what is said first. */
function ask_to_delete(
  client: ParleyClient,
  view: ConversationView,
  inside: HTMLElement,
  actions: LeaveActions,
  why = '',
): void {
  const erase = (): void => {
    actions.leaving();
    client
      .deleteConversation(view.conversation)
      .then(() => {
        inside.closest('dialog')?.close();
        actions.deleted();
      })
      .catch((error: unknown) => toast_error('It was not deleted', error));
  };
  const text = `${why} All that was written is gone, for everybody. Nothing brings it back.`.trim();
  const title = `Delete “${conversation_title(client, view)}”?`;
  confirm_dialog(title, text, 'Delete for good', erase, 'danger');
}

function delete_button(
  client: ParleyClient,
  view: ConversationView,
  actions: LeaveActions,
): HTMLElement {
  const ask = (): void => ask_to_delete(client, view, button, actions);
  const button = danger(`Delete this ${view.kind}`, ask);
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
  const buttons = el('div', { class: 'buttons even' });
  if (may(view, 'settings'))
    buttons.append(quiet('Settings', () => void settings_dialog(client, id)));
  if (may(view, 'restrict'))
    buttons.append(quiet('Muted and banned', () => restrictions_dialog(client, view)));
  if (view.kind !== 'direct' && may(view, 'invite'))
    buttons.append(quiet('Invite links', () => invites_dialog(client, view)));
  buttons.append(link);
  const last = el('div', { class: 'buttons even' }, leave_button(client, view, members, actions));
  if (view.role === 'owner') last.append(delete_button(client, view, actions));
  if (view.kind !== 'direct') content.push(buttons, last);
  const window_ = dialog(conversation_title(client, view), ...content);
  window_.classList.add('tall', 'details');
  const draw = (): void => members.draw();
  const offs = [
    client.on('names', draw),
    client.on('presence', draw),
    blocks.on_change(draw),
    on_comings(client, view, (user) => members.knows(user), () => void members.load()),
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
