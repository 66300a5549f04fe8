// checks.ts: what a call may be given, field by field. What the server would close the link for is
// an error of the one call instead; bounds that it answers with an error are left to it.
import { ParleyError } from './errors.js';
import type { Input } from './inputs.js';
import type { Operation } from './operations.js';

/** The calls of the client that are answered. */
export type Asked = Exclude<
  Operation,
  {
    type:
      | 'hello'
      | 'send'
      | 'subscribe'
      | 'mark_read'
      | 'set_presence'
      | 'watch'
      | 'watch_conversation'
      | 'lookup'
      | 'sync'
      | 'ping'
      | 'bye';
  }
>;
/** The calls that the core carries out by itself. */
export type Told = Extract<
  Input,
  {
    type:
      | 'send'
      | 'retry'
      | 'discard'
      | 'open'
      | 'close'
      | 'read'
      | 'typing'
      | 'presence'
      | 'watch'
      | 'watch_conversation'
      | 'names';
  }
>;

/** "field: expected …", or null. */
type Check = (value: unknown, field: string) => string | null;

function is(good: (value: unknown) => boolean, expected: string): Check {
  return (value, field) => (good(value) ? null : `${field}: expected ${expected}`);
}

const lone_surrogate = /\p{Surrogate}/u;
const base64_text = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/;

function is_id(value: unknown): boolean {
  if (typeof value !== 'string' || !/^[0-9]{1,20}$/.test(value)) return false;
  return BigInt(value) <= 0xffff_ffff_ffff_ffffn;
}

function whole(most: number): Check {
  const good = (value: unknown): boolean =>
    Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most;
  return is(good, `a whole number from 0 to ${most}`);
}

const text = is(
  (value) => typeof value === 'string' && !lone_surrogate.test(value),
  'a string of valid Unicode',
);
const flag = is((value) => typeof value === 'boolean', 'true or false');
const conversation = is(
  (value) => typeof value === 'string' && /^[0-9a-f]{32}$/.test(value),
  '32 hexadecimal digits',
);
const id = is(is_id, 'an id in decimal digits');
const base64 = is(
  (value) => typeof value === 'string' && base64_text.test(value),
  'bytes in base64',
);
const byte = whole(0xff);
const count = whole(0xffff_ffff);
/** Seqs, times and durations in milliseconds. */
const number = whole(Number.MAX_SAFE_INTEGER);

function one_of(...names: string[]): Check {
  return is((value) => names.includes(value as string), `one of ${names.join(', ')}`);
}

function or_none(check: Check): Check {
  return (value, field) => (value === '' ? null : check(value, field));
}

function optional(check: Check): Check {
  return (value, field) => (value === undefined ? null : check(value, field));
}

function list(check: Check): Check {
  return (value, field) => {
    if (!Array.isArray(value)) return `${field}: expected an array`;
    for (const [at, one] of value.entries()) {
      const wrong = check(one, `${field}[${at}]`);
      if (wrong !== null) return wrong;
    }
    return null;
  };
}

function object(fields: Record<string, Check>, named = true): Check {
  return (value, field) => {
    if (typeof value !== 'object' || value === null) return `${field}: expected an object`;
    for (const [name, check] of Object.entries(fields)) {
      const wrong = check((value as Record<string, unknown>)[name], named ? `${field}.${name}` : name);
      if (wrong !== null) return wrong;
    }
    return null;
  };
}

/** Of what changes: a field that is not given stays. */
function change(fields: Record<string, Check>): Check {
  const all = Object.entries(fields).map(([name, check]) => [name, optional(check)]);
  return object(Object.fromEntries(all) as Record<string, Check>);
}

const role = one_of('none', 'read_only', 'member', 'moderator', 'admin', 'owner');
const join = one_of('added', 'open', 'by_request');
const restriction = one_of('mute', 'ban');
const page = { conversation, after: or_none(id), limit: count };
const of_message = { conversation, seq: number };
const switched = { ...of_message, on: flag };
const draft = { contentType: text, text, replyTo: number };

const extras = object(
  {
    mentions: list(id),
    mentionScope: one_of('none', 'here', 'all'),
    attachments: list(object({ handle: text, contentType: text, name: text, size: number })),
    headers: list(object({ name: text, value: text })),
  },
  false,
);
const poll = object({
  options: list(text),
  multiple: optional(flag),
  anonymous: optional(flag),
  closesAfter: optional(number),
});

