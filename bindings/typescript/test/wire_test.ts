// wire_test.ts: the JSON spelling against every example of docs/design/wire_format.md, and against
// broken frames.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ParleyError } from '../src/errors.js';
import type { Operation } from '../src/operations.js';
import type { ListSettings } from '../src/types.js';
import { decode, encode } from '../src/wire.js';

const document = readFileSync(
  new URL('../../../../docs/design/wire_format.md', import.meta.url),
  'utf8',
);

function examples(kind: 'request' | 'reply'): string[] {
  const blocks = [...document.matchAll(new RegExp('```json ' + kind + '\\n([^`]*)```', 'g'))];
  return blocks.flatMap((block) => block[1]!.split('\n').filter((line) => line !== ''));
}

const conversation = '0123456789abcdef0123456789abcdef';
const token = `${conversation}fedcba98765432100123456789abcdef`;
const epoch = 'fedcba9876543210fedcba9876543210';

test('every reply of the document is understood', () => {
  const lines = examples('reply');
  assert.ok(lines.length > 20);
  for (const line of lines) {
    const [reply] = decode(line);
    assert.notEqual(reply!.answer.type, 'unknown', line);
    assert.equal(reply!.request, (JSON.parse(line) as { request?: number }).request ?? 0);
  }
});

test('requests are spelled as the document spells them', () => {
  const operations: Operation[] = [
    { type: 'hello', token: 'dev:alice', ticket: '', device: '3f6c1b2a', syncToken: '' },
    {
      type: 'hello',
      token: 'dev:alice',
      ticket: '',
      device: '3f6c1b2a',
      syncToken: '',
      state: 'busy',
      listLimit: 50,
    },
    {
      type: 'hello',
      token: 'dev:alice',
      ticket: 'dGlja2V0LTE=',
      device: '3f6c1b2a',
      syncToken: 'c3luYy0x',
    },
    {
      type: 'send',
      conversation,
      number: 1,
      random: '9007199254740993',
      settled: 1,
      contentType: 'text/plain',
      text: 'hello',
      replyTo: 0,
    },
    {
      type: 'send',
      conversation,
      number: 3,
      random: '18',
      settled: 1,
      contentType: 'text/plain',
      text: 'is this allowed?',
      replyTo: 0,
      audience: 2,
    },
    {
      type: 'send',
      conversation,
      number: 3,
      random: '18',
      settled: 1,
      contentType: 'text/plain',
      text: '@bob look',
      replyTo: 0,
      extras: {
        mentions: ['42'],
        mentionScope: 'all',
        attachments: [{ handle: 'cat-1', contentType: 'image/png', name: 'cat.png', size: 1234 }],
        headers: [{ name: 'x-game', value: '7' }],
      },
    },
    {
      type: 'send',
      conversation,
      number: 4,
      random: '19',
      settled: 1,
      contentType: 'text/plain',
      text: '',
      replyTo: 0,
      forward: { conversation: '00000000000000000000000000000001', seq: 4 },
    },
    {
      type: 'send',
      conversation,
      number: 3,
      random: '18',
      settled: 1,
      contentType: 'text/plain',
      text: 'soon gone',
      replyTo: 0,
      expiresAfter: 3600000,
    },
    {
      type: 'send',
      conversation,
      number: 4,
      random: '19',
      settled: 1,
      contentType: 'text/plain',
      text: 'lunch?',
      replyTo: 0,
      poll: { options: ['soup', 'rice'], anonymous: true, closesAfter: 3600000 },
    },
    {
      type: 'create',
      kind: 'group',
      title: 'Team',
      nonce: '00112233445566778899aabbccddeeff',
      members: ['bob', 'carol'],
      space: '',
      join: '',
    },
    {
      type: 'create',
      kind: 'channel',
      title: 'lobby',
      nonce: '',
      members: [],
      space: '',
      join: '',
    },
    { type: 'create', kind: 'space', title: 'Guild', nonce: '', members: [], space: '', join: '' },
    {
      type: 'create',
      kind: 'channel',
      title: 'staff',
      nonce: '',
      members: ['bob'],
      space: conversation,
      join: 'added',
    },
    { type: 'direct', peer: 'bob' },
    { type: 'create_invite', conversation, role: 'member', expires: 0, uses: 0 },
    { type: 'create_invite', conversation, role: 'moderator', expires: 1767229200000, uses: 5 },
    { type: 'list_invites', conversation },
    { type: 'revoke_invite', token },
    { type: 'join_invite', token },
    { type: 'request_join', conversation, note: 'it is me' },
    { type: 'join_requests', conversation, after: '', limit: 100 },
    { type: 'join_requests', conversation, after: '42', limit: 20 },
    { type: 'answer_request', conversation, user: '42', approve: true },
    { type: 'answer_request', conversation, user: '43', approve: false },
    { type: 'block', user: '42', on: true },
    { type: 'block', user: '42', on: false },
    { type: 'list_blocked' },
    { type: 'join', conversation },
    { type: 'leave', conversation },
    { type: 'add', conversation, members: ['dave'] },
    { type: 'remove', conversation, user: '42' },
    { type: 'set_role', conversation, user: '42', role: 'admin' },
    { type: 'transfer', conversation, user: '42' },
    { type: 'set_title', conversation, title: 'Team two' },
    {
      type: 'set_settings',
      conversation,
      settings: { description: '', whoSends: 'moderator', archived: false, slowMode: 30, expiresAfter: 86400 },
    },
    { type: 'info', conversation },
    {
      type: 'restrict',
      conversation,
      kind: 'mute',
      user: '42',
      on: true,
      until: 1767229200000,
      reason: 'loud',
    },
    { type: 'restrict', conversation, kind: 'ban', user: '42', on: false, until: 0, reason: '' },
    { type: 'restrictions', conversation, kind: 'ban', after: '42', limit: 100 },
    {
      type: 'subscribe',
      items: [
        { conversation, level: 'full', cursor: { epoch, seq: 7, mark: 2868785310 } },
        { conversation: '00000000000000000000000000000001', level: 'heads', cursor: null },
      ],
    },
    { type: 'history', conversation, from: 0, backward: true, limit: 20 },
    { type: 'edit', conversation, seq: 8, contentType: 'text/plain', text: 'hello!' },
    { type: 'delete', conversation, seq: 8 },
    { type: 'react', conversation, seq: 8, key: '👍', on: true },
    { type: 'react', conversation, seq: 8, key: '👍', on: false },
    { type: 'pin', conversation, seq: 8, on: true },
    { type: 'pins', conversation },
    { type: 'reactors', conversation, seq: 8, key: '👍', after: '42', limit: 100 },
    { type: 'vote', conversation, seq: 8, options: [1] },
    { type: 'close_poll', conversation, seq: 8 },
    { type: 'get_ballot', conversation, seq: 8 },
    { type: 'delete_for_me', conversation, seqs: [8, 14] },
    { type: 'voters', conversation, seq: 8, option: 1, after: '42', limit: 100 },
    { type: 'thread', conversation, root: 8, from: 0, backward: true, limit: 50 },
    { type: 'threads', conversation, before: 8, limit: 10 },
    { type: 'follow_thread', conversation, root: 8, on: false },
    { type: 'read_thread', conversation, root: 8, seq: 14 },
    { type: 'set_list', conversation, settings: { pinned: true, mutedUntil: 1767229200000 } },
    { type: 'set_list', conversation, settings: { draft: 'dear bob' } },
    {
      type: 'schedule',
      id: '',
      conversation,
      at: 1767229200000,
      contentType: 'text/plain',
      text: 'good morning',
      replyTo: 0,
    },
    {
      type: 'schedule',
      id: '7408901234567890',
      conversation,
      at: 1767232800000,
      contentType: 'text/plain',
      text: 'good day',
      replyTo: 8,
    },
    { type: 'unschedule', id: '7408901234567890' },
    { type: 'list_scheduled' },
    { type: 'set_list', conversation, settings: { folder: 'work', hidden: true } },
    { type: 'page_list', afterActivity: 0, after: '', limit: 50 },
    { type: 'page_list', afterActivity: 1767225602000, after: conversation, limit: 100 },
    { type: 'devices' },
    { type: 'rename_device', device: '7', name: 'the old phone' },
    { type: 'revoke_device', device: '7' },
    { type: 'set_user', change: {} },
    {
      type: 'set_user',
      change: { hideReads: true, status: 'at lunch', statusUntil: 1767229200000 },
    },
    { type: 'set_presence', state: 'away' },
    { type: 'seen', conversation, seq: 8 },
    { type: 'set_retention', conversation, keepFor: 2592000000, keepEvents: 10000 },
    { type: 'get_retention', conversation },
    { type: 'delete_conversation', conversation },
    { type: 'mark_read', conversation, received: 9, read: 8 },
    { type: 'signal', conversation, kind: 'typing', text: '' },
    { type: 'signal', conversation, kind: 'recording', text: '', lastsMs: 0 },
    { type: 'watch', conversation, users: ['42', '43'] },
    { type: 'watch_conversation', conversation, on: true },
    { type: 'watch_conversation', conversation, on: false },
    { type: 'start_stream', conversation, contentType: 'text/plain', replyTo: 7, threadRoot: 0 },
    { type: 'append_stream', conversation, stream: '9007199254740993', at: 3, text: ' there' },
    { type: 'cancel_stream', conversation, stream: '9007199254740993' },
    { type: 'get_stream', conversation, stream: '9007199254740993' },
    { type: 'members', conversation, after: '', limit: 20, prefix: 'ali' },
    { type: 'members', conversation, after: '42', limit: 200, prefix: '' },
    { type: 'lookup', users: ['42'] },
    { type: 'sync', token: 'c3luYy0x', conversations: [] },
    { type: 'sync', token: 'c3luYy0x', conversations: ['00000000000000000000000000000003'] },
    { type: 'ping' },
    { type: 'bye' },
  ];
  const spelled = new Set(
    operations.map((operation) => canonical(encode({ request: 1, operation }))),
  );
  const skipped = /"base64"/; // this client sends text bodies only
  for (const line of examples('request').filter((one) => !skipped.test(one))) {
    const any = JSON.parse(line) as Record<string, unknown>;
    assert.ok(spelled.has(canonical(JSON.stringify({ ...any, request: 1 }))), line);
  }
});

