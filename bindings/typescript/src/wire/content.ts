// content.ts: what messages carry and what is on them: extras, polls, reactions.
import type {
  Attachment,
  Extras,
  MentionScope,
  MessageHeader,
  Origin,
  Poll,
  PollDraft,
  PollResults,
  Reaction,
  Tally,
} from '../types.js';
import {
  compact,
  decimal,
  flag,
  list,
  name,
  number,
  numbers,
  object,
  optional_hex128,
  optional_list,
  text,
  type Json,
} from './json.js';

/** The content type of most messages needs no word. */
export function spelled_type(content_type: string): string {
  return content_type === 'text/plain' ? '' : content_type;
}

export function write_extras({ mentions, mentionScope, attachments, headers }: Extras): Json {
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

export function write_poll({ options, multiple, anonymous, closesAfter }: PollDraft): Json {
  const how = { multiple: multiple || undefined, anonymous: anonymous || undefined };
  return { options, ...compact({ ...how, closes_after: closesAfter }) };
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

export function read_extras(json: Json): Extras {
  return {
    mentions: optional_list(json, 'mentions').map((user) => decimal({ user }, 'user')),
    mentionScope: name(json, 'mention_scope', 'none') as MentionScope,
    attachments: optional_list(json, 'attachments').map(read_attachment),
    headers: optional_list(json, 'headers').map(read_header),
  };
}

export function read_origin(value: unknown): Origin {
  const json = object(value, 'origin');
  return {
    conversation: optional_hex128(json, 'conversation'),
    seq: number(json, 'seq', 0),
    sender: decimal(json, 'sender', ''),
    time: number(json, 'time'),
  };
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

function read_results(value: unknown): PollResults {
  const json = object(value, 'poll');
  return {
    votes: numbers(json, 'votes'),
    voters: number(json, 'voters'),
    closed: flag(json, 'closed', false),
  };
}

export function read_poll(value: unknown): Poll {
  const json = object(value, 'poll');
  return {
    options: list(json, 'options').map((option) => text({ option }, 'option')),
    multiple: flag(json, 'multiple', false),
    anonymous: flag(json, 'anonymous', false),
    closes: number(json, 'closes', 0),
  };
}

export function read_tally(value: unknown): Tally {
  const json = object(value, 'tallies');
  return {
    seq: number(json, 'seq'),
    revision: number(json, 'revision'),
    reactions: list(json, 'reactions').map(read_reaction),
    ...(json['poll'] === undefined ? {} : { poll: read_results(json['poll']) }),
  };
}
