// rights.ts: what a role may do by the engine's own table; the engine decides, this only spares people what
// it would deny.
import type { ConversationView, Role } from '@parley/client';

/** From less to more. */
export const ladder: readonly Role[] = [
  'none',
  'read_only',
  'member',
  'moderator',
  'admin',
  'owner',
];

type Action = 'send' | 'pin' | 'delete_any' | 'add' | 'remove' | 'set_role' | 'settings';

const least: Record<Action, Role> = {
  send: 'member',
  pin: 'member',
  delete_any: 'moderator',
  add: 'admin',
  remove: 'moderator',
  set_role: 'admin',
  settings: 'admin',
};

function reaches(role: Role, least_role: Role): boolean {
  return ladder.indexOf(role) >= ladder.indexOf(least_role);
}

export function may({ kind, role }: ConversationView, action: Action): boolean {
  if (kind === 'direct') return action === 'send' || action === 'pin';
  const wanted = kind === 'channel' && action === 'pin' ? 'moderator' : least[action];
  return reaches(role, wanted);
}

/** One acts on those below oneself; owners give any role. */
export function outranks(own: Role, other: Role): boolean {
  return ladder.indexOf(own) > ladder.indexOf(other);
}
