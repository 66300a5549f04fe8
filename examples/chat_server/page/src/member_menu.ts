// member_menu.ts: what one may do about a member of a conversation.
import type { ConversationView, Member, ParleyClient, Role } from '@parley/client';
import type { Blocks } from './blocks.js';
import { confirm_dialog } from './dialog.js';
import { user_name } from './format.js';
import type { MenuItem } from './menu.js';
import { restrict_dialog } from './restrictions.js';
import { ladder, may, outranks } from './rights.js';
import { toast_error } from './toasts.js';

const names: Partial<Record<Role, string>> = {
  read_only: 'reads only',
  moderator: 'moderator',
  admin: 'admin',
  owner: 'owner',
};

/** '' for a plain member. */
export function role_name(role: Role): string {
  return names[role] ?? '';
}

const labels: Partial<Record<Role, string>> = {
  read_only: 'May only read',
  member: 'Make a member',
  moderator: 'Make a moderator',
  admin: 'Make an admin',
  owner: 'Make an owner',
};

/** `done`: the members have changed. */
export function member_menu(
  client: ParleyClient,
  view: ConversationView,
  member: Member,
  blocks: Blocks,
  done: () => void,
): MenuItem[] {
  const { conversation: id, role, kind } = view;
  const { user } = member;
  const owner = role === 'owner';
  if (user === client.self?.user) return [];
  if (kind === 'direct' || !(owner || outranks(role, member.role))) return [blocks.menu_item(user)];
  const name = user_name(client, user);
  const run = (what: string, work: () => Promise<void>) => (): void => {
    work()
      .then(done)
      .catch((error: unknown) => toast_error(what, error));
  };
  const items: MenuItem[] = [];
  if (may(view, 'set_role'))
    for (const to of [...ladder].reverse())
      if (to !== 'none' && to !== member.role && (owner || outranks(role, to)))
        items.push({
          name: `role-${to}`,
          icon: to === 'read_only' ? 'eye' : 'person',
          label: labels[to]!,
          run: run(`${name} keeps the role`, () => client.setRole(id, user, to)),
        });
  if (owner && member.role !== 'owner') {
    const hand_over = run('It stays yours', () => client.transfer(id, user));
    const text = `${name} becomes the owner, and you an admin.`;
    items.push({
      name: 'transfer',
      icon: 'crown',
      label: `Hand the ${kind} over`,
      run: () => confirm_dialog(`Hand the ${kind} over?`, text, 'Hand over', hand_over),
    });
  }
  if (may(view, 'restrict') && outranks(role, member.role))
    for (const kind of ['mute', 'ban'] as const)
      items.push({
        name: kind,
        icon: kind === 'mute' ? 'muted' : 'ban',
        label: kind === 'mute' ? 'Mute…' : 'Ban…',
        run: () => restrict_dialog(client, view, user, kind, done),
      });
  if (may(view, 'remove') && outranks(role, member.role)) {
    const remove = run(`${name} could not be removed`, () => client.remove(id, user));
    const text = `${name} sees no more of what is written here from then on.`;
    items.push({
      name: 'remove',
      icon: 'leave',
      label: `Remove from the ${kind}…`,
      run: () => confirm_dialog(`Remove ${name}?`, text, 'Remove', remove, 'danger'),
    });
  }
  items.push(blocks.menu_item(user));
  return items;
}
