// members.ts: who is in a conversation, who comes in and how, and how far each has read.
import type { Invite, JoinRequest, Member, Receipt, Restriction, Role } from '../types.js';
import type { Readers, Writers } from './frames.js';
import {
  compact,
  decimal,
  flag,
  hex128,
  list,
  name,
  number,
  object,
  text,
  unless,
  unless_off,
} from './json.js';

function read_receipt(value: unknown): Receipt {
  const json = object(value, 'receipt');
  return {
    user: decimal(json, 'user'),
    received: number(json, 'received', 0),
    read: number(json, 'read', 0),
  };
}

function read_member(value: unknown): Member {
  const json = object(value, 'member');
  return {
    user: decimal(json, 'user'),
    role: name(json, 'role', 'none') as Role,
    since: number(json, 'since', 0),
    visibleFrom: number(json, 'visible_from', 1),
  };
}

function read_restriction(value: unknown): Restriction {
  const json = object(value, 'users');
  return {
    user: decimal(json, 'user'),
    by: decimal(json, 'by', ''),
    since: number(json, 'since'),
    until: number(json, 'until', 0),
    reason: text(json, 'reason', ''),
  };
}

function read_invite(value: unknown): Invite {
  const json = object(value, 'invites');
  return {
    token: text(json, 'token'),
    role: name(json, 'role') as Role,
    by: decimal(json, 'by', ''),
    created: number(json, 'created'),
    expires: number(json, 'expires', 0),
    uses: number(json, 'uses', 0),
    used: number(json, 'used', 0),
  };
}

function read_request(value: unknown): JoinRequest {
  const json = object(value, 'requests');
  return {
    user: decimal(json, 'user'),
    since: number(json, 'since'),
    note: text(json, 'note', ''),
  };
}

/** Of members, of those restricted, and of those who wait to be let in. */
const people_limit_default = 100;

export const member_writers: Writers = {
  create: ({ kind, title, nonce, members, space, join }) => ({
    kind,
    ...compact({ title, nonce, members, space, join }),
  }),
  members: ({ conversation, after, limit, prefix }) => ({
    conversation,
    ...compact({ after, limit: unless(limit, people_limit_default), prefix }),
  }),
  create_invite: ({ conversation, role, expires, uses }) => ({
    conversation,
    ...compact({ role: unless(role, 'member'), expires, uses }),
  }),
  request_join: ({ conversation, note }) => ({ conversation, ...compact({ note }) }),
  join_requests: ({ conversation, after, limit }) => ({
    conversation,
    ...compact({ after, limit: unless(limit, people_limit_default) }),
  }),
  block: unless_off,
  restrict: ({ until, reason, ...operation }) => ({
    ...unless_off(operation),
    ...compact({ until, reason }),
  }),
  restrictions: ({ conversation, kind, after, limit }) => ({
    conversation,
    kind,
    ...compact({ after, limit: unless(limit, people_limit_default) }),
  }),
  mark_read: ({ conversation, received, read }) => ({
    conversation,
    ...compact({ received, read }),
  }),
};

export const member_readers: Readers = {
  members_page: (json) => ({
    page: {
      members: list(json, 'members').map(read_member),
      receipts: ((json['receipts'] as unknown[] | undefined) ?? []).map(read_receipt),
      count: number(json, 'count', 0),
      more: flag(json, 'more', false),
    },
  }),
  receipts: (json) => ({
    conversation: hex128(json, 'conversation'),
    receipts: list(json, 'receipts').map(read_receipt),
  }),
  seen_by: (json) => ({
    conversation: hex128(json, 'conversation'),
    seq: number(json, 'seq'),
    count: number(json, 'count'),
  }),
  invites: (json) => ({ invites: list(json, 'invites').map(read_invite) }),
  join_requests_page: (json) => ({
    page: {
      requests: list(json, 'requests').map(read_request),
      more: flag(json, 'more', false),
    },
  }),
  blocked_users: (json) => ({ users: list(json, 'users').map(String) }),
  restrictions_page: (json) => ({
    page: {
      users: list(json, 'users').map(read_restriction),
      more: flag(json, 'more', false),
    },
  }),
};
