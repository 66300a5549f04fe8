// space_channels.ts: what a space holds: its channels with the way into each, and how one is made.
import type {
  ChatEvent,
  ConversationId,
  ConversationInfo,
  ConversationView,
  ParleyClient,
} from '@parley/client';
import { el, icon, reconcile, type Keyed } from './dom.js';
import { avatar, conversation_title } from './format.js';
import { may } from './rights.js';

export interface ChannelActions {
  open: (id: ConversationId) => void;
  join: (id: ConversationId) => void;
  /** A new channel of that space. */
  start_channel: (space: ConversationId) => void;
}

interface Channel {
  id: ConversationId;
  title: string;
  /** In this user's list. */
  inside: boolean;
  /** To everybody in the space. */
  open: boolean;
}

/** Those that are open to everybody, and those that this user is in; by name. */
function channels_of(
  client: ParleyClient,
  { conversation }: ConversationView,
  info: ConversationInfo | null,
  events: readonly ChatEvent[],
): Channel[] {
  const own = client.conversations().filter(({ space }) => space === conversation);
  const ids = new Set([...own.map((view) => view.conversation), ...(info?.children ?? [])]);
  const told = new Map(
    events
      .filter(({ kind }) => kind === 'child_opened')
      .map(({ child, title }) => [child, title]),
  );
  return [...ids]
    .map((id): Channel => {
      const view = client.conversation(id);
      const title = view ? conversation_title(client, view) : told.get(id) || 'Untitled';
      return { id, title, inside: view !== null, open: info?.children.includes(id) ?? true };
    })
    .sort((a, b) => a.title.localeCompare(b.title, undefined, { numeric: true }));
}

function line({ id, title, inside, open }: Channel, actions: ChannelActions): HTMLElement {
  const go = (): void => (inside ? actions.open(id) : actions.join(id));
  const look = inside ? 'button quiet' : 'button';
  const label = `${inside ? 'Open' : 'Join'} ${title}`;
  const attributes = { type: 'button', class: look, 'aria-label': label, 'data-focus': 'go' };
  return el(
    'li',
    {},
    avatar(title, 'channel'),
    el(
      'span',
      { class: 'lines' },
      el('span', { class: 'title', dir: 'auto' }, title),
      el('span', { class: 'subtitle' }, open ? 'Open to everybody here' : 'For who is added'),
    ),
    el('button', { ...attributes, on: { click: go } }, inside ? 'Open' : 'Join'),
  );
}

/** `events`: of the space, as far as they are known. */
export function render_space(
  parent: HTMLElement,
  client: ParleyClient,
  view: ConversationView,
  info: ConversationInfo | null,
  events: readonly ChatEvent[],
  actions: ChannelActions,
): void {
  parent.hidden = view.kind !== 'space';
  if (parent.hidden) return parent.replaceChildren();
  const { conversation } = view;
  const channels = channels_of(client, view, info, events);
  const lines = channels.map((channel): Keyed => ({
    key: channel.id,
    signature: JSON.stringify(channel),
    build: () => line(channel, actions),
  }));
  if (channels.length === 0)
    lines.push({
      key: 'none',
      signature: '',
      build: () => el('li', { class: 'subtitle' }, 'No channel yet.'),
    });
  if (may(view, 'settings')) {
    const start = (): void => actions.start_channel(conversation);
    const attributes = { type: 'button', class: 'button', on: { click: start } };
    const create = (): HTMLElement =>
      el('li', {}, el('button', attributes, icon('plus'), 'Create a channel'));
    lines.push({ key: 'create', signature: conversation, build: create });
  }
  let list = parent.querySelector('ul');
  if (!list) {
    list = el('ul', { class: 'members', 'aria-label': 'Channels' });
    parent.replaceChildren(el('h2', {}, 'Channels'), list);
  }
  reconcile(list, lines);
}
