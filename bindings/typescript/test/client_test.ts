// client_test.ts: the whole client over npm ws against the mock server: send, reconnect, restart,
// history, listeners.
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import {
  MemoryStorage,
  ParleyClient,
  type ChatEvent,
  type ClientStorage,
  type ScheduledChange,
  type WebSocketConstructor,
} from '../src/index.js';
import { MockServer } from './mock_server.js';

(globalThis as { crypto?: unknown }).crypto ??= webcrypto; // Node 18 has it under another name

async function until(what: string, condition: () => boolean): Promise<void> {
  const give_up = Date.now() + 5_000;
  while (!condition()) {
    if (Date.now() > give_up) throw new Error(`not within 5 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function client(
  port: number,
  name: string,
  storage: ClientStorage = new MemoryStorage(),
): Promise<ParleyClient> {
  const made = new ParleyClient({
    url: `ws://127.0.0.1:${port}/chat`,
    token: async () => name,
    storage,
    WebSocket: WebSocket as unknown as WebSocketConstructor,
  });
  await made.start();
  await until(`${name} is ready`, () => made.state === 'ready');
  return made;
}

test('two clients chat', async () => {
  const server = new MockServer();
  const port = await server.listen();
  const [alice, bob] = [await client(port, 'alice'), await client(port, 'bob')];
  const texts: string[] = [];
  bob.on('events', ({ events }) => {
    texts.push(...events.filter((event) => event.kind === 'message').map((event) => event.text));
  });
  const chat = await alice.direct('bob');
  await until('both are subscribed', () =>
    [...server.sessions].every((session) => session.levels.get(chat.conversation) === 'full'),
  );
  const acks = await Promise.all(
    ['one', 'two', 'three'].map((text) => alice.send(chat.conversation, text)),
  );
  assert.deepEqual(
    acks.map((ack) => ack.seq),
    [2, 3, 4],
  );
  await until('bob has them', () => texts.length === 3);
  assert.deepEqual(texts, ['one', 'two', 'three']);
  assert.equal(bob.conversation(chat.conversation)!.unread, 3);
  bob.markRead(chat.conversation, 4);
  await until('alice sees the receipt', () =>
    alice
      .receipts(chat.conversation)
      .some((receipt) => receipt.user === bob.self!.user && receipt.read === 4),
  );
  assert.equal(alice.name(bob.self!.user), 'bob');
  await Promise.all([alice.stop(), bob.stop()]);
  await server.close();
});

test('messages sent without a link arrive once, in order, after it is back', async () => {
  const server = new MockServer();
  const port = await server.listen();
  const alice = await client(port, 'alice');
  const group = await alice.create({ kind: 'group', title: 'g' });
  server.cut();
  await until('the loss is noticed', () => alice.state !== 'ready');
  const acks = await Promise.all(
    ['a', 'b', 'c'].map((text) => alice.send(group.conversation, text)),
  );
  assert.deepEqual(
    acks.map((ack) => ack.seq),
    [2, 3, 4],
  );
  const stored = server.conversations.get(group.conversation)!.events.map((event) => event['text']);
  assert.deepEqual(stored, [undefined, 'a', 'b', 'c']);
  await alice.stop();
  await server.close();
});

test('a restarted client gets what it missed, and its own storage answers history', async () => {
  const server = new MockServer();
  const port = await server.listen();
  const storage = new MemoryStorage();
  const before = await client(port, 'alice', storage);
  const { conversation } = await before.create({ kind: 'group', title: 'g' });
  await before.send(conversation, 'first');
  await until(
    'the own event came',
    () => before.conversation(conversation)!.lastEvent?.text === 'first',
  );
  await before.stop();
  server.say(server.conversations.get(conversation)!, server.user('bob'), 'missed');
  const after = await client(port, 'alice', storage);
  await until(
    'the missed one came',
    () => after.conversation(conversation)!.lastEvent?.text === 'missed',
  );
  const { events, more } = await after.history(conversation, { limit: 10 });
  assert.deepEqual(
    events.map((event: ChatEvent) => event.seq),
    [1, 2, 3],
  );
  assert.equal(more, false);
  const asked = server.seen.filter((frame) => frame['type'] === 'history').length;
  await after.history(conversation, { limit: 10 });
  assert.equal(
    server.seen.filter((frame) => frame['type'] === 'history').length,
    asked,
    'served locally',
  );
  await after.stop();
  await server.close();
});

test('history is paged forward, too, from the device where it has it', async () => {
  const server = new MockServer();
  const port = await server.listen();
  const alice = await client(port, 'alice');
  const { conversation } = await alice.create({ kind: 'group', title: 'g' });
  const group = server.conversations.get(conversation)!;
  for (const text of ['a', 'b', 'c', 'd', 'e']) server.say(group, server.user('bob'), text);
  const texts = async (who: ParleyClient, after: number, limit: number): Promise<string> => {
    const { events, more } = await who.history(conversation, { after, limit });
    return events.map((event) => event.text).join('') + (more ? '+' : '');
  };
  await until('all came', () => alice.conversation(conversation)!.lastEvent?.text === 'e');
  const asked = (): number => server.seen.filter((frame) => frame['type'] === 'history').length;
  const before = asked();
  assert.equal(await texts(alice, 1, 2), 'ab+');
  assert.equal(await texts(alice, 3, 3), 'cde');
  assert.equal(asked(), before, 'served locally');
  assert.equal(await texts(alice, 5, 50), 'e', 'the engine knows where the end is');
  assert.equal(await texts(alice, 6, 50), '');
  assert.equal(asked(), before + 2);
  await alice.stop();
  await server.close();
});