/** The same object with its keys in order. */
function canonical(text: string): string {
  const sort = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sort);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .sort()
        .map(([key, inner]) => [key, sort(inner)]),
    );
  };
  return JSON.stringify(sort(JSON.parse(text)));
}

test('one message may carry several frames, one a line', () => {
  const replies = decode('{"type":"done","request":1}\n\n{"type":"done","request":2}\n');
  assert.deepEqual(
    replies.map((reply) => reply.request),
    [1, 2],
  );
});

test('unknown fields, types, kinds and roles are no errors', () => {
  const [push] = decode('{"type":"confetti","colour":"red"}');
  assert.deepEqual(push, { request: 0, answer: { type: 'unknown', name: 'confetti' } });
  const event = '{"seq":1,"kind":77,"ordinal":0,"id":"1","time":1,"role":21,"new":true}';
  const [reply] = decode(
    `{"type":"events","conversation":"${conversation}","epoch":"${epoch}","first":1,"events":[${event}],"mark":1}`,
  );
  assert.ok(reply!.answer.type === 'events');
  assert.deepEqual([reply!.answer.events[0]!.kind, reply!.answer.events[0]!.role], ['77', '21']);
});

test('an error keeps code, message, retry hints and next', () => {
  const [reply] = decode(
    '{"type":"error","request":3,"code":1001,"message":"m","retryable":true,"retry_after_ms":250,"next":"5"}',
  );
  assert.ok(reply!.answer.type === 'error');
  const { error } = reply!.answer;
  assert.ok(error instanceof ParleyError);
  assert.deepEqual(
    [error.code, error.message, error.retryable, error.retryAfterMs, error.next],
    ['1001', 'm', true, 250, 5],
  );
});

