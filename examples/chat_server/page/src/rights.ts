// rights.ts: what a role may do by the engine's own table; the engine decides, this only spares people what
// it would deny.
import type { ConversationInfo, ConversationView, Role } from '@parley/client';
import { until_time } from './format.js';

/** From less to more. */
export const ladder: readonly Role[] = [
  'none',
  'read_only',
  'member',
  'moderator',
  'admin',
  'owner',
];

const small_group = 100;

type Action =
  | 'send'
  | 'pin'
  | 'delete_any'
  | 'add'
  | 'invite'
  | 'remove'
  | 'restrict'
  | 'set_role'
  | 'settings';

const least: Record<Action, Role> = {
  send: 'member',
  pin: 'member',
  delete_any: 'moderator',
  add: 'admin',
  invite: 'admin',
  remove: 'moderator',
  restrict: 'moderator',
  set_role: 'admin',
  settings: 'admin',
};

function reaches(role: Role, least_role: Role): boolean {
  return ladder.indexOf(role) >= ladder.indexOf(least_role);
}

export function may({ kind, role }: ConversationView, action: Action): boolean {
  if (kind === 'direct') return action === 'send' || action === 'pin';
  if (kind === 'space' && (action === 'send' || action === 'pin')) return false;
  const wanted = kind === 'channel' && action === 'pin' ? 'moderator' : least[action];
  return reaches(role, wanted);
}

/** Why one may neither write nor react nor edit; '' when nothing hinders. */
export function why_hindered(view: ConversationView, info: ConversationInfo | null): string {
  if (view.kind === 'space') return 'A space holds channels: write in one of them.';
  if (!may(view, 'send')) return 'You may read here, and not write.';
  if (view.archivedForAll) return `This ${view.kind} is closed.`;
  if (!info?.muted) return '';
  const { mutedUntil } = info;
  if (mutedUntil === 0) return 'You are muted here.';
  return mutedUntil > Date.now() ? `You are muted here ${until_time(mutedUntil)}.` : '';
}

/** Why one may not write; '' when one may. */
export function why_silent(view: ConversationView, info: ConversationInfo | null): string {
  const hindered = why_hindered(view, info);
  if (hindered !== '' || !info) return hindered;
  const { whoSends } = info.settings;
  const writers = { moderator: 'moderators', admin: 'admins', owner: 'owners' }[whoSends as string];
  return writers && !reaches(view.role, whoSends) ? `Only ${writers} write here.` : '';
}

/** "@all" is for admins, and for everybody in a small group. */
export function may_name_all({ kind, role }: ConversationView, members: number): boolean {
  return reaches(role, 'admin') || (kind === 'group' && members <= small_group);
}

/** One acts on those below oneself; owners give any role. */
export function outranks(own: Role, other: Role): boolean {
  return ladder.indexOf(own) > ladder.indexOf(other);
}
