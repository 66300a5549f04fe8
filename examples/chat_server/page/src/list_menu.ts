// list_menu.ts: what one can do with a line of the list, for oneself and on all devices.
import type { ConversationView, ListSettings, ParleyClient } from '@parley/client';
import type { Blocks } from './blocks.js';
import { dialog, field, form, text_input } from './dialog.js';
import { el } from './dom.js';
import type { MenuItem } from './menu.js';
import { toast_error, toast_offline } from './toasts.js';

const eight_hours_ms = 8 * 3_600_000;
const folder_length = 40;
/** Until it is turned on again: the end of the year 9999. */
const for_ever = 253_402_300_799_000;

export function is_muted({ mutedUntil }: ConversationView): boolean {
  return mutedUntil > Date.now();
}

export function is_unread({ unread, markedUnread }: ConversationView): boolean {
  return unread > 0 || markedUnread;
}

/** Stores it; the line is drawn anew when the list says so. */
function set(client: ParleyClient, view: ConversationView, settings: ListSettings): void {
  const what = 'Not changed';
  if (client.state !== 'ready') return toast_offline(what);
  client.setList(view.conversation, settings).catch((error: unknown) => toast_error(what, error));
}

/** The folders that the user has, by name. */
export function folders(views: readonly ConversationView[]): string[] {
  const names = new Set(views.map(({ folder }) => folder).filter((folder) => folder !== ''));
  return [...names].sort((a, b) => a.localeCompare(b));
}

function folder_dialog(client: ParleyClient, view: ConversationView): void {
  const name = text_input('folder', 'Work', false);
  name.value = view.folder;
  name.maxLength = folder_length;
  name.setAttribute('list', 'folders');
  const known = el('datalist', { id: 'folders' });
  for (const folder of folders(client.conversations()))
    known.append(el('option', { value: folder }));
  dialog(
    'Folder',
    form(
      client,
      'Put it there',
      [field('Name of the folder', name, 'Empty: in none.'), known],
      () => client.setList(view.conversation, { folder: name.value.trim() }),
      (_, window_) => window_.close(),
    ),
  );
  name.select();
}

export function list_menu(
  client: ParleyClient,
  view: ConversationView,
  blocks: Blocks,
): MenuItem[] {
  const { pinned, archived, markedUnread, unread, conversation, headSeq, kind, peer } = view;
  const change = (settings: ListSettings) => (): void => set(client, view, settings);
  const mark_read = (): void => {
    if (unread > 0) client.markRead(conversation, headSeq);
    if (markedUnread) set(client, view, { markedUnread: false });
  };
  const mute_for_a_while = (): void =>
    set(client, view, { mutedUntil: Date.now() + eight_hours_ms });
  const muting: MenuItem[] = is_muted(view)
    ? [{ name: 'unmute', icon: 'bell', label: 'Unmute', run: change({ mutedUntil: 0 }) }]
    : [
        { name: 'mute', icon: 'muted', label: 'Mute for 8 hours', run: mute_for_a_while },
        {
          name: 'mute-for-ever',
          icon: 'muted',
          label: 'Mute until I turn it on',
          run: change({ mutedUntil: for_ever }),
        },
      ];
  return [
    {
      name: 'pin',
      icon: pinned ? 'unpin' : 'pin',
      label: pinned ? 'Unpin' : 'Pin',
      run: change({ pinned: !pinned }),
    },
    ...muting,
    is_unread(view)
      ? { name: 'read', icon: 'checks', label: 'Mark as read', run: mark_read }
      : {
          name: 'unread',
          icon: 'chat',
          label: 'Mark as unread',
          run: change({ markedUnread: true }),
        },
    {
      name: 'folder',
      icon: 'folder',
      label: view.folder === '' ? 'Put into a folder…' : `In “${view.folder}”: change…`,
      run: () => folder_dialog(client, view),
    },
    {
      name: 'hide',
      icon: 'hidden',
      label: 'Hide until something is written',
      run: change({ hidden: true }),
    },
    {
      name: 'archive',
      icon: 'archive',
      label: archived ? 'Unarchive' : 'Archive',
      run: change({ archived: !archived }),
    },
    ...(kind === 'direct' && peer !== client.self?.user ? [blocks.menu_item(peer)] : []),
  ];
}
