// format.ts: times, names and avatars as people read them.
import type {
  ChatEvent,
  ConversationView,
  Extras,
  OutboxItem,
  ParleyClient,
  Presence,
  PresenceState,
  Role,
  UserId,
} from '@parley/client';
import { el, icon } from './dom.js';

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'long' });
const short_weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short' });
const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const long_date = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'long',
  year: 'numeric',
});

const day_ms = 86_400_000;
/** Of a list of people; the rest is counted. */
export const named_at_most = 12;

function midnight(time: number): number {
  return new Date(time).setHours(0, 0, 0, 0);
}

function days_ago(time: number): number {
  return Math.round((midnight(Date.now()) - midnight(time)) / day_ms);
}

export function time_of_day(time: number): string {
  return clock.format(time);
}

/** Of things to come. */
export function date_and_time(time: number): string {
  const days = -days_ago(time);
  const day =
    days === 0
      ? 'Today'
      : days === 1
        ? 'Tomorrow'
        : `${short_weekday.format(time)} ${date.format(time)}`;
  return `${day}, ${clock.format(time)}`;
}

/** "tomorrow, 9:00": in the middle of a sentence. */
export function then_at(time: number): string {
  return date_and_time(time).replace(/^To/, 'to');
}

export function until_time(time: number): string {
  return `until ${then_at(time)}`;
}

export function same_day(a: number, b: number): boolean {
  return midnight(a) === midnight(b);
}

export function day_name(time: number): string {
  const days = days_ago(time);
  if (days <= 0) return 'Today';
  if (days === 1) return 'Yesterday';
  return days < 7 ? weekday.format(time) : long_date.format(time);
}

/** For the list: as short as it can be. */
export function list_time(time: number): string {
  if (time === 0) return '';
  const days = days_ago(time);
  if (days <= 0) return clock.format(time);
  if (days === 1) return 'Yesterday';
  return days < 7 ? short_weekday.format(time) : date.format(time);
}

export function last_seen(time: number): string {
  if (time === 0) return 'offline';
  const minutes = Math.floor((Date.now() - time) / 60_000);
  if (minutes < 1) return 'last seen just now';
  if (minutes < 60) return `last seen ${minutes} min ago`;
  return days_ago(time) === 0
    ? `last seen at ${clock.format(time)}`
    : `last seen ${list_time(time)}`;
}

export function file_size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  const [value, unit] = bytes < 1_000_000 ? [bytes / 1_000, 'kB'] : [bytes / 1_000_000, 'MB'];
  return `${value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString()} ${unit}`;
}

/** "busy, in a meeting": how somebody is, and what they say about it. */
export function presence_text(presence: Presence | null): string {
  if (!presence) return '';
  const { state, lastSeen, status, statusUntil } = presence;
  const words = state === 'offline' ? last_seen(lastSeen) : state;
  const shown = statusUntil === 0 || statusUntil > Date.now() ? status : '';
  return shown === '' ? words : `${words} · ${shown}`;
}

export function user_name(client: ParleyClient, user: UserId): string {
  return client.name(user) ?? '…';
}

/** As the subject of a sentence. */
function who(client: ParleyClient, user: UserId): string {
  return user === client.self?.user ? 'You' : user_name(client, user);
}

function whom(client: ParleyClient, user: UserId): string {
  return user === client.self?.user ? 'you' : user_name(client, user);
}

export function conversation_title(client: ParleyClient, view: ConversationView): string {
  if (view.kind !== 'direct') return view.title || 'Untitled';
  return view.peer === client.self?.user ? 'Notes to myself' : user_name(client, view.peer);
}

/** What a message says, in one short line. */
export function snippet(
  message: Pick<ChatEvent, 'deleted' | 'text' | 'data'> & Partial<Extras>,
  length = 140,
): string {
  if (message.deleted) return 'This message was deleted';
  const text = message.text.replace(/\s+/g, ' ').trim();
  if (text === '')
    return message.attachments?.[0]?.name ?? (message.data !== '' ? 'Attachment' : '');
  return text.length > length ? `${text.slice(0, length).trimEnd()}…` : text;
}

/** "You, bob and 3 others". */
export function name_list(names: readonly string[], count: number): string {
  const shown = names.slice(0, count > named_at_most ? named_at_most - 1 : named_at_most);
  const rest = count - shown.length;
  if (rest > 0) shown.push(`${rest} other${rest === 1 ? '' : 's'}`);
  const last = shown.pop() ?? '';
  return shown.length === 0 ? last : `${shown.join(', ')} and ${last}`;
}

/** What several events in a row say that only differ in whom they are about. */
export function events_sentence(
  client: ParleyClient,
  events: readonly ChatEvent[],
  kind: string,
): string {
  const [first] = events;
  if (!first || events.length === 1) return first ? event_sentence(client, first, kind) : '';
  const users = new Set(events.map((event) => event.target || event.sender));
  const all = [...users];
  const shown = all.length > 4 ? all.slice(0, 3) : all;
  const names = shown.map((user) =>
    first.kind === 'added' || first.kind === 'removed' ? whom(client, user) : who(client, user),
  );
  const list = name_list(names, all.length);
  switch (first.kind) {
    case 'joined':
    case 'left':
      return `${list} ${first.kind}`;
    default:
      return `${who(client, first.sender)} ${first.kind} ${list}`;
  }
}

