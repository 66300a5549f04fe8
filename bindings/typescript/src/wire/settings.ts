// settings.ts: what the members of a conversation share, and how much of it is kept.
import type { ConversationInfo, ConversationKind, Role, SettingsUpdate } from '../types.js';
import type { Readers, Writers } from './frames.js';
import {
  compact,
  decimal,
  flag,
  given,
  hex128,
  name,
  number,
  object,
  optional_hex128,
  optional_list,
  text,
  type Json,
} from './json.js';

function write_settings(settings: SettingsUpdate): Json {
  return given({
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
  });
}

export function read_update(value: unknown): SettingsUpdate {
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

export const settings_writers: Writers = {
  set_settings: ({ conversation, settings }) => ({
    conversation,
    settings: write_settings(settings),
  }),
  set_retention: ({ conversation, keepFor, keepEvents }) => ({
    conversation,
    ...compact({ keep_for: keepFor, keep_events: keepEvents }),
  }),
};

export const settings_readers: Readers = {
  conversation_info: (json) => ({ info: read_info(json) }),
  retention: (json) => ({
    retention: {
      keepFor: number(json, 'keep_for'),
      keepEvents: number(json, 'keep_events'),
      hold: flag(json, 'hold'),
    },
  }),
};
