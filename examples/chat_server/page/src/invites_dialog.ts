// invites_dialog.ts: the links that let people into a conversation: made, copied and revoked.
import type { ConversationView, Invite, ParleyClient, Role } from '@parley/client';
import { dialog, field, form, select } from './dialog.js';
import { el, icon_button } from './dom.js';
import { until_time, user_name } from './format.js';
import { share_invite } from './links.js';
import { role_name } from './member_menu.js';
import { outranks } from './rights.js';
import { toast_error } from './toasts.js';

const hour_ms = 3_600_000;
const durations: readonly [number, string][] = [
  [0, 'Until it is revoked'],
  [hour_ms, 'An hour'],
  [24 * hour_ms, 'A day'],
  [7 * 24 * hour_ms, 'A week'],
];
const numbers: readonly [number, string][] = [
  [0, 'Any number of people'],
  [1, 'One person'],
  [10, '10 people'],
  [100, '100 people'],
];
const roles: readonly [Role, string][] = [
  ['member', 'Members'],
  ['read_only', 'Readers'],
  ['moderator', 'Moderators'],
];

/** "until tomorrow, 9:00 · 1 of 10 came in · by bob". */
function about(client: ParleyClient, { expires, uses, used, by }: Invite): string {
  const came = uses === 0 ? `${used} came in` : `${used} of ${uses} came in`;
  const parts = [expires === 0 ? 'without end' : until_time(expires), came];
  if (by !== '' && by !== client.self?.user) parts.push(`by ${user_name(client, by)}`);
  return parts.join(' · ');
}

export function invites_dialog(
  client: ParleyClient,
  { conversation: id, kind, role }: ConversationView,
): void {
  const list = el('ul', { class: 'pins invites', 'aria-label': 'Links' });
  const none = el('p', { class: 'subtitle wrap' }, 'No link holds at the moment.');
  const line = (invite: Invite): HTMLElement => {
    const title =
      role_name(invite.role) === '' ? 'Lets in members' : `Lets in as ${role_name(invite.role)}`;
    const revoke = (): void => {
      client
        .revokeInvite(invite.token)
        .then(load)
        .catch((error: unknown) => toast_error('It still holds', error));
    };
    return el(
      'li',
      {},
      el(
        'span',
        { class: 'pin-line' },
        el('span', { class: 'title' }, title),
        el('span', { class: 'pin-text' }, about(client, invite)),
      ),
      icon_button('copy', 'Copy the link', () => void share_invite(invite.token)),
      icon_button('trash', 'Revoke the link', revoke),
    );
  };
  const load = async (): Promise<void> => {
    try {
      const invites = await client.invites(id);
      list.replaceChildren(...invites.map(line));
      list.hidden = invites.length === 0;
      none.hidden = !list.hidden;
    } catch (error) {
      toast_error('The links could not be loaded', error);
    }
  };
  const lasts = select('lasts', durations, 24 * hour_ms);
  const uses = select('uses', numbers, 0);
  const given = roles.filter(([to]) => to === 'member' || role === 'owner' || outranks(role, to));
  const as = select('role', given, 'member');
  const making = form(
    client,
    'Make a link',
    [field('It lets in', uses), field('As', as), field('For how long', lasts)],
    () => {
      const ms = Number(lasts.value);
      return client.createInvite(id, {
        role: as.value as Role,
        uses: Number(uses.value),
        expires: ms === 0 ? 0 : Date.now() + ms,
      });
    },
    ({ token }) => {
      void load();
      void share_invite(token);
    },
  );
  const window_ = dialog(`Links into this ${kind}`, none, list, making);
  window_.classList.add('tall');
  const off = client.on('names', () => void load());
  window_.addEventListener('close', off);
  void load();
}