test('changes of messages, and messages as they stand', () => {
  const line = examples('reply').find((one) => one.includes('"type":"messages"'))!;
  const [reply] = decode(line);
  assert.ok(reply!.answer.type === 'messages');
  const [message] = reply!.answer.messages;
  const { changed, edited, pinned, deleted, tallies } = message!;
  assert.deepEqual(
    { changed, edited, pinned, deleted, tallies },
    {
      changed: 12,
      edited: 1767225604000,
      pinned: true,
      deleted: false,
      tallies: [{ seq: 8, revision: 2, reactions: [{ key: '👍', count: 1, users: ['42'] }] }],
    },
  );
  const changes = examples('reply')
    .flatMap((one) => decode(one))
    .flatMap(({ answer }) => (answer.type === 'events' ? answer.events : []))
    .filter((event) => event.about > 0 || event.tallies.length > 0)
    .map((event) => `${event.kind} ${event.about} ${event.aboutOrdinal} ${event.tallies.length}`);
  assert.deepEqual(changes, ['edited 8 0 0', 'reactions 0 0 1', 'pinned 8 0 0', 'deleted 8 6 0']);
});

test('links that let people in', () => {
  const [reply] = decode(
    `{"type":"invites","request":1,"conversation":"${conversation}","invites":[{"token":"${token}","role":"moderator","by":"41","created":5,"expires":9,"uses":2,"used":1},{"token":"x","role":"member","created":6}]}`,
  );
  assert.ok(reply?.answer.type === 'invites');
  assert.deepEqual(reply.answer.invites, [
    { token, role: 'moderator', by: '41', created: 5, expires: 9, uses: 2, used: 1 },
    { token: 'x', role: 'member', by: '', created: 6, expires: 0, uses: 0, used: 0 },
  ]);
});

