// dialogs.ts: the windows over the page: start or join a conversation, members and details.
import type { ConversationId, Member, ParleyClient } from '@parley/client';
import { el, icon_button } from './dom.js';
import { avatar, conversation_title, last_seen, user_name } from './format.js';
import { toast, toast_error } from './toasts.js';

const listed_members = 200;

/** A modal window that removes itself when it closes. */
function dialog(title: string, ...content: Node[]): HTMLDialogElement {
  const heading = el('h2', { id: 'dialog-title' }, title);
  const window_ = el('dialog', { 'aria-labelledby': 'dialog-title' });
  const close = icon_button('close', 'Close', () => window_.close());
  window_.append(el('header', {}, heading, close), ...content);
  window_.addEventListener('close', () => window_.remove());
  window_.addEventListener('click', (event) => {
    if (event.target === window_) window_.close(); // the backdrop
  });
  document.body.append(window_);
  window_.showModal();
  return window_;
}

function field(label: string, input: HTMLInputElement, hint = ''): HTMLElement {
  return el(
    'label',
    { class: 'field' },
    el('span', {}, label),
    input,
    hint === '' ? null : el('small', {}, hint),
  );
}

function text_input(name: string, placeholder: string, required = true): HTMLInputElement {
  return el('input', {
    type: 'text',
    name,
    placeholder,
    required,
    autocomplete: 'off',
    autocapitalize: 'none',
  });
}

function names_in(text: string): string[] {
  return [
    ...new Set(
      text
        .split(/[,;\n]/)
        .map((name) => name.trim())
        .filter((name) => name !== ''),
    ),
  ];
}

/** A form whose submit runs `work` once at a time and closes `owner()` when it succeeded. */
function form(
  button: string,
  fields: Node[],
  work: () => Promise<void>,
  owner: () => HTMLDialogElement | null,
): HTMLFormElement {
  const submit = el('button', { type: 'submit', class: 'button' }, button);
  const element = el('form', {}, ...fields, submit);
  element.addEventListener('submit', (event) => {
    event.preventDefault();
    submit.disabled = true;
    work()
      .then(() => owner()?.close())
      .catch((error: unknown) => toast_error('That did not work', error))
      .finally(() => {
        submit.disabled = false;
      });
  });
  return element;
}

/** A link, or the bare id, of a channel. */
function channel_id(text: string): ConversationId | null {
  return /([0-9a-f]{32})\s*$/.exec(text.trim().toLowerCase())?.[1] ?? null;
}

export function start_dialog(client: ParleyClient, opened: (id: ConversationId) => void): void {
  let window_: HTMLDialogElement | null = null;
  const owner = (): HTMLDialogElement | null => window_;
  const kinds = ['direct', 'group', 'channel', 'join'] as const;
  const titles = { direct: 'Person', group: 'Group', channel: 'Channel', join: 'Join' };

  const peer = text_input('peer', 'bob');
  const group_title = text_input('title', 'Weekend trip');
  const group_members = text_input('members', 'bob, carol', false);
  const channel_title = text_input('title', 'general');
  const link = text_input('link', `${location.origin}/#join=…`);
  const forms = {
    direct: form(
      'Open the chat',
      [field('Name', peer)],
      async () => {
        opened((await client.direct(peer.value.trim())).conversation);
      },
      owner,
    ),
    group: form(
      'Create the group',
      [
        field('Name of the group', group_title),
        field('Members', group_members, 'Names, separated by commas. You can add more later.'),
      ],
      async () => {
        const options = {
          kind: 'group',
          title: group_title.value.trim(),
          members: names_in(group_members.value),
        } as const;
        opened((await client.create(options)).conversation);
      },
      owner,
    ),
    channel: form(
      'Create the channel',
      [field('Name of the channel', channel_title, 'Everybody who has the link can join.')],
      async () => {
        opened(
          (await client.create({ kind: 'channel', title: channel_title.value.trim() }))
            .conversation,
        );
      },
      owner,
    ),
    join: form(
      'Join',
      [field('Link or id of the channel', link)],
      async () => {
        const id = channel_id(link.value);
        if (id === null) throw new Error('a channel has a link that ends in 32 letters and digits');
        opened((await client.join(id)).conversation);
      },
      owner,
    ),
  };

  const tabs = el('div', { class: 'tabs', role: 'tablist' });
  const panel = el('div', { class: 'panel', role: 'tabpanel' });
  const choose = (kind: (typeof kinds)[number]): void => {
    panel.replaceChildren(forms[kind]);
    for (const tab of tabs.children as HTMLCollectionOf<HTMLElement>) {
      tab.setAttribute('aria-selected', String(tab.dataset['kind'] === kind));
    }
    forms[kind].querySelector('input')?.focus();
  };
  for (const kind of kinds) {
    const tab = el(
      'button',
      { type: 'button', role: 'tab', 'data-kind': kind, on: { click: () => choose(kind) } },
      titles[kind],
    );
    tabs.append(tab);
  }
  window_ = dialog('New conversation', tabs, panel);
  choose('direct');
}

