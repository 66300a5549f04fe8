// foreign_client.mjs: npm ws, which shares no line with the engine, speaks the JSON subprotocol by
// the document alone.
//   node foreign_client.mjs --server <chat_server binary> [--only TEXT]
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { check, run_checks } from './checks.mjs';
import { RawClient } from './raw_client.mjs';
import { ServerProcess, argument } from './server_process.mjs';

const server = new ServerProcess(argument('server'), '');
const clients = [];
let people = 0;

function raw(protocol) {
  const client = new RawClient(server.url, protocol);
  clients.push(client);
  return client;
}

/** A signed-in client of a fresh user, with a device. */
async function person(name = `user-${(people += 1)}`, device = `device-of-${name}`) {
  const client = raw();
  client.welcome = await client.hello(name, { device });
  assert.equal(client.welcome.type, 'welcome', JSON.stringify(client.welcome));
  client.name = name;
  return client;
}

async function group(owner, ...others) {
  const members = others.map((other) => other.name);
  const opened = await owner.ask('create', { kind: 'group', title: 'Team', members });
  assert.equal(opened.type, 'opened', JSON.stringify(opened));
  return opened.entry.conversation;
}

function send(client, conversation, number, text, fields = {}) {
  const key = { number: String(number), random: String(1000 + number), settled: String(number) };
  return client.ask('send', { conversation, ...key, text, ...fields });
}

function is_error(answer, ...codes) {
  assert.equal(answer.type, 'error', JSON.stringify(answer));
  assert.ok(
    codes.includes(answer.code),
    `${answer.code}, wanted ${codes.join(' or ')}: ${answer.message}`,
  );
  assert.equal(typeof answer.message, 'string');
  assert.notEqual(answer.message, '');
}

/** The messages somebody gets who asks for the end of the history; a former member's ends early. */
async function history_texts(client, conversation) {
  const page = await client.ask('history', { conversation, from: 0, backward: true });
  assert.equal(page.type, 'history_page', JSON.stringify(page));
  return page.events.filter((event) => event.kind === 'message').map((event) => event.text);
}

async function refused(protocols) {
  const client = new RawClient(server.url, protocols);
  await assert.rejects(client.opened, /Unexpected server response|subprotocol/i);
}

const hex = /^[0-9a-f]{32}$/;
const decimal = /^[1-9][0-9]*$/;

check('an upgrade without a known subprotocol is refused', async () => {
  await refused(['chat.v9']);
  await refused([]);
});

check('hello is welcomed with ids as strings and the list', async () => {
  const client = await person('hello-user');
  const { welcome } = client;
  assert.equal(client.socket.protocol, 'parley.v1.json');
  assert.equal(welcome.version, 1);
  assert.match(welcome.user, decimal);
  assert.match(welcome.session, decimal);
  assert.match(welcome.device, decimal);
  assert.equal(welcome.subject, 'hello-user');
  assert.ok(welcome.heartbeat_ms > 0 && welcome.max_body >= 65_536);
  assert.deepEqual([welcome.list.whole, Array.isArray(welcome.list.entries)], [true, true]);
  assert.equal(typeof welcome.list.token, 'string');
});

check('a version that nobody speaks and an empty token are typed errors', async () => {
  const future = raw();
  await future.opened;
  is_error(
    await future.ask('hello', { min_version: 900, max_version: 901, token: 'x' }),
    'version_unsupported',
  );
  is_error(await raw().hello(''), 'unauthenticated', 'invalid_argument');
});

check('create, send, and the event comes to every member', async () => {
  const [alice, bob] = [await person(), await person()];
  const conversation = await group(alice, bob);
  assert.match(conversation, hex);
  const entry_in = (frame) => frame.entries?.find((one) => one.conversation === conversation);
  const pushed = await bob.frame('list push', (frame) => !frame.request && entry_in(frame));
  assert.deepEqual([pushed.type, entry_in(pushed).title], ['list', 'Team']);
  const items = [{ conversation, level: 'full' }];
  const [answer] = (await bob.ask('subscribe', { items })).answers;
  assert.deepEqual([answer.answer, answer.level], ['snapshot', 'full']);
  const ack = await send(alice, conversation, 1, 'grüße 👋');
  assert.deepEqual([ack.type, ack.number], ['ack', '1'], JSON.stringify(ack));
  const { events, mark, first, epoch } = await bob.frame(
    'events',
    (frame) => frame.type === 'events',
  );
  assert.deepEqual([first, events.length, epoch], [ack.seq, 1, answer.head.epoch]);
  assert.equal(typeof mark, 'number');
  const [event] = events;
  assert.deepEqual(
    [event.seq, event.kind, event.text, event.sender, event.echo, event.time],
    [ack.seq, 'message', 'grüße 👋', alice.welcome.user, '1001', ack.time],
  );
});

