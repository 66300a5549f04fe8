// events.ts: the events of a conversation, pushed and in pages.
import type { ChatEvent, Cursor, HistoryPage, Role } from '../types.js';
import { read_extras, read_origin, read_poll, read_tally } from './content.js';
import type { Readers, Writers } from './frames.js';
import {
  bad,
  compact,
  decimal,
  flag,
  hex128,
  list,
  name,
  number,
  object,
  optional_hex128,
  text,
  unless,
  type Json,
} from './json.js';
import { read_update } from './settings.js';

export function read_cursor(value: unknown, field: string): Cursor {
  const json = object(value, field);
  return { epoch: hex128(json, 'epoch'), seq: number(json, 'seq'), mark: number(json, 'mark') };
}

export function read_event(value: unknown): ChatEvent {
  const json = object(value, 'event');
  const settings = read_update(json['settings']);
  return {
    seq: number(json, 'seq'),
    ordinal: number(json, 'ordinal'),
    id: decimal(json, 'id'),
    time: number(json, 'time'),
    sender: decimal(json, 'sender', ''),
    kind: name(json, 'kind'),
    audience: number(json, 'audience', 0),
    echo: decimal(json, 'echo', ''),
    contentType: text(json, 'content_type', 'text/plain'),
    text: text(json, 'text', ''),
    data: text(json, 'base64', ''),
    replyTo: number(json, 'reply_to', 0),
    threadRoot: number(json, 'thread_root', 0),
    threadOrdinal: number(json, 'thread_ordinal', 0),
    replies: number(json, 'replies', 0),
    lastReply: number(json, 'last_reply', 0),
    ...read_extras(json),
    origin: json['origin'] === undefined ? null : read_origin(json['origin']),
    expires: number(json, 'expires', 0),
    written: number(json, 'written', 0),
    importId: text(json, 'import_id', ''),
    stream: decimal(json, 'stream', ''),
    poll: json['poll'] === undefined ? null : read_poll(json['poll']),
    target: decimal(json, 'target', ''),
    role: name(json, 'role', 'none') as Role,
    child: optional_hex128(json, 'conversation'),
    title: settings.title ?? text(json, 'title', ''),
    settings,
    until: number(json, 'until', 0),
    reason: text(json, 'reason', ''),
    about: number(json, 'about', 0),
    aboutOrdinal: number(json, 'about_ordinal', 0),
    tallies: json['tallies'] === undefined ? [] : list(json, 'tallies').map(read_tally),
    changed: number(json, 'changed', 0),
    edited: number(json, 'edited', 0),
    deleted: flag(json, 'deleted', false),
    pinned: flag(json, 'pinned', false),
  };
}

/** Consecutive from `first` on; a frame that breaks its own promise is not applied in part. */
function read_events(json: Json): ChatEvent[] {
  const events = list(json, 'events').map(read_event);
  const first = number(json, 'first');
  events.forEach((event, index) => {
    if (event.seq !== first + index) throw bad('events', 'consecutive from first');
  });
  return events;
}

function read_page(json: Json): HistoryPage {
  return {
    conversation: hex128(json, 'conversation'),
    epoch: hex128(json, 'epoch'),
    events: read_events(json),
    mark: number(json, 'mark', 0),
    more: flag(json, 'more', false),
    floor: number(json, 'floor', 1),
  };
}

const history_limit_default = 50;

export const event_writers: Writers = {
  history: ({ conversation, from, backward, limit }) => ({
    conversation,
    from,
    backward,
    ...compact({ limit: unless(limit, history_limit_default) }),
  }),
};

export const event_readers: Readers = {
  events: (json) => ({
    conversation: hex128(json, 'conversation'),
    epoch: hex128(json, 'epoch'),
    first: number(json, 'first'),
    events: read_events(json),
    mark: number(json, 'mark', 0),
  }),
  head_moved: (json) => ({
    conversation: hex128(json, 'conversation'),
    head: read_cursor(json['head'], 'head'),
    headOrdinal: number(json, 'head_ordinal', 0),
  }),
  history_page: (json) => ({ page: read_page(json) }),
  messages: (json) => ({
    conversation: hex128(json, 'conversation'),
    messages: list(json, 'messages').map(read_event),
  }),
};
