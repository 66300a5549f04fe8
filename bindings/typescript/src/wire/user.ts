// user.ts: the user and its devices, and the presence, signals and names of others.
import type {
  Device,
  Presence,
  PresenceState,
  PresenceStep,
  UserName,
  UserSettings,
} from '../types.js';
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
  text,
  unless,
  unless_off,
} from './json.js';

export function read_user_settings(value: unknown): UserSettings {
  const json = object(value, 'settings');
  return {
    hideReads: flag(json, 'hide_reads', false),
    hideLastSeen: flag(json, 'hide_last_seen', false),
    status: text(json, 'status', ''),
    statusUntil: number(json, 'status_until', 0),
  };
}

export function read_device(value: unknown): Device {
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

function read_name(value: unknown): UserName {
  const json = object(value, 'name');
  return { user: decimal(json, 'id'), subject: text(json, 'subject') };
}

const signal_lasts_default = 6_000;

export const user_writers: Writers = {
  set_user: ({ change }) =>
    given({
      hide_reads: change.hideReads,
      hide_last_seen: change.hideLastSeen,
      status: change.status,
      status_until: change.statusUntil,
    }),
  signal: ({ conversation, kind, text, lastsMs }) => ({
    conversation,
    kind,
    ...compact({ text }),
    ...given({ lasts_ms: unless(lastsMs, signal_lasts_default) }),
  }),
  watch_conversation: unless_off,
};

export const user_readers: Readers = {
  user_settings: (json) => ({ settings: read_user_settings(json) }),
  device_list: (json) => ({ devices: list(json, 'devices').map(read_device) }),
  signalled: (json) => ({
    conversation: hex128(json, 'conversation'),
    sender: decimal(json, 'sender', ''),
    kind: text(json, 'kind', ''),
    text: text(json, 'text', ''),
    lastsMs: number(json, 'lasts_ms', signal_lasts_default),
  }),
  presence: (json) => ({ users: list(json, 'users').map(read_presence) }),
  online: (json) => ({
    conversation: hex128(json, 'conversation'),
    step: name(json, 'step', 'none') as PresenceStep,
    count: number(json, 'count', 0),
    users: json['users'] === undefined ? null : list(json, 'users').map(read_presence),
  }),
  names: (json) => ({ users: list(json, 'users').map(read_name) }),
};
