// messages.ts: messages that are sent, scheduled or growing, and what is done to them.
import type { Ballot, ScheduledMessage, UserId } from '../types.js';
import { spelled_type, write_extras, write_poll } from './content.js';
import type { Readers, Writers } from './frames.js';
import {
  compact,
  decimal,
  flag,
  hex128,
  list,
  number,
  numbers,
  object,
  text,
  unless,
  unless_off,
  type Json,
} from './json.js';

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

function read_ballot(json: Json): Ballot {
  return {
    conversation: hex128(json, 'conversation'),
    seq: number(json, 'seq'),
    options: numbers(json, 'options'),
  };
}

const reactors_limit_default = 100;

const page_of_users = (json: Json): { users: UserId[]; more: boolean } => ({
  users: list(json, 'users').map((user) => decimal({ user }, 'user')),
  more: flag(json, 'more', false),
});

export const message_writers: Writers = {
  send: (operation) => ({
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
  }),
  schedule: ({ id, conversation, at, contentType, text, replyTo }) => {
    const content = { content_type: spelled_type(contentType), text, reply_to: replyTo };
    return { ...compact({ id }), at, message: { conversation, ...compact(content) } };
  },
  start_stream: ({ conversation, contentType, replyTo, threadRoot }) => ({
    conversation,
    ...compact({
      content_type: spelled_type(contentType),
      reply_to: replyTo,
      thread_root: threadRoot,
    }),
  }),
  edit: ({ conversation, seq, contentType, text }) => ({
    conversation,
    seq,
    ...compact({ content_type: spelled_type(contentType), text }),
  }),
  react: unless_off,
  pin: unless_off,
  reactors: ({ conversation, seq, key, after, limit }) => ({
    conversation,
    seq,
    key,
    ...compact({ after, limit: unless(limit, reactors_limit_default) }),
  }),
  voters: ({ conversation, seq, option, after, limit }) => ({
    conversation,
    seq,
    option,
    ...compact({ after, limit: unless(limit, reactors_limit_default) }),
  }),
};

export const message_readers: Readers = {
  ack: (json) => ({
    ack: {
      conversation: hex128(json, 'conversation'),
      seq: number(json, 'seq'),
      time: number(json, 'time'),
      number: Number(decimal(json, 'number', '') || 0),
      repeated: flag(json, 'repeated', false),
    },
  }),
  scheduled: (json) => ({
    change: {
      whole: flag(json, 'whole'),
      messages: list(json, 'items').map(read_scheduled),
      removed: json['removed'] === undefined ? [] : list(json, 'removed').map(String),
    },
  }),
  stream_started: (json) => ({ stream: decimal(json, 'stream') }),
  streamed: (json) => ({
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
  }),
  reactors_page: (json) => ({ page: page_of_users(json) }),
  voters_page: (json) => ({ page: page_of_users(json) }),
  ballot: (json) => ({ ballot: read_ballot(json) }),
  deleted_for_me: (json) => ({
    deleted: { conversation: hex128(json, 'conversation'), seqs: numbers(json, 'seqs') },
  }),
};