check('bytes travel as base64', async () => {
  const alice = await person();
  const conversation = await group(alice);
  const key = { number: '1', random: '5', settled: '1' };
  const ack = await alice.ask('send', {
    conversation,
    ...key,
    content_type: 'application/octet-stream',
    base64: 'AAEC/w==',
  });
  assert.equal(ack.type, 'ack', JSON.stringify(ack));
  const page = await alice.ask('history', { conversation, from: 0, backward: true });
  const event = page.events[page.events.length - 1];
  assert.deepEqual(
    [event.base64, event.text, event.content_type],
    ['AAEC/w==', undefined, 'application/octet-stream'],
  );
});

check('a key is applied once: repeated, number_taken, key_reused, too_old', async () => {
  const alice = await person();
  const conversation = await group(alice);
  const first = await send(alice, conversation, 1, 'one');
  const again = await send(alice, conversation, 1, 'one');
  assert.deepEqual(
    [again.type, again.seq, again.time, again.repeated],
    ['ack', first.seq, first.time, true],
  );
  const taken = await alice.ask('send', {
    conversation,
    number: '1',
    random: '77',
    settled: '1',
    text: 'other',
  });
  is_error(taken, 'number_taken');
  assert.equal(taken.next, '2');
  is_error(await send(alice, conversation, 1, 'another body'), 'key_reused');
  assert.equal((await send(alice, conversation, 2, 'two')).type, 'ack');
  is_error(await send(alice, conversation, 1, 'one'), 'too_old');
  const { events } = await alice.ask('history', { conversation, from: 0, backward: true });
  assert.deepEqual(
    events.filter((event) => event.kind === 'message').map((event) => event.text),
    ['one', 'two'],
  );
});

check('a key outlives the link', async () => {
  const before = await person('lasting', 'one-device');
  const conversation = await group(before);
  const first = await send(before, conversation, 1, 'one');
  before.close();
  const after = await person('lasting', 'one-device');
  const again = await send(after, conversation, 1, 'one');
  assert.deepEqual([again.seq, again.repeated], [first.seq, true]);
  const other = await person('lasting', 'another-device');
  const fresh = await send(other, conversation, 1, 'from the other device');
  assert.deepEqual([fresh.seq, fresh.repeated], [first.seq + 1, undefined]);
});

check('pipelined sends keep their order', async () => {
  const alice = await person();
  const conversation = await group(alice);
  const acks = await Promise.all(
    Array.from({ length: 32 }, (_, index) =>
      send(alice, conversation, index + 1, `n${index}`, { settled: '1' }),
    ),
  );
  const seqs = acks.map((ack) => ack.seq);
  assert.deepEqual(
    seqs,
    seqs.map((_, index) => seqs[0] + index),
    JSON.stringify(acks[0]),
  );
  is_error(
    await send(alice, conversation, 33, 'one too many', { settled: '1' }),
    'limit_reached',
    'invalid_argument',
    'busy',
  );
});

check('history pages backward and forward', async () => {
  const alice = await person();
  const conversation = await group(alice);
  for (let number = 1; number <= 60; number += 1)
    await send(alice, conversation, number, `n${number}`);
  const seqs = (page) => page.events.map((event) => event.seq);
  const range = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
  const last = await alice.ask('history', { conversation, from: 0, backward: true, limit: 20 });
  assert.deepEqual([last.type, last.first, last.more, last.floor], ['history_page', 42, true, 1]);
  assert.deepEqual(seqs(last), range(42, 61));
  const older = await alice.ask('history', { conversation, from: 42, backward: true, limit: 256 });
  assert.deepEqual([seqs(older), older.more], [range(1, 41), false]);
  const forward = await alice.ask('history', { conversation, from: 10, backward: false, limit: 5 });
  assert.deepEqual([seqs(forward), forward.more], [range(10, 14), true]);
  const beyond = await alice.ask('history', { conversation, from: 62, backward: false, limit: 5 });
  assert.deepEqual([seqs(beyond), beyond.more], [[], false]);
  for (const limit of [0, 257]) {
    is_error(
      await alice.ask('history', { conversation, from: 0, backward: true, limit }),
      'invalid_argument',
    );
  }
});

