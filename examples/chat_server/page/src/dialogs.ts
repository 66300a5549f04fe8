// dialogs.ts: the windows over the page: start or join a conversation, members and details.
import type { ConversationId, ConversationView, Member, ParleyClient } from '@parley/client';
import { el, icon_button } from './dom.js';
import { avatar, conversation_title, last_seen, user_name } from './format.js';
import { toast, toast_error } from './toasts.js';
import { in_words } from './words.js';

const listed_members = 200;

/** A modal window that removes itself when it closes. */
export function dialog(title: string, ...content: Node[]): HTMLDialogElement {
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

const waiting_text = 'Not connected: this will be done when the connection is back.';

/** Whether the link was up, or came up, before `given_up`. */
function connected(client: ParleyClient, given_up: AbortSignal): Promise<boolean> {
  if (client.state === 'ready') return Promise.resolve(true);
  return new Promise((resolve) => {
    const off = client.on('state', ({ state }) => {
      if (state === 'ready') end(true);
    });
    const end = (up: boolean): void => {
      off();
      resolve(up);
    };
    given_up.addEventListener('abort', () => end(false));
  });
}

/**
 * A form whose submit runs `work` once at a time; `done` with its result, if the window is still
 * open. Without a link it waits for one, and is not done at all when the window is closed meanwhile.
 */
function form<Result>(
  client: ParleyClient,
  button: string,
  fields: Node[],
  work: () => Promise<Result>,
  done: (result: Result, window_: HTMLDialogElement) => void,
): HTMLFormElement {
  const submit = el('button', { type: 'submit', class: 'button' }, button);
  const note = el('p', { class: 'problem', role: 'alert', hidden: true });
  const element = el('form', {}, ...fields, note, submit);
  const tell = (text: string, tone = 'problem'): void => {
    note.className = tone;
    note.textContent = text;
    note.hidden = text === '';
  };
  const run = async (window_: HTMLDialogElement): Promise<void> => {
    const closed = new AbortController();
    window_.addEventListener('close', () => closed.abort());
    if (client.state !== 'ready') tell(waiting_text, 'waits');
    if (!(await connected(client, closed.signal))) return;
    const lost = client.on('state', ({ state }) => {
      if (state !== 'ready') tell(waiting_text, 'waits');
    });
    try {
      const result = await work();
      tell('');
      if (!closed.signal.aborted) done(result, window_);
    } catch (error) {
      tell(in_words(error));
    } finally {
      lost();
    }
  };
  element.addEventListener('submit', (event) => {
    event.preventDefault();
    const window_ = element.closest('dialog');
    if (!window_ || submit.disabled) return;
    submit.disabled = true;
    void run(window_).finally(() => {
      submit.disabled = false;
    });
  });
  element.addEventListener('input', () => {
    if (!submit.disabled) tell('');
  });
  return element;
}

/** A link, or the bare id, of a channel. */
function channel_id(text: string): ConversationId | null {
  return /([0-9a-f]{32})\s*$/.exec(text.trim().toLowerCase())?.[1] ?? null;
}

export function start_dialog(client: ParleyClient, opened: (id: ConversationId) => void): void {
  const enter = (view: ConversationView, window_: HTMLDialogElement): void => {
    window_.close();
    opened(view.conversation);
  };
  const kinds = ['direct', 'group', 'channel', 'join'] as const;
  const titles = { direct: 'Person', group: 'Group', channel: 'Channel', join: 'Join' };

  const peer = text_input('peer', 'bob');
  const group_title = text_input('title', 'Weekend trip');
  const group_members = text_input('members', 'bob, carol', false);
  const channel_title = text_input('title', 'general');
  const link = text_input('link', `${location.origin}/#join=…`);
  const forms = {
    direct: form(
      client,
      'Open the chat',
      [field('Name', peer)],
      () => client.direct(peer.value.trim()),
      enter,
    ),
    group: form(
      client,
      'Create the group',
      [
        field('Name of the group', group_title),
        field('Members', group_members, 'Names, separated by commas. You can add more later.'),
      ],
      () =>
        client.create({
          kind: 'group',
          title: group_title.value.trim(),
          members: names_in(group_members.value),
        }),
      enter,
    ),
    channel: form(
      client,
      'Create the channel',
      [field('Name of the channel', channel_title, 'Everybody who has the link can join.')],
      () => client.create({ kind: 'channel', title: channel_title.value.trim() }),
      enter,
    ),
    join: form(
      client,
      'Join',
      [field('Link or id of the channel', link)],
      async () => {
        const id = channel_id(link.value);
        if (id === null) throw new Error('The link of a channel ends in 32 letters and digits.');
        return client.join(id);
      },
      enter,
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
  dialog('New conversation', tabs, panel);
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
      el(
        'span',
        { class: 'line' },
        el('span', { class: 'title', title: name }, name),
        own ? el('span', { class: 'you' }, '(you)') : null,
      ),
      el('span', { class: 'subtitle' }, state),
    ),
    member.role === 'member' ? null : el('span', { class: 'role' }, member.role),
    may_remove && !own ? icon_button('close', `Remove ${name}`, remove) : null,
  );
}

/** The address named a conversation that is not in the list. */
export function closed_dialog(
  client: ParleyClient,
  id: ConversationId,
  opened: (id: ConversationId) => void,
): void {
  const text =
    'This conversation does not exist or is not open to you. If it is a channel, you can join it.';
  dialog(
    'Not open to you',
    el('p', { class: 'subtitle wrap' }, text),
    form(
      client,
      'Join the channel',
      [],
      () => client.join(id),
      (view, window_) => {
        window_.close();
        opened(view.conversation);
      },
    ),
  );
}

export interface LeaveActions {
  leaving: () => void;
  left: (view: ConversationView) => void;
}

export function details_dialog(
  client: ParleyClient,
  id: ConversationId,
  actions: LeaveActions,
): void {
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
    const by_name = (a: Member, b: Member): number =>
      user_name(client, a.user).localeCompare(user_name(client, b.user), undefined, {
        numeric: true,
        sensitivity: 'base',
      });
    const draw = (): void =>
      list.replaceChildren(
        ...page.members
          .sort(by_name)
          .map((member) => member_line(client, id, member, may_manage, reload)),
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
        client,
        'Add',
        [field('Add people', names)],
        () => client.add(id, names_in(names.value)),
        () => {
          names.value = '';
          reload();
        },
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
      actions.leaving();
      client
        .leave(id)
        .then(() => {
          window_.close();
          actions.left(view);
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
