// wire.ts: the JSON spelling of the protocol (docs/design/wire_format.md); what comes in is checked
// field by field.
import { ParleyError } from './errors.js';
import type { Answer, Operation, Reply, Request, SubscribeItem } from './operations.js';
import type {
  Attachment,
  Ballot,
  ChatEvent,
  ConversationInfo,
  ConversationKind,
  Cursor,
  Extras,
  Device,
  HistoryPage,
  Invite,
  JoinRequest,
  Level,
  ListChange,
  ListEntry,
  Member,
  MentionScope,
  MessageHeader,
  Origin,
  OwnRequest,
  Poll,
  PollDraft,
  PollResults,
  Presence,
  PresenceState,
  PresenceStep,
  Reaction,
  Receipt,
  Restriction,
  Resume,
  ResumeAnswer,
  Role,
  ScheduledMessage,
  SettingsUpdate,
  Tally,
  ThreadState,
  UserName,
  UserSettings,
} from './types.js';

export const subprotocol = 'parley.v1.json';
const version_min = 1;
const version_max = 1;
const history_limit_default = 50;
const members_limit_default = 100;
const reactors_limit_default = 100;
const restrictions_limit_default = 100;
const requests_limit_default = 100;
const threads_limit_default = 20;
const page_limit_default = 100;
const signal_lasts_default = 6_000;

type Json = Record<string, unknown>;

// ---- Out ----

/** Drops the fields that have their default, as the format asks. */
function compact(fields: Json): Json {
  const out: Json = {};
  for (const [key, value] of Object.entries(fields)) {
    const is_default =
      value === undefined ||
      value === '' ||
      value === 0 ||
      (Array.isArray(value) && value.length === 0);
    if (!is_default) out[key] = value;
  }
  return out;
}