check('a cursor gets exactly what follows it', async () => {
  const alice = await person();
  const conversation = await group(alice);
  const items = (cursor) => [{ conversation, level: 'full', ...(cursor ? { cursor } : {}) }];
  const [{ head }] = (await alice.ask('subscribe', { items: items(null) })).answers;
  for (let number = 1; number <= 10; number += 1)
    await send(alice, conversation, number, `n${number}`);
  const later = await person(alice.name, 'second-device');
  const [answer] = (await later.ask('subscribe', { items: items(head) })).answers;
  assert.deepEqual([answer.answer, answer.head.seq], ['range', head.seq + 10]);
  await later.frame(
    'the last event',
    (frame) => frame.type === 'events' && frame.events.some((event) => event.seq === head.seq + 10),
  );
  const all = later.frames
    .filter((frame) => frame.type === 'events')
    .flatMap((frame) => frame.events);
  assert.deepEqual(
    all.map((event) => event.text),
    Array.from({ length: 10 }, (_, index) => `n${index + 1}`),
  );
  const ask = async (cursor) =>
    (await later.ask('subscribe', { items: items(cursor) })).answers[0].answer;
  assert.equal(await ask(answer.head), 'caught_up');
  assert.equal(await ask({ ...answer.head, mark: (answer.head.mark + 1) % 2 ** 32 }), 'forked');
  assert.equal(await ask({ ...answer.head, epoch: '1'.repeat(32) }), 'forked');
  assert.equal(await ask({ ...answer.head, seq: answer.head.seq + 5 }), 'ahead');
});

check('limits hold at the limit and one past it', async () => {
  const alice = await person();
  const conversation = await group(alice);
  const max = alice.welcome.max_body;
  assert.equal((await send(alice, conversation, 1, 'x'.repeat(max))).type, 'ack');
  is_error(await send(alice, conversation, 2, 'x'.repeat(max + 1)), 'too_large');
  const create = (title) => alice.ask('create', { kind: 'group', title });
  assert.equal((await create('t'.repeat(512))).type, 'opened');
  is_error(await create('t'.repeat(513)), 'too_large', 'invalid_argument');
  await alice.ask('subscribe', { items: [{ conversation, level: 'full' }] });
  const signal = (text) => alice.ask('signal', { conversation, kind: 'k', text });
  assert.equal((await signal('s'.repeat(1024))).type, 'done');
  is_error(await signal('s'.repeat(1025)), 'too_large', 'invalid_argument');
});

check('what is absent and what is forbidden look the same', async () => {
  const [alice, mallory] = [await person(), await person()];
  const conversation = await group(alice);
  const absent = 'f'.repeat(32);
  for (const [type, fields] of [
    ['history', { from: 0, backward: true }],
    ['join', {}],
    ['members', {}],
    ['leave', {}],
    ['send', { number: '1', random: '1', settled: '1', text: 'x' }],
    ['set_title', { title: 'mine' }],
  ]) {
    const [forbidden, nothing] = [
      await mallory.ask(type, { conversation, ...fields }),
      await mallory.ask(type, { conversation: absent, ...fields }),
    ];
    is_error(forbidden, 'denied');
    is_error(nothing, 'denied');
    assert.equal(forbidden.message, nothing.message, type);
  }
  const { answers } = await mallory.ask('subscribe', {
    items: [
      { conversation, level: 'full' },
      { conversation: absent, level: 'full' },
    ],
  });
  assert.deepEqual(
    answers.map((answer) => answer.answer),
    ['denied', 'denied'],
  );
});

