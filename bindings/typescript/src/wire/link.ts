// link.ts: how a link begins and ends, and what an answer says when there is nothing to say.
import { ParleyError } from '../errors.js';
import type { Readers, Writers } from './frames.js';
import { compact, decimal, flag, name, number, object, text, unless, type Json } from './json.js';
import { read_list } from './list.js';

export const subprotocol = 'parley.v1.json';
const version_min = 1;
const version_max = 1;

function read_error(json: Json): ParleyError {
  return new ParleyError(name(json, 'code'), text(json, 'message', ''), {
    retryable: flag(json, 'retryable', false),
    retryAfterMs: number(json, 'retry_after_ms', 0),
    next: Number(decimal(json, 'next', '') || 0),
  });
}

export const link_writers: Writers = {
  hello: ({ token, ticket, device, syncToken, state, listLimit }) => ({
    min_version: version_min,
    max_version: version_max,
    ...compact({
      token,
      ticket,
      device,
      sync_token: syncToken,
      state: unless(state, 'online'),
      list_limit: listLimit,
    }),
  }),
};

export const link_readers: Readers = {
  welcome: (json) => ({
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
  }),
  done: () => ({}),
  error: (json) => ({ error: read_error(json) }),
  goodbye: (json) => ({
    reason: text(json, 'reason', ''),
    spreadMs: number(json, 'spread_ms', 0),
    reconnect: flag(json, 'reconnect', false),
  }),
};