test('who asks to be let in', () => {
  const [page, list] = decode(
    [
      `{"type":"join_requests_page","request":1,"conversation":"${conversation}","requests":[{"user":"42","since":5,"note":"hi"},{"user":"43","since":6}],"more":true}`,
      `{"type":"list","entries":[],"requests":[{"conversation":"${conversation}","state":"denied","time":7}]}`,
    ].join('\n'),
  ).map((reply) => reply.answer);
  assert.ok(page?.type === 'join_requests_page');
  assert.deepEqual(page.page, {
    requests: [
      { user: '42', since: 5, note: 'hi' },
      { user: '43', since: 6, note: '' },
    ],
    more: true,
  });
  assert.ok(list?.type === 'list');
  assert.deepEqual(list.change.requests, [{ conversation, state: 'denied', time: 7 }]);
});

test('who is blocked', () => {
  const [all, list] = decode(
    [
      `{"type":"blocked_users","request":1,"users":["42","43"]}`,
      `{"type":"list","entries":[],"blocked":["42"]}`,
    ].join('\n'),
  ).map((reply) => reply.answer);
  assert.ok(all?.type === 'blocked_users');
  assert.deepEqual(all.users, ['42', '43']);
  assert.ok(list?.type === 'list');
  assert.deepEqual(list.change.blocked, ['42']);
});

test('what a conversation is like, and who is kept out', () => {
  const [info, page, events] = decode(
    [
      `{"type":"conversation_info","request":1,"conversation":"${conversation}","kind":"channel","settings":{"title":"lobby","metadata":"AP8=","who_sends":"moderator","join":"open","slow_mode_s":30,"expires_after_s":60},"created":5,"members":3,"role":"member","muted":true,"muted_until":9}`,
      `{"type":"restrictions_page","request":2,"conversation":"${conversation}","kind":"ban","users":[{"user":"42","by":"41","since":5,"until":9,"reason":"spam"}],"more":true}`,
      `{"type":"events","conversation":"${conversation}","epoch":"${epoch}","first":7,"events":[{"seq":7,"kind":"settings_changed","ordinal":1,"id":"1","time":5,"settings":{"title":"","archived":true}},{"seq":8,"kind":"muted","ordinal":1,"id":"2","time":6,"target":"42","until":9,"reason":"loud"}],"mark":1}`,
    ].join('\n'),
  ).map((reply) => reply.answer);
  assert.ok(info?.type === 'conversation_info');
  assert.equal(info.info.settings.whoSends, 'moderator');
  assert.equal(info.info.settings.whoAdds, 'none');
  assert.equal(info.info.settings.slowMode, 30);
  assert.equal(info.info.settings.expiresAfter, 60);
  assert.equal(info.info.mutedUntil, 9);
  assert.ok(page?.type === 'restrictions_page');
  assert.deepEqual(page.page.users, [
    { user: '42', by: '41', since: 5, until: 9, reason: 'spam' },
  ]);
  assert.ok(events?.type === 'events');
  assert.deepEqual(events.events[0]?.settings, { title: '', archived: true });
  assert.deepEqual(
    [events.events[1]?.target, events.events[1]?.until, events.events[1]?.reason],
    ['42', 9, 'loud'],
  );
});

