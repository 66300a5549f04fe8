// start_dialog.ts: the windows that lead into a conversation: start one, join one, ask to be let in.
import type { ConversationId, ConversationView, ParleyClient } from '@parley/client';
import { dialog, field, form, select, text_input } from './dialog.js';
import { el } from './dom.js';
import { conversation_title } from './format.js';
import { ask_form } from './join_requests.js';
import { read_link } from './links.js';
import { may } from './rights.js';

/** The engine takes so many at once. */
const names_at_once = 100;

/** The names in a list that somebody wrote; throws when there are too many for one step. */
export function names_in(text: string): string[] {
  const names = text.split(/[,;\n]/).map((name) => name.trim());
  const different = [...new Set(names)].filter((name) => name !== '');
  if (different.length > names_at_once)
    throw new Error(
      `These are ${different.length} names. Take ${names_at_once} at most, and add the others later.`,
    );
  return different;
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

/** Who will be in a channel that is created in that space ('': in none). */
function who_is_in(client: ParleyClient, space: ConversationId): string {
  const view = client.conversation(space);
  if (!view) return 'Everybody who has the link can join.';
  return `Everybody in ${conversation_title(client, view)} is in it.`;
}

/** `space`: the one that is chosen at first; '' for none. */
function channel_form(client: ParleyClient, enter: Enter, space: ConversationId): HTMLFormElement {
  const title = text_input('title', 'general');
  const places = client
    .conversations()
    .filter((view) => view.kind === 'space' && may(view, 'settings'))
    .map((view) => [view.conversation, `In ${conversation_title(client, view)}`] as const);
  const place = select('space', [['', 'By itself'], ...places], space);
  const hint = el('small', {});
  const tell = (): void => {
    hint.textContent = who_is_in(client, place.value);
  };
  place.addEventListener('change', tell);
  tell();
  const name = field('Name of the channel', title);
  const where = places.length > 0 ? field('Where', place) : name;
  where.append(hint);
  return form(
    client,
    'Create the channel',
    where === name ? [name] : [name, where],
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
      if (way === null) throw new Error('This is not a link of this chat.');
      return 'id' in way ? client.join(way.id) : client.joinInvite(way.token);
    },
    enter,
  );
}

/** `space`: begins with a channel in it. */
export function start_dialog(
  client: ParleyClient,
  opened: (id: ConversationId) => void,
  space: ConversationId = '',
): void {
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
    channel: channel_form(client, enter, space),
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
  choose(space === '' ? 'direct' : 'channel');
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
