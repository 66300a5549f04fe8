// first_look_test.ts: the program of the README's first look, against the mock server.
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import {
  MemoryStorage,
  MessageFold,
  ParleyClient,
  type WebSocketConstructor,
} from '../src/index.js';
import { MockServer } from './mock_server.js';

(globalThis as { crypto?: unknown }).crypto ??= webcrypto; // Node 18 has it under another name

test('the first look of the README prints what it says', async () => {
  (globalThis as { WebSocket?: unknown }).WebSocket ??= WebSocket as unknown as WebSocketConstructor;
  const server = new MockServer();
  const url = `ws://127.0.0.1:${await server.listen()}/chat`;
  const lines: unknown[][] = [];
  const console = { log: (...line: unknown[]) => lines.push(line) };

  //! [client]
  const client = new ParleyClient({
    url,
    token: () => 'alice', // or fetch it: asked before every dial
    storage: new MemoryStorage(), // in a browser: await IndexedDbStorage.open('parley-alice')
  });
  client.on('state', ({ state, error }) => console.log('link:', state, error?.message ?? ''));
  await client.start(); // resolves before there is a link: calls wait for one

  const room = await client.create({ kind: 'group', title: 'Lunch', members: ['bob'] });
  const fold = new MessageFold(client.self!.user); // messages as they stand
  client.on('events', ({ conversation, events }) => {
    if (conversation !== room.conversation) return;
    fold.take(events);
    for (const event of events)
      if (event.kind === 'message') console.log(event.seq, event.text);
  });
  client.open(room.conversation); // on screen: without it a channel is silent

  const page = await client.history(room.conversation); // what was said before, 50 events at most
  fold.take(page.events);
  const ack = await client.send(room.conversation, 'soup?'); // stored; in `outbox` until then
  client.markRead(room.conversation, ack.seq);
  await client.react(room.conversation, ack.seq, '👍');
  //! [client]

  const give_up = Date.now() + 5_000;
  const reactions = (): unknown => fold.get(ack.seq)?.reactions;
  while (JSON.stringify(reactions() ?? []) === '[]' && Date.now() < give_up)
    await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(
    lines.filter(([first]) => first === ack.seq),
    [[ack.seq, 'soup?']],
  );
  assert.equal(fold.get(ack.seq)?.reactions[0]?.key, '👍');
  assert.equal(fold.get(ack.seq)?.reactions[0]?.mine, true);
  await client.stop();
  await server.close();
});