test('a space and its channels', () => {
  const child = '00000000000000000000000000000003';
  const head = `{"epoch":"${epoch}","seq":1,"mark":2}`;
  const rest = `"role":"member","visible_from":1,"head":${head},"head_ordinal":0,"received":0,"read":0,"unread":0,"last_activity":5`;
  const [list, info, events] = decode(
    [
      `{"type":"list","entries":[{"conversation":"${conversation}","kind":"space","children":["${child}"],${rest}},{"conversation":"${child}","kind":"channel","space":"${conversation}",${rest}}]}`,
      `{"type":"conversation_info","request":1,"conversation":"${conversation}","kind":"space","settings":{},"created":5,"members":3,"children":["${child}"]}`,
      `{"type":"events","conversation":"${conversation}","epoch":"${epoch}","first":2,"events":[{"seq":2,"kind":"child_opened","ordinal":0,"id":"1","time":5,"title":"hall","conversation":"${child}"}],"mark":1}`,
    ].join('\n'),
  ).map((reply) => reply.answer);
  assert.ok(list?.type === 'list');
  assert.deepEqual(list.change.entries[0]?.children, [child]);
  assert.equal(list.change.entries[0]?.space, '');
  assert.equal(list.change.entries[1]?.space, conversation);
  assert.deepEqual(list.change.entries[1]?.children, []);
  assert.ok(info?.type === 'conversation_info');
  assert.deepEqual([info.info.space, info.info.children], ['', [child]]);
  assert.ok(events?.type === 'events');
  assert.deepEqual([events.events[0]?.child, events.events[0]?.title], [child, 'hall']);
  assert.throws(
    () => decode(`{"type":"list","entries":[{"conversation":"${conversation}","kind":"space","children":["no"],${rest}}]}`),
    /child/,
  );
});

test('what a user sets about a conversation', () => {
  const spelled = (settings: ListSettings): unknown => {
    const line = encode({ request: 1, operation: { type: 'set_list', conversation, settings } });
    const { type: _, request: __, conversation: ___, ...fields } = JSON.parse(line);
    return fields;
  };
  assert.deepEqual(spelled({}), {});
  assert.deepEqual(
    spelled({ pinned: false, archived: false, markedUnread: false, mutedUntil: 0, draft: '' }),
    { pinned: false, archived: false, marked_unread: false, muted_until: 0, draft: '' },
    'to end a thing is said, too',
  );
  const head = `{"epoch":"${epoch}","seq":1,"mark":1}`;
  const entry = (set: string): unknown => {
    const [reply] = decode(
      `{"type":"list","entries":[{"conversation":"${conversation}","kind":"group","head":${head}${set}}]}`,
    );
    assert.ok(reply!.answer.type === 'list');
    const { pinned, archived, markedUnread, mutedUntil, draft, drafted } =
      reply!.answer.change.entries[0]!;
    return [pinned, archived, markedUnread, mutedUntil, draft, drafted];
  };
  assert.deepEqual(entry(''), [false, false, false, 0, '', 0]);
  assert.deepEqual(
    entry(
      ',"pinned":true,"archived":true,"marked_unread":true,"muted_until":5,"draft":"d","drafted":6',
    ),
    [true, true, true, 5, 'd', 6],
  );
});

test('a broken frame is a protocol_error', () => {
  const table = [
    'nonsense',
    '[]',
    '{"request":1}',
    '{"type":"done","request":"1"}',
    '{"type":"ack","request":1,"conversation":"xyz","seq":1,"time":1}',
    `{"type":"ack","request":1,"conversation":"${conversation}","seq":1.5,"time":1}`,
    `{"type":"ack","request":1,"conversation":"${conversation}","seq":9007199254740993,"time":1}`,
    '{"type":"welcome","request":1,"version":1}',
    `{"type":"events","conversation":"${conversation}","epoch":"${epoch}","first":1,"events":[{"seq":2,"kind":"message","ordinal":1,"id":"1","time":1}],"mark":1}`,
    '{"type":"names","users":[{"id":"-1","subject":"x"}]}',
  ];
  for (const line of table) {
    assert.throws(
      () => decode(line),
      (error: unknown) => (error as ParleyError).code === 'protocol_error',
      line,
    );
  }
});