function given(fields: Json): Json {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function spelled_type(content_type: string): string {
  return content_type === 'text/plain' ? '' : content_type;
}

function write_item(item: SubscribeItem): Json {
  const { conversation, level, cursor } = item;
  return cursor === null ? { conversation, level } : { conversation, level, cursor };
}

/** Here false, 0 and '' say something: only what is not given is left out. */
function write_settings(settings: SettingsUpdate): Json {
  const given = {
    title: settings.title,
    description: settings.description,
    avatar: settings.avatar,
    metadata: settings.metadata,
    who_sends: settings.whoSends,
    who_adds: settings.whoAdds,
    who_pins: settings.whoPins,
    who_changes: settings.whoChanges,
    join: settings.join,
    archived: settings.archived,
    slow_mode_s: settings.slowMode,
    expires_after_s: settings.expiresAfter,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function write_extras({ mentions, mentionScope, attachments, headers }: Extras): Json {
  return {
    mentions,
    mention_scope: mentionScope === 'none' ? '' : mentionScope,
    attachments: attachments.map(({ handle, contentType, name, size }) => ({
      handle,
      ...compact({ content_type: contentType, name, size }),
    })),
    headers: headers.map(({ name, value }) => ({ name, ...compact({ value }) })),
  };
}

function write_poll({ options, multiple, anonymous, closesAfter }: PollDraft): Json {
  const how = { multiple: multiple || undefined, anonymous: anonymous || undefined };
  return { options, ...compact({ ...how, closes_after: closesAfter }) };
}

function write_operation(operation: Operation): Json {
  switch (operation.type) {
    case 'hello':
      return {
        min_version: version_min,
        max_version: version_max,
        ...compact({
          token: operation.token,
          ticket: operation.ticket,
          device: operation.device,
          sync_token: operation.syncToken,
          state: operation.state === 'online' ? undefined : operation.state,
          list_limit: operation.listLimit,
        }),
      };
    case 'send':
      return {
        conversation: operation.conversation,
        number: String(operation.number),
        random: operation.random,
        settled: String(operation.settled),
        ...compact({
          content_type: spelled_type(operation.contentType),
          text: operation.text,
          reply_to: operation.replyTo,
          audience: operation.audience,
          thread_root: operation.threadRoot,
          ...(operation.extras ? write_extras(operation.extras) : {}),
          forward: operation.forward,
          expires_after: operation.expiresAfter,
          poll: operation.poll && write_poll(operation.poll),
          stream: operation.stream,
        }),
      };
    case 'start_stream':
      return {
        conversation: operation.conversation,
        ...compact({
          content_type: spelled_type(operation.contentType),
          reply_to: operation.replyTo,
          thread_root: operation.threadRoot,
        }),
      };
    case 'append_stream':
      return {
        conversation: operation.conversation,
        stream: operation.stream,
        at: operation.at,
        text: operation.text,
      };
    case 'cancel_stream':
    case 'get_stream':
      return { conversation: operation.conversation, stream: operation.stream };
    case 'edit':
      return {
        conversation: operation.conversation,
        seq: operation.seq,
        ...compact({ content_type: spelled_type(operation.contentType), text: operation.text }),
      };
    case 'react':
    case 'follow_thread':
    case 'watch_conversation':
    case 'pin': {
      const { type: _, on, ...fields } = operation;
      return on ? fields : { ...fields, on };
    }
    case 'reactors':
      return {
        conversation: operation.conversation,
        seq: operation.seq,
        key: operation.key,
        ...compact({
          after: operation.after,
          limit: operation.limit === reactors_limit_default ? undefined : operation.limit,
        }),
      };
    case 'voters':
      return {
        conversation: operation.conversation,
        seq: operation.seq,
        option: operation.option,
        ...compact({
          after: operation.after,
          limit: operation.limit === reactors_limit_default ? undefined : operation.limit,
        }),
      };
    case 'thread':
      return {
        conversation: operation.conversation,
        root: operation.root,
        ...compact({
          from: operation.from,
          backward: operation.backward ? undefined : false,
          limit: operation.limit === history_limit_default ? undefined : operation.limit,
        }),
      };
    case 'threads':
      return {
        conversation: operation.conversation,
        ...compact({
          before: operation.before,
          limit: operation.limit === threads_limit_default ? undefined : operation.limit,
        }),
      };
    case 'set_list': {
      // Here false, 0 and '' say something: only what is not given is left out.
      const { markedUnread, mutedUntil, ...others } = operation.settings;
      const set = { ...others, marked_unread: markedUnread, muted_until: mutedUntil };
      return { conversation: operation.conversation, ...given(set) };
    }
    case 'schedule': {
      const { id, conversation, at, contentType, text, replyTo } = operation;
      const message = compact({
        content_type: spelled_type(contentType),
        text,
        reply_to: replyTo,
      });
      return { ...compact({ id }), at, message: { conversation, ...message } };
    }
    case 'set_settings':
      return {
        conversation: operation.conversation,
        settings: write_settings(operation.settings),
      };
    case 'create_invite': {
      const { conversation, role, expires, uses } = operation;
      return {
        conversation,
        ...compact({ role: role === 'member' ? undefined : role, expires, uses }),
      };
    }
    case 'request_join':
      return { conversation: operation.conversation, ...compact({ note: operation.note }) };
    case 'join_requests':
      return {
        conversation: operation.conversation,
        ...compact({
          after: operation.after,
          limit: operation.limit === requests_limit_default ? undefined : operation.limit,
        }),
      };
    case 'block':
      return { user: operation.user, ...(operation.on ? {} : { on: false }) };
    case 'restrict': {
      const { type: _, on, until, reason, ...fields } = operation;
      return { ...fields, ...(on ? {} : { on }), ...compact({ until, reason }) };
    }
    case 'restrictions':
      return {
        conversation: operation.conversation,
        kind: operation.kind,
        ...compact({
          after: operation.after,
          limit: operation.limit === restrictions_limit_default ? undefined : operation.limit,
        }),
      };
    case 'set_user': {
      const { hideReads, hideLastSeen, status, statusUntil } = operation.change;
      return given({
        hide_reads: hideReads,
        hide_last_seen: hideLastSeen,
        status,
        status_until: statusUntil,
      });
    }
    case 'page_list':
      return compact({
        after_activity: operation.afterActivity,
        after: operation.after,
        limit: operation.limit === page_limit_default ? undefined : operation.limit,
      });
    case 'set_retention': {
      const { conversation, keepFor, keepEvents } = operation;
      return { conversation, ...compact({ keep_for: keepFor, keep_events: keepEvents }) };
    }
    case 'create': {
      const { kind, title, nonce, members, space, join } = operation;
      return { kind, ...compact({ title, nonce, members, space, join }) };
    }
    case 'subscribe':
      return { items: operation.items.map(write_item) };
    case 'mark_read':
      return {
        conversation: operation.conversation,
        ...compact({ received: operation.received, read: operation.read }),
      };
    case 'signal':
      return {
        conversation: operation.conversation,
        kind: operation.kind,
        ...compact({ text: operation.text }),
        ...given({
          lasts_ms: operation.lastsMs === signal_lasts_default ? undefined : operation.lastsMs,
        }),
      };
    case 'members':
      return {
        conversation: operation.conversation,
        ...compact({
          after: operation.after,
          limit: operation.limit === members_limit_default ? undefined : operation.limit,
          prefix: operation.prefix,
        }),
      };
    case 'history':
      return {
        conversation: operation.conversation,
        from: operation.from,
        backward: operation.backward,
        ...compact({
          limit: operation.limit === history_limit_default ? undefined : operation.limit,
        }),
      };
    case 'sync':
      return compact({ token: operation.token, conversations: operation.conversations });
    default: {
      const { type: _, ...fields } = operation;
      return fields;
    }
  }
}

/** One frame as one line. */
export function encode(request: Request): string {
  return JSON.stringify({
    type: request.operation.type,
    request: request.request,
    ...write_operation(request.operation),
  });
}

// ---- In ----

function bad(field: string, expected: string): ParleyError {
  return new ParleyError(
    'protocol_error',
    `the server sent a frame whose ${field} is not ${expected}`,
  );
}

function object(value: unknown, field: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw bad(field, 'an object');
  return value as Json;
}

function list(json: Json, field: string): unknown[] {
  const value = json[field];
  if (!Array.isArray(value)) throw bad(field, 'an array');
  return value;
}

function number(json: Json, field: string, fallback?: number): number {
  const value = json[field] ?? fallback;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw bad(field, 'a whole number');
  return value;
}

function text(json: Json, field: string, fallback?: string): string {
  const value = json[field] ?? fallback;
  if (typeof value !== 'string') throw bad(field, 'a string');
  return value;
}

function flag(json: Json, field: string, fallback?: boolean): boolean {
  const value = json[field] ?? fallback;
  if (typeof value !== 'boolean') throw bad(field, 'a boolean');
  return value;
}

function decimal(json: Json, field: string, fallback?: string): string {
  const value = text(json, field, fallback);
  if (value !== '' && !/^[0-9]{1,20}$/.test(value)) throw bad(field, 'a decimal string');
  return value === '0' ? '' : value;
}

function hex128(json: Json, field: string): string {
  const value = text(json, field);
  if (!/^[0-9a-f]{32}$/.test(value)) throw bad(field, '32 hex digits');
  return value;
}

/** '' where there is none. */
function optional_hex128(json: Json, field: string): string {
  return json[field] === undefined ? '' : hex128(json, field);
}

/** A name, or the number of one that this build does not know, as text. */
function name(json: Json, field: string, fallback?: string): string {
  const value = json[field] ?? fallback;
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string') throw bad(field, 'a name or a number');
  return value;
}

function read_cursor(value: unknown, field: string): Cursor {
  const json = object(value, field);
  return { epoch: hex128(json, 'epoch'), seq: number(json, 'seq'), mark: number(json, 'mark') };
}

function read_reaction(value: unknown): Reaction {
  const json = object(value, 'reactions');
  const users = json['users'] === undefined ? [] : list(json, 'users');
  return {
    key: text(json, 'key'),
    count: number(json, 'count'),
    users: users.map((user) => decimal({ user }, 'user')),
  };
}

function numbers(json: Json, field: string): number[] {
  return list(json, field).map((one) => number({ [field]: one }, field));
}

function read_results(value: unknown): PollResults {
  const json = object(value, 'poll');
  return {
    votes: numbers(json, 'votes'),
    voters: number(json, 'voters'),
    closed: flag(json, 'closed', false),
  };
}

function read_poll(value: unknown): Poll {
  const json = object(value, 'poll');
  return {
    options: list(json, 'options').map((option) => text({ option }, 'option')),
    multiple: flag(json, 'multiple', false),
    anonymous: flag(json, 'anonymous', false),
    closes: number(json, 'closes', 0),
  };
}

function read_ballot(json: Json): Ballot {
  return {
    conversation: hex128(json, 'conversation'),
    seq: number(json, 'seq'),
    options: numbers(json, 'options'),
  };
}

function read_tally(value: unknown): Tally {
  const json = object(value, 'tallies');
  return {
    seq: number(json, 'seq'),
    revision: number(json, 'revision'),
    reactions: list(json, 'reactions').map(read_reaction),
    ...(json['poll'] === undefined ? {} : { poll: read_results(json['poll']) }),
  };
}

function read_update(value: unknown): SettingsUpdate {
  if (value === undefined) return {};
  const json = object(value, 'settings');
  const update: SettingsUpdate = {};
  if ('title' in json) update.title = text(json, 'title');
  if ('description' in json) update.description = text(json, 'description');
  if ('avatar' in json) update.avatar = text(json, 'avatar');
  if ('metadata' in json) update.metadata = text(json, 'metadata');
  if ('who_sends' in json) update.whoSends = name(json, 'who_sends') as Role;
  if ('who_adds' in json) update.whoAdds = name(json, 'who_adds') as Role;
  if ('who_pins' in json) update.whoPins = name(json, 'who_pins') as Role;
  if ('who_changes' in json) update.whoChanges = name(json, 'who_changes') as Role;
  if ('join' in json) update.join = name(json, 'join');
  if ('archived' in json) update.archived = flag(json, 'archived');
  if ('slow_mode_s' in json) update.slowMode = number(json, 'slow_mode_s');
  if ('expires_after_s' in json) update.expiresAfter = number(json, 'expires_after_s');
  return update;
}

function read_info(json: Json): ConversationInfo {
  return {
    conversation: hex128(json, 'conversation'),
    kind: name(json, 'kind') as ConversationKind,
    settings: {
      title: '',
      description: '',
      avatar: '',
      metadata: '',
      whoSends: 'none',
      whoAdds: 'none',
      whoPins: 'none',
      whoChanges: 'none',
      join: 'added',
      archived: false,
      slowMode: 0,
      expiresAfter: 0,
      ...read_update(json['settings']),
    },
    creator: decimal(json, 'creator', ''),
    created: number(json, 'created'),
    members: number(json, 'members'),
    pins: number(json, 'pins', 0),
    role: name(json, 'role', 'none') as Role,
    muted: flag(json, 'muted', false),
    mutedUntil: number(json, 'muted_until', 0),
    space: optional_hex128(json, 'space'),
    children: optional_list(json, 'children').map((child) => hex128({ child }, 'child')),
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

function read_own_request(value: unknown): OwnRequest {
  const json = object(value, 'requests');
  return {
    conversation: hex128(json, 'conversation'),
    state: text(json, 'state'),
    time: number(json, 'time'),
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

function optional_list(json: Json, field: string): unknown[] {
  return json[field] === undefined ? [] : list(json, field);
}

function read_attachment(value: unknown): Attachment {
  const json = object(value, 'attachments');
  return {
    handle: text(json, 'handle'),
    contentType: text(json, 'content_type', ''),
    name: text(json, 'name', ''),
    size: number(json, 'size', 0),
  };
}

function read_header(value: unknown): MessageHeader {
  const json = object(value, 'headers');
  return { name: text(json, 'name'), value: text(json, 'value', '') };
}

function read_extras(json: Json): Extras {
  return {
    mentions: optional_list(json, 'mentions').map((user) => decimal({ user }, 'user')),
    mentionScope: name(json, 'mention_scope', 'none') as MentionScope,
    attachments: optional_list(json, 'attachments').map(read_attachment),
    headers: optional_list(json, 'headers').map(read_header),
  };
}

function read_origin(value: unknown): Origin {
  const json = object(value, 'origin');
  return {
    conversation: optional_hex128(json, 'conversation'),
    seq: number(json, 'seq', 0),
    sender: decimal(json, 'sender', ''),
    time: number(json, 'time'),
  };
}

function read_event(value: unknown): ChatEvent {
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

function read_user_settings(value: unknown): UserSettings {
  const json = object(value, 'settings');
  return {
    hideReads: flag(json, 'hide_reads', false),
    hideLastSeen: flag(json, 'hide_last_seen', false),
    status: text(json, 'status', ''),
    statusUntil: number(json, 'status_until', 0),
  };
}

function read_device(value: unknown): Device {
  const json = object(value, 'device');
  return {
    id: decimal(json, 'id'),
    name: text(json, 'name', ''),
    created: number(json, 'created', 0),
    lastSeen: number(json, 'last_seen', 0),
    online: flag(json, 'online', false),
    current: false,
  };
}

function read_list(json: Json): ListChange {
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

function read_presence(value: unknown): Presence {
  const json = object(value, 'presence');
  const online = flag(json, 'online', false);
  return {
    user: decimal(json, 'user'),
    online,
    lastSeen: number(json, 'last_seen', 0),
    state: name(json, 'state', online ? 'online' : 'offline') as PresenceState,
    status: text(json, 'status', ''),
    statusUntil: number(json, 'status_until', 0),
  };
}

function read_scheduled(value: unknown): ScheduledMessage {
  const json = object(value, 'items');
  const message = object(json['message'], 'message');
  return {
    id: decimal(json, 'id'),
    conversation: hex128(message, 'conversation'),
    at: number(json, 'at'),
    contentType: text(message, 'content_type', 'text/plain'),
    text: text(message, 'text', ''),
    data: text(message, 'base64', ''),
    replyTo: number(message, 'reply_to', 0),
    failed: number(json, 'failed', 0),
    why: text(json, 'why', ''),
  };
}

function read_name(value: unknown): UserName {
  const json = object(value, 'name');
  return { user: decimal(json, 'id'), subject: text(json, 'subject') };
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

function read_thread(value: unknown): ThreadState {
  const json = object(value, 'thread');
  return {
    conversation: hex128(json, 'conversation'),
    root: read_event(json['root']),
    followed: flag(json, 'followed'),
    read: number(json, 'read'),
    unread: number(json, 'unread'),
  };
}

function read_error(json: Json): ParleyError {
  return new ParleyError(name(json, 'code'), text(json, 'message', ''), {
    retryable: flag(json, 'retryable', false),
    retryAfterMs: number(json, 'retry_after_ms', 0),
    next: Number(decimal(json, 'next', '') || 0),
  });
}

function read_answer(type: string, json: Json): Answer {
  switch (type) {
    case 'welcome':
      return {
        type,
        version: number(json, 'version'),
        self: {
          user: decimal(json, 'user'),
          subject: text(json, 'subject'),
          device: decimal(json, 'device'),
          session: decimal(json, 'session'),
          maxBody: number(json, 'max_body', 0),
        },
        heartbeatMs: number(json, 'heartbeat_ms', 0),
        ticket: text(json, 'ticket', ''),
        list: read_list(object(json['list'], 'list')),
      };
    case 'done':
      return { type };
    case 'error':
      return { type, error: read_error(json) };
    case 'ack':
      return {
        type,
        ack: {
          conversation: hex128(json, 'conversation'),
          seq: number(json, 'seq'),
          time: number(json, 'time'),
          number: Number(decimal(json, 'number', '') || 0),
          repeated: flag(json, 'repeated', false),
        },
      };
    case 'opened':
      return { type, entry: read_entry(json['entry']) };
    case 'list':
      return { type, change: read_list(json) };
    case 'subscribed':
      return { type, answers: list(json, 'answers').map(read_resume) };
    case 'events':
      return {
        type,
        conversation: hex128(json, 'conversation'),
        epoch: hex128(json, 'epoch'),
        first: number(json, 'first'),
        events: read_events(json),
        mark: number(json, 'mark', 0),
      };
    case 'head_moved':
      return {
        type,
        conversation: hex128(json, 'conversation'),
        head: read_cursor(json['head'], 'head'),
        headOrdinal: number(json, 'head_ordinal', 0),
      };
    case 'history_page':
      return { type, page: read_page(json) };
    case 'receipts':
      return {
        type,
        conversation: hex128(json, 'conversation'),
        receipts: list(json, 'receipts').map(read_receipt),
      };
    case 'signalled':
      return {
        type,
        conversation: hex128(json, 'conversation'),
        sender: decimal(json, 'sender', ''),
        kind: text(json, 'kind', ''),
        text: text(json, 'text', ''),
        lastsMs: number(json, 'lasts_ms', signal_lasts_default),
      };
    case 'presence':
      return { type, users: list(json, 'users').map(read_presence) };
    case 'online':
      return {
        type,
        conversation: hex128(json, 'conversation'),
        step: name(json, 'step', 'none') as PresenceStep,
        count: number(json, 'count', 0),
        users: json['users'] === undefined ? null : list(json, 'users').map(read_presence),
      };
    case 'members_page':
      return {
        type,
        page: {
          members: list(json, 'members').map(read_member),
          receipts: ((json['receipts'] as unknown[] | undefined) ?? []).map(read_receipt),
          count: number(json, 'count', 0),
          more: flag(json, 'more', false),
        },
      };
    case 'names':
      return { type, users: list(json, 'users').map(read_name) };
    case 'messages':
      return {
        type,
        conversation: hex128(json, 'conversation'),
        messages: list(json, 'messages').map(read_event),
      };
    case 'reactors_page':
      return {
        type,
        page: {
          users: list(json, 'users').map((user) => decimal({ user }, 'user')),
          more: flag(json, 'more', false),
        },
      };
    case 'scheduled':
      return {
        type,
        change: {
          whole: flag(json, 'whole'),
          messages: list(json, 'items').map(read_scheduled),
          removed: json['removed'] === undefined ? [] : list(json, 'removed').map(String),
        },
      };
    case 'conversation_info':
      return { type, info: read_info(json) };
    case 'invites':
      return { type, invites: list(json, 'invites').map(read_invite) };
    case 'join_requests_page':
      return {
        type,
        page: {
          requests: list(json, 'requests').map(read_request),
          more: flag(json, 'more', false),
        },
      };
    case 'blocked_users':
      return { type, users: list(json, 'users').map(String) };
    case 'restrictions_page':
      return {
        type,
        page: {
          users: list(json, 'users').map(read_restriction),
          more: flag(json, 'more', false),
        },
      };
    case 'thread_page':
      return {
        type,
        page: {
          thread: read_thread(json['thread']),
          replies: list(json, 'replies').map(read_event),
          more: flag(json, 'more', false),
        },
      };
    case 'threads_page':
      return {
        type,
        page: {
          conversation: hex128(json, 'conversation'),
          threads: list(json, 'threads').map(read_thread),
          more: flag(json, 'more', false),
          next: number(json, 'next', 0),
        },
      };
    case 'thread_state':
      return { type, thread: read_thread(json) };
    case 'list_page':
      return {
        type,
        page: {
          entries: list(json, 'entries').map(read_entry),
          more: flag(json, 'more', false),
        },
      };
    case 'device_list':
      return { type, devices: list(json, 'devices').map(read_device) };
    case 'seen_by':
      return {
        type,
        conversation: hex128(json, 'conversation'),
        seq: number(json, 'seq'),
        count: number(json, 'count'),
      };
    case 'user_settings':
      return { type, settings: read_user_settings(json) };
    case 'retention':
      return {
        type,
        retention: {
          keepFor: number(json, 'keep_for'),
          keepEvents: number(json, 'keep_events'),
          hold: flag(json, 'hold'),
        },
      };
    case 'ballot':
      return { type, ballot: read_ballot(json) };
    case 'deleted_for_me':
      return {
        type,
        deleted: { conversation: hex128(json, 'conversation'), seqs: numbers(json, 'seqs') },
      };
    case 'stream_started':
      return { type, stream: decimal(json, 'stream') };
    case 'streamed':
      return {
        type,
        piece: {
          conversation: hex128(json, 'conversation'),
          stream: decimal(json, 'stream'),
          sender: decimal(json, 'sender'),
          contentType: text(json, 'content_type', 'text/plain'),
          replyTo: number(json, 'reply_to', 0),
          threadRoot: number(json, 'thread_root', 0),
          at: number(json, 'at'),
          text: text(json, 'text', ''),
          ended: flag(json, 'ended', false),
        },
      };
    case 'voters_page':
      return {
        type,
        page: {
          users: list(json, 'users').map((user) => decimal({ user }, 'user')),
          more: flag(json, 'more', false),
        },
      };
    case 'goodbye':
      return {
        type,
        reason: text(json, 'reason', ''),
        spreadMs: number(json, 'spread_ms', 0),
        reconnect: flag(json, 'reconnect', false),
      };
    default:
      return { type: 'unknown', name: type };
  }
}

/** Every frame of one message; throws ParleyError protocol_error and then nothing of it counts. */
export function decode(message: string): Reply[] {
  const replies: Reply[] = [];
  for (const line of message.split('\n')) {
    if (line === '') continue;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      throw bad('text', 'JSON');
    }
    const json = object(value, 'frame');
    replies.push({
      request: number(json, 'request', 0),
      answer: read_answer(text(json, 'type'), json),
    });
  }
  return replies;
}
