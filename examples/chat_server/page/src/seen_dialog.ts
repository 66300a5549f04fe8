// seen_dialog.ts: who has read a message, as far as they let it be known.
import type { ConversationView, Message, ParleyClient } from '@parley/client';
import { dialog } from './dialog.js';
import { el } from './dom.js';
import { avatar, snippet, user_name } from './format.js';
import { toast_error } from './toasts.js';

const listed_members = 200;

export function seen_dialog(client: ParleyClient, view: ConversationView, message: Message): void {
  const { conversation: id } = view;
  const { seq } = message;
  const count = el('p', { class: 'subtitle' }, '…');
  const list = el('ul', { class: 'members' });
  const readers = async (): Promise<string[]> => {
    const page = await client.members(id, { limit: listed_members });
    const members = new Set(page.members.map(({ user }) => user));
    return page.receipts
      .filter(({ user, read }) => read >= seq && user !== client.self?.user && members.has(user))
      .map(({ user }) => user_name(client, user));
  };
  const load = async (): Promise<void> => {
    const [seen, names] = await Promise.all([client.seen(id, seq), readers()]);
    const of = Math.max(0, seen);
    count.textContent =
      of === 0 ? 'Nobody has read it yet.' : `Read by ${of} ${of === 1 ? 'person' : 'people'}`;
    list.replaceChildren(
      ...names
        .sort((a, b) => a.localeCompare(b, undefined, { numeric: true }))
        .map((name) => el('li', {}, avatar(name, 'direct'), el('span', { class: 'title' }, name))),
    );
  };
  dialog(
    'Who has read it',
    el('blockquote', { class: 'quoted', dir: 'auto' }, snippet(message)),
    count,
    list,
  );
  load().catch((error: unknown) => toast_error('Not known', error));
}
