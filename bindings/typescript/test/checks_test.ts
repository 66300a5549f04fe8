// checks_test.ts: a wrong argument is an error of its own call, for every call, and nothing goes out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rules } from '../src/checks.js';
import { ParleyClient, ParleyError, type WebSocketConstructor } from '../src/index.js';

class NoSocket {}

const client = new ParleyClient({
  url: 'ws://nowhere/chat',
  token: 'alice',
  WebSocket: NoSocket as unknown as WebSocketConstructor,
});
/** As a program without types calls it. */
const loose = client as unknown as Record<string, (...args: unknown[]) => unknown>;
const room = '0123456789abcdef0123456789abcdef';
const hex = 'conversation: expected 32 hexadecimal digits';
const id = (field: string): string => `${field}: expected an id in decimal digits`;
const text = (field: string): string => `${field}: expected a string of valid Unicode`;
const flag = (field: string): string => `${field}: expected true or false`;
const whole = (field: string, most: number | string): string =>
  `${field}: expected a whole number from 0 to ${most}`;
const most = Number.MAX_SAFE_INTEGER;
const roles = 'one of none, read_only, member, moderator, admin, owner';

/** The rule, the method, its arguments, what it is refused with. */
const table: [rule: string, method: string, args: unknown[], message: string][] = [
  ['send', 'send', ['nonsense', 'hi'], hex],
  ['send', 'send', [room, 42], text('text')],
  ['send', 'send', [room, '\ud800'], text('text')],
  ['send', 'send', [room, 'hi', { replyTo: 1.5 }], whole('replyTo', most)],
  ['send', 'send', [room, 'hi', { audience: 256 }], whole('audience', 255)],
  ['send', 'send', [room, 'hi', { mentions: ['bob'] }], id('mentions[0]')],
  ['send', 'send', [room, 'hi', { mentions: 'bob' }], 'mentions: expected an array'],
  ['send', 'send', [room, 'hi', { attachments: [{}] }], text('attachments[0].handle')],
  ['send', 'send', [room, '', { forward: { conversation: room } }], whole('forward.seq', most)],
  ['send', 'send', [room, '?', { poll: { options: [1] } }], text('poll.options[0]')],
  ['send', 'send', [room, 'hi', { expiresAfter: -1 }], whole('expiresAfter', most)],
  ['retry', 'retry', [room, 7], text('local')],
  ['discard', 'discard', [room, 7], text('local')],
  ['open', 'open', [undefined], hex],
  ['close', 'close', [room.toUpperCase()], hex],
  ['history', 'history', ['nonsense'], hex],
  ['history', 'history', [room, { limit: '50' }], whole('limit', 0xffff_ffff)],
  ['history', 'history', [room, { before: -1 }], whole('from', most)],
  ['schedule', 'schedule', [room, 'later', 'noon'], whole('at', most)],
  ['schedule', 'schedule', [room, { text: 42 }, 0], text('text')],
  ['schedule', 'schedule', [room, 'later', 0, { replaces: 'x' }], id('id')],
  ['unschedule', 'unschedule', [7], id('id')],
  ['start_stream', 'stream', [room, { contentType: 7 }], text('contentType')],
  ['edit', 'edit', [room, 1, undefined], text('text')],
  ['edit', 'edit', [room, '1', 'x'], whole('seq', most)],
  ['delete', 'deleteMessage', [room], whole('seq', most)],
  ['delete_for_me', 'deleteForMe', [room, [1, 'x']], whole('seqs[1]', most)],
  ['react', 'react', [room, 1, 5], text('key')],
  ['react', 'react', [room, 1, 'x', 'yes'], flag('on')],
  ['reactors', 'reactors', [room, 1, 'x', { after: 'bob' }], id('after')],
  ['pin', 'pin', [room, 1, null], flag('on')],
  ['pins', 'pins', [''], hex],
  ['vote', 'vote', [room, 1, [256]], whole('options[0]', 255)],
  ['close_poll', 'closePoll', [room, NaN], whole('seq', most)],
  ['get_ballot', 'ballot', [room, {}], whole('seq', most)],
  ['voters', 'voters', [room, 1, 'first'], whole('option', 255)],
  ['thread', 'thread', [room, undefined], whole('root', most)],
  ['threads', 'threads', [room, { before: 'x' }], whole('before', most)],
  ['follow_thread', 'followThread', [room, 1, 1], flag('on')],
  ['read_thread', 'readThread', [room, 1, 'x'], whole('seq', most)],
  ['create', 'create', [{ title: 'x' }], 'kind: expected one of group, channel, space'],
  ['create', 'create', [{ kind: 'club' }], 'kind: expected one of group, channel, space'],
  ['create', 'create', [{ kind: 'group', members: 'bob' }], 'members: expected an array'],
  ['create', 'create', [{ kind: 'group', nonce: 'x' }], 'nonce: expected 32 hexadecimal digits'],
  ['direct', 'direct', [undefined], text('peer')],
  ['join', 'join', [7], hex],
  ['leave', 'leave', [room.slice(1)], hex],
  ['delete_conversation', 'deleteConversation', [null], hex],
  ['set_title', 'setTitle', [room, 7], text('title')],
  ['set_settings', 'setSettings', [room], 'settings: expected an object'],
  ['set_settings', 'setSettings', [room, { whoSends: 'me' }], `settings.whoSends: expected ${roles}`],
  ['set_settings', 'setSettings', [room, { metadata: '?' }], 'settings.metadata: expected bytes in base64'],
  ['info', 'info', [[]], hex],
  ['set_retention', 'setRetention', [room, { keepFor: 0.5 }], whole('keepFor', most)],
  ['get_retention', 'retention', [{}], hex],
  ['members', 'members', [room, { prefix: null }], text('prefix')],
  ['add', 'add', [room, 'bob'], 'members: expected an array'],
  ['add', 'add', [room, ['bob', 7]], text('members[1]')],
  ['remove', 'remove', [room, 'bob'], id('user')],
  ['remove', 'remove', [room, '18446744073709551616'], id('user')],
  ['set_role', 'setRole', [room, '42', 'boss'], `role: expected ${roles}`],
  ['transfer', 'transfer', [room, 42], id('user')],
  ['create_invite', 'createInvite', [room, { uses: -1 }], whole('uses', 0xffff_ffff)],
  ['list_invites', 'invites', ['x'], hex],
  ['revoke_invite', 'revokeInvite', [7], text('token')],
  ['join_invite', 'joinInvite', [undefined], text('token')],
  ['request_join', 'requestJoin', [room, 7], text('note')],
  ['join_requests', 'joinRequests', [room, { limit: null }], whole('limit', 0xffff_ffff)],
  ['answer_request', 'answerRequest', [room, '42', 'yes'], flag('approve')],
  ['restrict', 'restrict', [room, '42', 'hush'], 'kind: expected one of mute, ban'],
  ['restrict', 'lift', [room, 'bob', 'mute'], id('user')],
  ['restrictions', 'restrictions', [room], 'kind: expected one of mute, ban'],
  ['block', 'block', ['bob'], id('user')],
  ['block', 'unblock', [''], id('user')],
  ['page_list', 'listPage', [{ limit: 'all' }], whole('limit', 0xffff_ffff)],
  ['set_list', 'setList', [room, { pinned: 1 }], flag('settings.pinned')],
  ['read', 'markRead', [room, '5'], whole('seq', most)],
  ['seen', 'seen', [room, -1], whole('seq', most)],
  ['rename_device', 'renameDevice', ['42', 42], text('name')],
  ['revoke_device', 'revokeDevice', ['phone'], id('device')],
  ['set_user', 'setUser', [{ hideReads: 'no' }], flag('change.hideReads')],
  ['presence', 'setPresence', ['asleep'], 'state: expected one of online, away, busy, invisible'],
  ['typing', 'typing', [undefined], hex],
  ['typing', 'recording', [room, 1], flag('on')],
  ['signal', 'signal', [room, 'wave', 7], text('text')],
  ['signal', 'signal', [room, 'wave', '', 'long'], whole('lastsMs', 0xffff_ffff)],
  ['watch', 'watch', [room, ['bob']], id('users[0]')],
  ['watch_conversation', 'watchConversation', [room, 'on'], flag('on')],
  ['names', 'name', ['bob'], id('users[0]')],
];