type Rules = {
  [Type in (Asked | Told)['type']]: {
    [Field in Exclude<
      keyof Extract<Asked | Told, { type: Type }>,
      'type' | 'call'
    >]-?: Check;
  };
};

export const rules: Rules = {
  // Messages.
  send: {
    conversation,
    ...draft,
    audience: optional(byte),
    threadRoot: optional(number),
    extras: optional(extras),
    forward: optional(object({ conversation, seq: number })),
    expiresAfter: optional(number),
    poll: optional(poll),
    stream: optional(id),
  },
  retry: { conversation, local: text },
  discard: { conversation, local: text },
  open: { conversation },
  close: { conversation },
  history: { conversation, from: number, backward: flag, limit: count },
  schedule: { id: or_none(id), conversation, at: number, ...draft },
  unschedule: { id },
  list_scheduled: {},
  start_stream: { conversation, contentType: text, replyTo: number, threadRoot: number },
  append_stream: { conversation, stream: id, at: number, text },
  cancel_stream: { conversation, stream: id },
  get_stream: { conversation, stream: id },
  // What is done to them.
  edit: { ...of_message, contentType: text, text },
  delete: of_message,
  delete_for_me: { conversation, seqs: list(number) },
  react: { ...switched, key: text },
  reactors: { ...page, seq: number, key: text },
  pin: switched,
  pins: { conversation },
  vote: { ...of_message, options: list(byte) },
  close_poll: of_message,
  get_ballot: of_message,
  voters: { ...page, seq: number, option: byte },
  thread: { conversation, root: number, from: number, backward: flag, limit: count },
  threads: { conversation, before: number, limit: count },
  follow_thread: { conversation, root: number, on: flag },
  read_thread: { conversation, root: number, seq: number },
  // Conversations and who is in them.
  create: {
    kind: one_of('group', 'channel', 'space'),
    title: text,
    nonce: conversation,
    members: list(text),
    space: or_none(conversation),
    join: or_none(join),
  },
  direct: { peer: text },
  join: { conversation },
  leave: { conversation },
  delete_conversation: { conversation },
  set_title: { conversation, title: text },
  set_settings: {
    conversation,
    settings: change({
      title: text,
      description: text,
      avatar: text,
      metadata: base64,
      whoSends: role,
      whoAdds: role,
      whoPins: role,
      whoChanges: role,
      join,
      archived: flag,
      slowMode: count,
      expiresAfter: count,
    }),
  },
  info: { conversation },
  set_retention: { conversation, keepFor: number, keepEvents: number },
  get_retention: { conversation },
  members: { ...page, prefix: text },
  add: { conversation, members: list(text) },
  remove: { conversation, user: id },
  set_role: { conversation, user: id, role },
  transfer: { conversation, user: id },
  create_invite: { conversation, role, expires: number, uses: count },
  list_invites: { conversation },
  revoke_invite: { token: text },
  join_invite: { token: text },
  request_join: { conversation, note: text },
  join_requests: page,
  answer_request: { conversation, user: id, approve: flag },
  restrict: { conversation, kind: restriction, user: id, on: flag, until: number, reason: text },
  restrictions: { ...page, kind: restriction },
  block: { user: id, on: flag },
  list_blocked: {},
  // The list, the user, others.
  page_list: { afterActivity: number, after: or_none(conversation), limit: count },
  set_list: {
    conversation,
    settings: change({
      pinned: flag,
      archived: flag,
      markedUnread: flag,
      mutedUntil: number,
      draft: text,
      folder: text,
      hidden: flag,
    }),
  },
  read: of_message,
  seen: of_message,
  devices: {},
  rename_device: { device: id, name: text },
  revoke_device: { device: id },
  set_user: {
    change: change({ hideReads: flag, hideLastSeen: flag, status: text, statusUntil: number }),
  },
  presence: { state: one_of('online', 'away', 'busy', 'invisible') },
  typing: { conversation, kind: text, on: flag },
  signal: { conversation, kind: text, text, lastsMs: optional(count) },
  watch: { conversation, users: list(id) },
  watch_conversation: { conversation, on: flag },
  names: { users: list(or_none(id)) },
};

/** What is wrong with a call; null when nothing is. */
export function refusal(asked: Asked | Told): ParleyError | null {
  const wrong = object(rules[asked.type] as Record<string, Check>, false)(asked, asked.type);
  return wrong === null ? null : new ParleyError('invalid_argument', wrong);
}
