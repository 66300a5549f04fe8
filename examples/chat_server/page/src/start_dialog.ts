// start_dialog.ts: the windows that lead into a conversation: start one, join one, ask to be let in.
import type { ConversationId, ConversationView, ParleyClient } from '@parley/client';
import { dialog, field, form, select, text_input } from './dialog.js';
import { el } from './dom.js';
import { ask_form } from './join_requests.js';
import { read_link } from './links.js';
import { may } from './rights.js';

export function names_in(text: string): string[] {
  return [
    ...new Set(
      text
        .split(/[,;\n]/)
        .map((name) => name.trim())
        .filter((name) => name !== ''),
    ),
  ];
}

type Enter = (view: ConversationView, window_: HTMLDialogElement) => void;

function direct_form(client: ParleyClient, enter: Enter): HTMLFormElement {
  const peer = text_input('peer', 'bob');
  const open = (): Promise<ConversationView> => client.direct(peer.value.trim());
  return form(client, 'Open the chat', [field('Name', peer)], open, enter);
}

function group_form(client: ParleyClient, enter: Enter): HTMLFormElement {
  const title = text_input('title', 'Weekend trip');
  const members = text_input('members', 'bob, carol', false);
  return form(
    client,
    'Create the group',
    [
      field('Name of the group', title),
      field('Members', members, 'Names, separated by commas. You can add more later.'),
    ],
    () =>
      client.create({
        kind: 'group',
        title: title.value.trim(),
        members: names_in(members.value),
      }),
    enter,
  );
}

function channel_form(client: ParleyClient, enter: Enter): HTMLFormElement {
  const title = text_input('title', 'general');
  const places = client
    .conversations()
    .filter((view) => view.kind === 'space' && may(view, 'settings'))
    .map((view) => [view.conversation, `In ${view.title || 'Untitled'}`] as const);
  const place = select('space', [['', 'By itself'], ...places], '');
  return form(
    client,
    'Create the channel',
    [
      field('Name of the channel', title, 'Everybody who has the link can join.'),
      ...(places.length > 0 ? [field('Where', place, 'Or who is in the space is in it.')] : []),
    ],
    () =>
      client.create({
        kind: 'channel',
        title: title.value.trim(),
        ...(place.value !== '' ? { space: place.value } : {}),
      }),
    enter,
  );
}

function space_form(client: ParleyClient, enter: Enter): HTMLFormElement {
  const title = text_input('title', 'Guild');
  const members = text_input('members', 'bob, carol', false);
  return form(
    client,
    'Create the space',
    [
      field('Name of the space', title),
      field('Members', members, 'They are in all of its channels.'),
    ],
    () =>
      client.create({
        kind: 'space',
        title: title.value.trim(),
        members: names_in(members.value),
      }),
    enter,
  );
}

function join_form(client: ParleyClient, enter: Enter): HTMLFormElement {
  const link = text_input('link', `${location.origin}/#join=…`);
  return form(
    client,
    'Join',
    [field('Link', link, 'Of a channel or of an invitation.')],
    async () => {
      const way = read_link(link.value);
      if (way === null) throw new Error('A link ends in 32 or 64 letters and digits.');
      return 'id' in way ? client.join(way.id) : client.joinInvite(way.token);
    },
    enter,
  );
}

export function start_dialog(client: ParleyClient, opened: (id: ConversationId) => void): void {
  const enter: Enter = (view, window_) => {
    window_.close();
    opened(view.conversation);
  };
  const kinds = ['direct', 'group', 'channel', 'space', 'join'] as const;
  const titles = {
    direct: 'Person',
    group: 'Group',
    channel: 'Channel',
    space: 'Space',
    join: 'Join',
  };
  const forms = {
    direct: direct_form(client, enter),
    group: group_form(client, enter),
    channel: channel_form(client, enter),
    space: space_form(client, enter),
    join: join_form(client, enter),
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

/** The address named a conversation that is not in the list. */
export function closed_dialog(
  client: ParleyClient,
  id: ConversationId,
  opened: (id: ConversationId) => void,
): void {
  const text =
    'This conversation does not exist or is not open to you. You can try to join it, or ask to be let in.';
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
    ask_form(client, id),
  );
}