check('receipts, signals, presence, members, names', async () => {
  const [alice, bob] = [await person(), await person()];
  const conversation = await group(alice, bob);
  for (const client of [alice, bob])
    await client.ask('subscribe', { items: [{ conversation, level: 'full' }] });
  const { seq } = await send(alice, conversation, 1, 'read me');
  assert.equal(
    (await bob.ask('mark_read', { conversation, received: seq, read: seq })).type,
    'done',
  );
  const read = (frame) =>
    frame.type === 'receipts' &&
    frame.receipts.some((one) => one.user === bob.welcome.user && one.read === seq);
  await alice.frame('receipt', read);
  assert.equal((await bob.ask('mark_read', { conversation, read: 1 })).type, 'done');
  assert.equal((await bob.ask('signal', { conversation, kind: 'typing' })).type, 'done');
  const signal = await alice.frame('signal', (frame) => frame.type === 'signalled');
  assert.deepEqual([signal.sender, signal.kind], [bob.welcome.user, 'typing']);
  const presence = await alice.ask('watch', { conversation, users: [bob.welcome.user] });
  assert.deepEqual([presence.type, presence.users[0].online], ['presence', true]);
  const members = await alice.ask('members', { conversation });
  assert.deepEqual([members.count, members.more, members.members.length], [2, false, 2]);
  const [his] = members.receipts.filter((one) => one.user === bob.welcome.user);
  assert.deepEqual([his.received, his.read], [seq, seq], 'never back');
  const names = await alice.ask('lookup', { users: [bob.welcome.user, '999999999'] });
  assert.deepEqual(names.users, [{ id: bob.welcome.user, subject: bob.name }]);
  bob.close();
  await alice.frame(
    'bob went',
    (frame) =>
      frame.type === 'presence' &&
      !frame.request &&
      frame.users.some((one) => one.user === bob.welcome.user && !one.online),
  );
});

check(
  'direct conversations are found again, channels are joined, members come and go',
  async () => {
    const [alice, bob] = [await person(), await person()];
    const direct = await alice.ask('direct', { peer: bob.name });
    assert.deepEqual(
      [direct.type, direct.entry.kind, direct.entry.peer],
      ['opened', 'direct', bob.welcome.user],
    );
    assert.equal(
      (await bob.ask('direct', { peer: alice.name })).entry.conversation,
      direct.entry.conversation,
    );
    const channel = (await alice.ask('create', { kind: 'channel', title: 'news' })).entry
      .conversation;
    const joined = await bob.ask('join', { conversation: channel });
    assert.deepEqual(
      [joined.type, joined.entry.kind, joined.entry.role],
      ['opened', 'channel', 'member'],
    );
    assert.equal((await bob.ask('leave', { conversation: channel })).type, 'done');
    await send(alice, channel, 1, 'after he left');
    assert.deepEqual(await history_texts(bob, channel), []);
    const team = await group(alice);
    assert.equal(
      (await alice.ask('add', { conversation: team, members: [bob.name] })).type,
      'done',
    );
    assert.equal((await send(bob, team, 1, 'in')).type, 'ack');
    is_error(await bob.ask('remove', { conversation: team, user: alice.welcome.user }), 'denied');
    assert.equal(
      (await alice.ask('remove', { conversation: team, user: bob.welcome.user })).type,
      'done',
    );
    is_error(await send(bob, team, 2, 'out'), 'denied');
    await send(alice, team, 1, 'after he was removed');
    const [answer] = (
      await bob.ask('subscribe', { items: [{ conversation: team, level: 'full' }] })
    ).answers;
    assert.deepEqual([answer.answer, typeof answer.last_visible], ['not_member', 'number']);
    assert.deepEqual(await history_texts(bob, team), ['in']);
    await alice.ask('add', { conversation: team, members: ['somebody else'] });
    is_error(await alice.ask('leave', { conversation: team }), 'last_owner');
  },
);

check('the sync token brings what changed', async () => {
  const alice = await person('syncing', 'd');
  const first = await group(alice);
  await alice.frame('list push', (frame) =>
    frame.entries?.some((entry) => entry.conversation === first),
  );
  const whole = await alice.ask('sync', { token: '' });
  const listed = whole.entries.some((entry) => entry.conversation === first);
  assert.deepEqual([whole.type, whole.whole, listed], ['list', true, true]);
  // Naming too much is harmless, so nothing is said of the entries here.
  const none = await alice.ask('sync', { token: whole.token });
  assert.deepEqual([none.type, none.whole, none.removed ?? []], ['list', false, []]);
  assert.equal((await alice.ask('sync', { token: 'nonsense' })).whole, true);
  const second = await group(alice);
  await send(alice, first, 1, 'moved');
  alice.close();
  const again = raw();
  const welcome = await again.hello('syncing', { device: 'd', sync_token: none.token });
  const changed = welcome.list.entries.map((entry) => entry.conversation);
  assert.ok(changed.includes(first) && changed.includes(second), JSON.stringify(welcome.list));
});