test('what a user sets about a conversation comes to all own devices, and stays', async () => {
  const server = new MockServer();
  const port = await server.listen();
  const storage = new MemoryStorage();
  const [alice, phone, bob] = [
    await client(port, 'alice', storage),
    await client(port, 'alice'),
    await client(port, 'bob'),
  ];
  const { conversation } = await alice.direct('bob');
  const set = (one: ParleyClient): unknown[] => {
    const { pinned, archived, markedUnread, mutedUntil, draft, drafted } =
      one.conversation(conversation)!;
    return [pinned, archived, markedUnread, mutedUntil, draft, drafted > 0];
  };
  await alice.setList(conversation, { pinned: true, mutedUntil: 77, draft: 'dear bob' });
  await until('the phone knows', () => phone.conversation(conversation)?.pinned === true);
  assert.deepEqual(set(phone), [true, false, false, 77, 'dear bob', true]);
  await phone.setList(conversation, { markedUnread: true, archived: true, draft: '' });
  await until('alice knows', () => alice.conversation(conversation)!.archived);
  assert.deepEqual(set(alice), [true, true, true, 77, '', false]);
  assert.deepEqual(set(bob), [false, false, false, 0, '', false], 'nobody else sees it');
  await alice.stop();
  const { conversations } = await storage.load();
  assert.equal(conversations[0]!.entry.mutedUntil, 77);
  await Promise.all([phone.stop(), bob.stop()]);
  await server.close();
});

test('messages to be sent later are the same on every device', async () => {
  const server = new MockServer();
  const port = await server.listen();
  const [alice, phone] = [await client(port, 'alice'), await client(port, 'alice')];
  const { conversation } = await alice.direct('bob');
  const told: ScheduledChange[] = [];
  phone.on('scheduled', (change) => told.push(change));
  const first = await alice.schedule(conversation, 'good morning', 5000, { replyTo: 3 });
  assert.deepEqual(
    [first.conversation, first.at, first.text, first.replyTo, first.failed],
    [conversation, 5000, 'good morning', 3, 0],
  );
  const again = await phone.schedule(conversation, 'good day', 6000, { replaces: first.id });
  assert.equal(again.id, first.id);
  assert.deepEqual((await alice.scheduled()).map((one) => [one.at, one.text]), [[6000, 'good day']]);
  await alice.unschedule(first.id);
  await until('the phone knows', () => told.length === 3);
  assert.deepEqual(told[2]!.removed, [first.id]);
  assert.deepEqual(await phone.scheduled(), []);
  await assert.rejects(alice.unschedule(first.id), { code: 'denied' });
  await Promise.all([alice.stop(), phone.stop()]);
  await server.close();
});

test('a message grows before the eyes of others, and is stored once', async () => {
  const server = new MockServer();
  const port = await server.listen();
  const [bot, alice] = await Promise.all([client(port, 'bot'), client(port, 'alice')]);
  const { conversation } = await bot.create({ kind: 'group', title: 'g', members: ['alice'] });
  await until('alice knows it', () => alice.conversation(conversation) !== null);
  alice.open(conversation);
  const seen: string[] = [];
  alice.on('stream', ({ text, ended }) => seen.push(ended ? 'ended' : text));
  const events: ChatEvent[] = [];
  alice.on('events', (told) => events.push(...told.events));
  await until('she looks', () => server.looks('alice', conversation));
  const stream = await bot.stream(conversation);
  stream.append('Hel');
  await until('it begins', () => seen.length > 0);
  stream.append('lo');
  await until('it grows', () => seen[seen.length - 1] === 'Hello');
  const ack = await stream.finish();
  await until('it ended', () => seen[seen.length - 1] === 'ended');
  await until('it is stored', () => events.some((event) => event.seq === ack.seq));
  const stored = events.find((event) => event.seq === ack.seq)!;
  assert.deepEqual([stored.text, stored.stream], ['Hello', stream.id]);
  const other = await bot.stream(conversation);
  other.append('never mind');
  await until('it grows', () => seen[seen.length - 1] === 'never mind');
  await other.cancel();
  await until('it is gone', () => seen[seen.length - 1] === 'ended');
  await Promise.all([bot.stop(), alice.stop()]);
  await server.close();
});

test('a listener that throws does not stop the client', async () => {
  const server = new MockServer();
  const port = await server.listen();
  const alice = await client(port, 'alice');
  const host = globalThis as { reportError?: (error: unknown) => void };
  const thrown = new Promise<unknown>((resolve) => {
    host.reportError = resolve;
  });
  const group = await alice.create({ kind: 'group', title: 'g' });
  const off = alice.on('outbox', () => {
    throw new Error('a bug of the host');
  });
  const ack = await alice.send(group.conversation, 'x').finally(off);
  assert.equal(ack.seq, 2);
  assert.equal(((await thrown) as Error).message, 'a bug of the host');
  delete host.reportError;
  await alice.stop();
  await server.close();
});

test('a refused token stops the client with the reason', async () => {
  const server = new MockServer();
  const port = await server.listen();
  const errors: string[] = [];
  const alice = new ParleyClient({
    url: `ws://127.0.0.1:${port}/`,
    token: '',
    WebSocket: WebSocket as unknown as WebSocketConstructor,
  });
  alice.on('state', ({ error }) => {
    if (error) errors.push(error.code);
  });
  await alice.start();
  await until('it stopped', () => alice.state === 'stopped');
  assert.deepEqual(errors, ['unauthenticated']);
  await assert.rejects(alice.direct('bob'), { code: 'session_closed' });
  await alice.stop();
  await server.close();
});