async function refusal(call: () => unknown): Promise<ParleyError> {
  try {
    await call();
  } catch (error) {
    assert.ok(error instanceof ParleyError, String(error));
    return error;
  }
  assert.fail('it was not refused');
}

test('a wrong argument of any call is named, and refused before it goes out', async () => {
  for (const [rule, method, args, message] of table) {
    const error = await refusal(() => loose[method]!(...args));
    assert.equal(error.code, 'invalid_argument', `${rule} ${method}`);
    assert.equal(error.message, message, `${rule} ${method}`);
  }
});

test('the pieces of a growing message are checked as well', async () => {
  const calls = client as unknown as { driver_: { call(asked: unknown): Promise<unknown> } };
  const asked = { conversation: room, stream: '7', at: 0, text: 42 };
  for (const type of ['append_stream', 'cancel_stream', 'get_stream']) {
    const wrong = type === 'append_stream' ? asked : { conversation: room, stream: 'x' };
    const error = await refusal(() => calls.driver_.call({ type, ...wrong }));
    assert.equal(error.code, 'invalid_argument', type);
  }
});

test('every call with arguments is in the table', () => {
  const here = new Set(table.map(([rule]) => rule));
  const elsewhere = ['append_stream', 'cancel_stream', 'get_stream'];
  const with_fields = Object.entries(rules).filter(([, fields]) => Object.keys(fields).length > 0);
  const missing = with_fields.map(([type]) => type).filter((type) => !here.has(type));
  assert.deepEqual(missing, elsewhere);
});
