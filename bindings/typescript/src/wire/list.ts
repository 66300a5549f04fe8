// list.ts: the user's list, and what is followed of each conversation in it.
import type { SubscribeItem } from '../operations.js';
import type {
  ConversationKind,
  Cursor,
  Level,
  ListChange,
  ListEntry,
  OwnRequest,
  Resume,
  ResumeAnswer,
  Role,
} from '../types.js';
import { read_cursor, read_event } from './events.js';
import type { Readers, Writers } from './frames.js';
import {
  compact,
  decimal,
  flag,
  given,
  hex128,
  list,
  name,
  number,
  object,
  optional_hex128,
  optional_list,
  text,
  unless,
  type Json,
} from './json.js';
import { read_device, read_user_settings } from './user.js';

function write_item(item: SubscribeItem): Json {
  const { conversation, level, cursor } = item;
  return cursor === null ? { conversation, level } : { conversation, level, cursor };
}

function read_entry(value: unknown): ListEntry {
  const json = object(value, 'entry');
  return {
    conversation: hex128(json, 'conversation'),
    kind: name(json, 'kind') as ConversationKind,
    title: text(json, 'title', ''),
    avatar: text(json, 'avatar', ''),
    archivedForAll: flag(json, 'archived_for_all', false),
    peer: decimal(json, 'peer', ''),
    space: optional_hex128(json, 'space'),
    children: optional_list(json, 'children').map((child) => hex128({ child }, 'child')),
    role: name(json, 'role', 'none') as Role,
    visibleFrom: number(json, 'visible_from', 1),
    head: read_cursor(json['head'], 'head'),
    headOrdinal: number(json, 'head_ordinal', 0),
    received: number(json, 'received', 0),
    read: number(json, 'read', 0),
    unread: number(json, 'unread', 0),
    mentions: number(json, 'mentions', 0),
    lastActivity: number(json, 'last_activity', 0),
    pinned: flag(json, 'pinned', false),
    archived: flag(json, 'archived', false),
    markedUnread: flag(json, 'marked_unread', false),
    mutedUntil: number(json, 'muted_until', 0),
    draft: text(json, 'draft', ''),
    drafted: number(json, 'drafted', 0),
    folder: text(json, 'folder', ''),
    hiddenUntil: number(json, 'hidden_until', 0),
    lastEvent: json['last'] === undefined ? null : read_event(json['last']),
  };
}

function read_own_request(value: unknown): OwnRequest {
  const json = object(value, 'requests');
  return {
    conversation: hex128(json, 'conversation'),
    state: text(json, 'state'),
    time: number(json, 'time'),
  };
}

export function read_list(json: Json): ListChange {
  return {
    whole: flag(json, 'whole', false),
    entries: ((json['entries'] as unknown[] | undefined) ?? []).map(read_entry),
    removed: ((json['removed'] as unknown[] | undefined) ?? []).map(String),
    token: text(json, 'token', ''),
    more: flag(json, 'more', false),
    ...(json['settings'] === undefined ? {} : { settings: read_user_settings(json['settings']) }),
    ...(json['devices'] === undefined ? {} : { devices: list(json, 'devices').map(read_device) }),
    ...(json['blocked'] === undefined ? {} : { blocked: list(json, 'blocked').map(String) }),
    ...(json['requests'] === undefined
      ? {}
      : { requests: list(json, 'requests').map(read_own_request) }),
  };
}

const no_cursor: Cursor = { epoch: '', seq: 0, mark: 0 };

function read_resume(value: unknown): ResumeAnswer {
  const json = object(value, 'answers');
  return {
    conversation: hex128(json, 'conversation'),
    answer: text(json, 'answer') as Resume,
    level: text(json, 'level', 'none') as Level,
    head: json['head'] === undefined ? { ...no_cursor } : read_cursor(json['head'], 'head'),
    headOrdinal: number(json, 'head_ordinal', 0),
    floor: number(json, 'floor', 1),
    floorMark: number(json, 'floor_mark', 0),
    lastVisible: number(json, 'last_visible', 0),
  };
}

const page_limit_default = 100;

export const list_writers: Writers = {
  set_list: ({ conversation, settings }) => {
    const { markedUnread, mutedUntil, ...others } = settings;
    const set = { ...others, marked_unread: markedUnread, muted_until: mutedUntil };
    return { conversation, ...given(set) };
  },
  page_list: ({ afterActivity, after, limit }) =>
    compact({ after_activity: afterActivity, after, limit: unless(limit, page_limit_default) }),
  subscribe: ({ items }) => ({ items: items.map(write_item) }),
  sync: ({ token, conversations }) => compact({ token, conversations }),
};

export const list_readers: Readers = {
  opened: (json) => ({ entry: read_entry(json['entry']) }),
  list: (json) => ({ change: read_list(json) }),
  list_page: (json) => ({
    page: {
      entries: list(json, 'entries').map(read_entry),
      more: flag(json, 'more', false),
    },
  }),
  subscribed: (json) => ({ answers: list(json, 'answers').map(read_resume) }),
};