function until_and_why({ until, reason }: ChatEvent): string {
  const time = until > 0 ? ` ${until_time(until)}` : '';
  return reason === '' ? time : `${time}: ${reason}`;
}

/** "2 days", of seconds. */
function time_span(seconds: number): string {
  const [unit, size] =
    seconds % 86_400 === 0
      ? ['day', 86_400]
      : seconds % 3_600 === 0
        ? ['hour', 3_600]
        : ['second', 1];
  const count = seconds / (size as number);
  return count === 1 ? `${unit === 'hour' ? 'an' : 'a'} ${unit}` : `${count} ${unit}s`;
}

function settings_sentence(sender: string, { title, settings }: ChatEvent, kind: string): string {
  if (title !== '') return `${sender} named the ${kind} “${title}”`;
  if (settings.archived !== undefined)
    return `${sender} ${settings.archived ? 'closed' : 'opened'} the ${kind}`;
  if (settings.join !== undefined) return `${sender} changed who comes in`;
  if (settings.expiresAfter !== undefined)
    return settings.expiresAfter === 0
      ? `${sender} set new messages to stay`
      : `${sender} set new messages to disappear after ${time_span(settings.expiresAfter)}`;
  if (settings.description !== undefined) return `${sender} wrote what the ${kind} is about`;
  if (settings.slowMode !== undefined)
    return settings.slowMode === 0
      ? `${sender} ended the pause between messages`
      : `${sender} set a pause of ${settings.slowMode} s between messages`;
  return `${sender} changed the settings`;
}

const role_words: Partial<Record<Role, string>> = {
  read_only: 'a reader',
  member: 'a member',
  moderator: 'a moderator',
  admin: 'an admin',
  owner: 'an owner',
};

/** What a non-message event says in the middle of the stream; '' = nothing worth showing. */
export function event_sentence(client: ParleyClient, event: ChatEvent, kind: string): string {
  const sender = who(client, event.sender);
  const target = whom(client, event.target);
  switch (event.kind) {
    case 'created':
      if (event.sender === '') return `The ${kind} was created`;
      return kind === 'direct'
        ? 'This is the beginning of your chat'
        : `${sender} created the ${kind}`;
    case 'child_opened':
      return `The channel “${event.title || 'Untitled'}” is open to everybody here`;
    case 'child_closed':
      return 'A channel is not open any more';
    case 'joined':
      return `${who(client, event.target || event.sender)} joined`;
    case 'left':
      return `${who(client, event.target || event.sender)} left`;
    case 'added':
      return `${sender} added ${target}`;
    case 'removed':
      return `${sender} removed ${target}`;
    case 'join_requested':
      return `${who(client, event.target)} asks to be let in`;
    case 'join_approved':
      return `${sender} let ${target} in`;
    case 'join_denied':
      return `${sender} did not let ${target} in`;
    case 'join_withdrawn':
      return `${who(client, event.target)} asks no longer to be let in`;
    case 'role_changed':
      return `${sender} made ${target} ${role_words[event.role] ?? event.role}`;
    case 'muted':
    case 'banned':
      return `${sender} ${event.kind} ${target}${until_and_why(event)}`;
    case 'unmuted':
    case 'unbanned':
      return `${sender} ${event.kind} ${target}`;
    case 'settings_changed':
      return settings_sentence(sender, event, kind);
    default:
      return '';
  }
}

/** The second line of the list: the newest thing, sent or still to be sent. */
export function preview(
  client: ParleyClient,
  view: ConversationView,
  unsent: OutboxItem | null,
): string {
  if (unsent) return `You: ${unsent.text}`;
  const event = view.lastEvent;
  const untouched = view.kind === 'direct' && (!event || event.kind === 'created');
  if (untouched) return 'Nothing written yet';
  if (!event) return '';
  if (event.kind !== 'message') return event_sentence(client, event, view.kind);
  const said = event.deleted ? 'message deleted' : snippet(event);
  const text = event.poll && !event.deleted ? `Poll: ${said}` : said;
  if (event.sender === client.self?.user) return `You: ${text}`;
  return view.kind === 'direct' ? text : `${user_name(client, event.sender)}: ${text}`;
}

function hue(text: string): number {
  let hash = 7;
  for (const character of text) hash = (hash * 31 + character.codePointAt(0)!) % 3600;
  return Math.round(hash / 10);
}

function initials(name: string): string {
  const words = name
    .trim()
    .split(/[\s._-]+/)
    .filter((word) => word !== '');
  const letters = words.length > 1 ? [words[0]!, words[words.length - 1]!] : words;
  return letters.map((word) => [...word][0]!.toUpperCase()).join('') || '?';
}

export function sender_color(element: HTMLElement, name: string): HTMLElement {
  element.style.setProperty('--hue', String(hue(name)));
  return element;
}

/** `presence` null: it is not one person, or nobody who is watched. */
export function avatar(
  name: string,
  kind: string,
  presence: PresenceState | null = null,
): HTMLElement {
  const face = el('span', { class: `avatar avatar-${kind}`, 'aria-hidden': 'true' });
  sender_color(face, name);
  if (kind === 'channel') face.append(icon('hash'));
  else if (kind === 'group') face.append(icon('people'));
  else if (kind === 'space') face.append(icon('space'));
  else face.append(initials(name));
  if (presence !== null) face.append(el('span', { class: `dot ${presence}` }));
  return face;
}