check('unknown requests are errors and the link lives on; unknown fields are ignored', async () => {
  const alice = await person();
  is_error(await alice.ask('teleport'), 'unsupported');
  assert.equal((await alice.ask('ping', { colour: 'red' })).type, 'done');
});

check('several frames may ride in one message', async () => {
  const alice = await person();
  alice.write('{"type":"ping","request":901}\n\n{"type":"ping","request":902}\n');
  await alice.frame('second answer', (frame) => frame.request === 902);
  assert.ok(alice.frames.some((frame) => frame.request === 901));
});

check('bytes that are no frame end the link with 1002 and a goodbye that says why', async () => {
  const broken = [
    'nonsense',
    '[]',
    '{"request":1}',
    '{"type":"ping","request":"1"}',
    '{"type":"ping","request":0}',
    '{"type":"ping","request":1,"request":2}',
    '{"type":"history","request":5,"conversation":7,"from":0,"backward":true}',
    '{"type":"history","request":5,"conversation":"xyz","from":0,"backward":true}',
    `${'['.repeat(40)}${']'.repeat(40)}`,
  ];
  for (const text of broken) {
    const alice = await person();
    alice.write(text);
    const { code } = await alice.end();
    assert.equal(code, 1002, text);
    const goodbye = alice.frames.find((frame) => frame.type === 'goodbye');
    assert.equal(goodbye?.reason, 'protocol_error', text);
  }
});

check('before hello nothing else is spoken', async () => {
  const early = raw();
  await early.opened;
  early.write('{"type":"ping","request":1}');
  assert.equal((await early.end()).code, 1002);
});

check('a text that is not UTF-8 ends the link with 1007', async () => {
  const alice = await person();
  alice.socket.send(Buffer.from([0x22, 0xff, 0xfe, 0x22]), { binary: false });
  assert.equal((await alice.end()).code, 1007);
});

check('a message above the limit ends the link with 1009', async () => {
  const early = raw();
  await early.opened;
  early.write(JSON.stringify({ type: 'hello', request: 1, token: 'x'.repeat(7_000) }));
  assert.equal((await early.end()).code, 1009);
  const alice = await person();
  const limit = Math.ceil(alice.welcome.max_body / 3) * 4 + 65_536; // room for base64
  alice.write(`"${'x'.repeat(limit)}"`);
  assert.equal((await alice.end()).code, 1009);
});

check('bye is answered and closes', async () => {
  const alice = await person();
  const goodbye = await alice.ask('bye');
  assert.deepEqual([goodbye.type, goodbye.reason, goodbye.reconnect], ['goodbye', 'bye', false]);
  assert.equal((await alice.end()).code, 1000);
});

check('what was acknowledged is there after kill -9', async () => {
  const alice = await person('survivor', 'd');
  const conversation = await group(alice);
  const acked = [];
  const sending = (async () => {
    for (let number = 1; number <= 5_000; number += 1) {
      const ack = await Promise.race([
        send(alice, conversation, number, `n${number}`),
        alice.closed,
      ]);
      if (ack.type !== 'ack') return;
      acked.push([ack.seq, `n${number}`]);
    }
  })();
  await pause(700);
  await server.kill();
  await Promise.race([sending, alice.closed]);
  await server.start();
  assert.ok(acked.length > 10, `${acked.length} acks`);
  const again = await person('survivor', 'd');
  const stored = new Map();
  for (let from = 1, more = true; more;) {
    const page = await again.ask('history', { conversation, from, backward: false, limit: 256 });
    for (const event of page.events) stored.set(event.seq, event.text);
    from += page.events.length;
    more = page.more;
  }
  for (const [seq, text] of acked) assert.equal(stored.get(seq), text, `seq ${seq}`);
  assert.ok(stored.size <= acked.length + 2, `${stored.size} stored, ${acked.length} acked`);
  const next = acked.length + 1;
  const retried = await send(again, conversation, next, `n${next}`);
  assert.equal(retried.type, 'ack', JSON.stringify(retried));
});

await server.start();
const code = await run_checks({
  only: argument('only', ''),
  on_failure: async () => console.log(server.output.slice(-2_000)),
});
for (const client of clients) client.close();
await server.stop();
process.exit(code);