export function channel_link(id: ConversationId): string {
  return `${location.origin}${location.pathname}#join=${id}`;
}

export async function share(id: ConversationId): Promise<void> {
  const link = channel_link(id);
  try {
    await navigator.clipboard.writeText(link);
    toast('The link is copied. Whoever opens it joins the channel.');
  } catch {
    const input = el('input', { type: 'text', readonly: true, value: link, 'aria-label': 'Link' });
    dialog('Link to this channel', input); // no clipboard here: to be copied by hand
    input.select();
  }
}

function member_line(
  client: ParleyClient,
  id: ConversationId,
  member: Member,
  may_remove: boolean,
  again: () => void,
): HTMLElement {
  const name = user_name(client, member.user);
  const own = member.user === client.self?.user;
  const presence = client.presence(member.user);
  const online = own || presence?.online === true;
  const state = online ? 'online' : presence ? last_seen(presence.lastSeen) : '';
  const remove = (): void => {
    client
      .remove(id, member.user)
      .then(again)
      .catch((error: unknown) => toast_error(`${name} could not be removed`, error));
  };
  return el(
    'li',
    {},
    avatar(name, 'direct', online),
    el(
      'span',
      { class: 'lines' },
      el('span', { class: 'title' }, own ? `${name} (you)` : name),
      el('span', { class: 'subtitle' }, state),
    ),
    member.role === 'member' ? null : el('span', { class: 'role' }, member.role),
    may_remove && !own ? icon_button('close', `Remove ${name}`, remove) : null,
  );
}

export function details_dialog(client: ParleyClient, id: ConversationId, left: () => void): void {
  const view = client.conversation(id);
  if (!view) return;
  const may_manage = view.kind !== 'direct' && (view.role === 'owner' || view.role === 'admin');
  const list = el('ul', { class: 'members' });
  const count = el('p', { class: 'subtitle' });
  const load = async (): Promise<void> => {
    const page = await client.members(id, { limit: listed_members });
    count.textContent = page.more
      ? `${page.count} members; the first ${page.members.length} are listed`
      : `${page.count} member${page.count === 1 ? '' : 's'}`;
    const draw = (): void =>
      list.replaceChildren(
        ...page.members.map((member) => member_line(client, id, member, may_manage, reload)),
      );
    draw();
    offs.splice(0).forEach((off) => off());
    offs.push(client.on('names', draw), client.on('presence', draw));
  };
  const offs: (() => void)[] = [];
  const reload = (): void => {
    load().catch((error: unknown) => toast_error('The members could not be loaded', error));
  };
  const content: Node[] = [count, list];
  if (view.kind === 'group' || (may_manage && view.kind === 'channel')) {
    const names = text_input('members', 'dave, erin');
    content.push(
      form(
        'Add',
        [field('Add people', names)],
        async () => {
          await client.add(id, names_in(names.value));
          names.value = '';
          reload();
        },
        () => null,
      ),
    );
  }
  if (view.kind === 'channel') {
    content.push(
      el(
        'button',
        { type: 'button', class: 'button quiet', on: { click: () => void share(id) } },
        'Copy the link',
      ),
    );
  }
  if (view.kind !== 'direct') {
    const leave = (): void => {
      client
        .leave(id)
        .then(() => {
          window_.close();
          left();
        })
        .catch((error: unknown) => toast_error('You could not leave', error));
    };
    content.push(
      el(
        'button',
        { type: 'button', class: 'button danger', on: { click: leave } },
        `Leave this ${view.kind}`,
      ),
    );
  }
  const window_ = dialog(conversation_title(client, view), ...content);
  window_.addEventListener('close', () => offs.forEach((off) => off()));
  reload();
}
