// threads.ts: threads, by the seq of their root.
import type { ThreadState } from '../types.js';
import { read_event } from './events.js';
import type { Readers, Writers } from './frames.js';
import { compact, flag, hex128, list, number, object, unless, unless_off } from './json.js';

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

const replies_limit_default = 50;
const threads_limit_default = 20;

export const thread_writers: Writers = {
  thread: ({ conversation, root, from, backward, limit }) => ({
    conversation,
    root,
    ...compact({
      from,
      backward: unless(backward, true),
      limit: unless(limit, replies_limit_default),
    }),
  }),
  threads: ({ conversation, before, limit }) => ({
    conversation,
    ...compact({ before, limit: unless(limit, threads_limit_default) }),
  }),
  follow_thread: unless_off,
};

export const thread_readers: Readers = {
  thread_page: (json) => ({
    page: {
      thread: read_thread(json['thread']),
      replies: list(json, 'replies').map(read_event),
      more: flag(json, 'more', false),
    },
  }),
  threads_page: (json) => ({
    page: {
      conversation: hex128(json, 'conversation'),
      threads: list(json, 'threads').map(read_thread),
      more: flag(json, 'more', false),
      next: number(json, 'next', 0),
    },
  }),
  thread_state: (json) => ({ thread: read_thread(json) }),
};
