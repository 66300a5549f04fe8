// storage_test.ts: what every storage must do, run against memory and IndexedDB.
import 'fake-indexeddb/auto';
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { IndexedDbStorage } from '../src/indexeddb_storage.js';
import { MemoryStorage } from '../src/memory_storage.js';
import type { ClientStorage, StoredConversation } from '../src/storage.js';
import type { OutboxItem } from '../src/types.js';
import { entry, epoch, id, message } from './harness.js';

let databases = 0;
const storages: [string, () => Promise<ClientStorage>][] = [
  ['memory', async () => new MemoryStorage()],
  ['indexeddb', () => IndexedDbStorage.open(`test-${(databases += 1)}`)],
];

function row(n: number, seq: number): StoredConversation {
  const cursor = { epoch, seq, mark: seq };
  return {
    conversation: id(n),
    entry: entry(n),
    cursor,
    from: 1,
    nextNumber: 1,
    received: 0,
    read: 0,
  };
}

function item(n: number, local: string): OutboxItem {
  return {
    conversation: id(n),
    local,
    number: 1,
    random: '5',
    contentType: 'text/plain',
    text: 'x',
    replyTo: 0,
    createdAt: 1,
    state: 'pending',
    renumbered: false,
  };
}

const seqs = async (
  storage: ClientStorage,
  n: number,
  from = 0,
  before = 1000,
  limit = 1000,
): Promise<number[]> =>
  (await storage.events(id(n), from, before, limit)).map((event) => event.seq);

for (const [name, open] of storages) {
  test(`${name}: a new storage is empty`, async () => {
    const storage = await open();
    assert.deepEqual(await storage.load(), {
      meta: null,
      conversations: [],
      outbox: [],
      names: [],
    });
    assert.deepEqual(await seqs(storage, 1), []);
    storage.close();
  });

  test(`${name}: of a deleted message and its edits no content stays`, async () => {
    const storage = await open();
    const edit = message(3, { kind: 'edited', about: 2, text: 'new' });
    const other = message(4, { kind: 'edited', about: 1, text: 'other' });
    const gone = message(5, { kind: 'deleted', about: 2, text: '' });
    await storage.commit({
      conversations: [row(1, 5)],
      events: [{ conversation: id(1), events: [message(1), message(2), edit, other, gone] }],
      deletedMessages: [{ conversation: id(1), seq: 2, changed: 5 }],
    });
    const stored = await storage.events(id(1), 1, 6, 9);
    assert.deepEqual(
      stored.map(({ text, deleted, changed }) => `${text} ${deleted} ${changed}`),
      ['m1 false 0', ' true 5', ' true 0', 'other false 0', ' false 0'],
    );
    storage.close();
  });

  test(`${name}: of what the user deleted for itself a stand-in stays`, async () => {
    const storage = await open();
    const edit = message(3, { kind: 'edited', about: 2, text: 'new' });
    const other = message(4, { kind: 'edited', about: 1, text: 'other' });
    await storage.commit({
      conversations: [row(1, 4)],
      events: [{ conversation: id(1), events: [message(1), message(2), edit, other] }],
    });
    await storage.commit({ deletedForMe: [{ conversation: id(1), seqs: [2] }] });
    const stored = await storage.events(id(1), 1, 5, 9);
    assert.deepEqual(
      stored.map(({ seq, ordinal, kind, text, about }) => [seq, ordinal, kind, text, about].join(' ')),
      ['1 1 message m1 0', '2 2 hidden  0', '3 3 hidden  0', '4 4 edited other 1'],
    );
    storage.close();
  });

  test(`${name}: what was committed is loaded`, async () => {
    const storage = await open();
    const meta = { device: 'd', subject: 'alice', syncToken: 't' };
    await storage.commit({
      meta,
      conversations: [row(1, 2)],
      outbox: [item(1, 'a')],
      names: [{ user: '42', subject: 'bob' }],
      events: [{ conversation: id(1), events: [message(1), message(2)] }],
    });
    assert.deepEqual(await storage.load(), {
      meta,
      conversations: [row(1, 2)],
      outbox: [item(1, 'a')],
      names: [{ user: '42', subject: 'bob' }],
    });
    assert.deepEqual(await storage.events(id(1), 1, 3, 10), [message(1), message(2)]);
    storage.close();
  });

  test(`${name}: events are ranges, the last of them when limited, of one conversation`, async () => {
    const storage = await open();
    const run = (n: number, ...all: number[]) => ({
      conversation: id(n),
      events: all.map((seq) => message(seq)),
    });
    await storage.commit({ events: [run(1, 1, 2, 3, 10, 11), run(2, 7)] });
    assert.deepEqual(await seqs(storage, 1), [1, 2, 3, 10, 11]);
    assert.deepEqual(await seqs(storage, 1, 2, 11), [2, 3, 10]);
    assert.deepEqual(await seqs(storage, 1, 1, 4, 2), [2, 3]);
    assert.deepEqual(await seqs(storage, 1, 5, 5), []);
    assert.deepEqual(await seqs(storage, 2), [7]);
    storage.close();
  });

  test(`${name}: drops come before the events of the same batch`, async () => {
    const storage = await open();
    const run = (...all: number[]) => ({
      conversation: id(1),
      events: all.map((seq) => message(seq)),
    });
    await storage.commit({ events: [run(1, 2, 3)] });
    await storage.commit({ dropEvents: [{ conversation: id(1), below: 3 }] });
    assert.deepEqual(await seqs(storage, 1), [3]);
    await storage.commit({ dropEvents: [{ conversation: id(1) }], events: [run(9)] });
    assert.deepEqual(await seqs(storage, 1), [9]);
    storage.close();
  });

  test(`${name}: a removed conversation takes its events and outbox along, others stay`, async () => {
    const storage = await open();
    const events = [1, 2].map((n) => ({ conversation: id(n), events: [message(1)] }));
    await storage.commit({
      conversations: [row(1, 1), row(2, 1)],
      outbox: [item(1, 'a'), item(2, 'b')],
      events,
    });
    await storage.commit({ removedConversations: [id(1)] });
    const state = await storage.load();
    assert.deepEqual([state.conversations, state.outbox], [[row(2, 1)], [item(2, 'b')]]);
    assert.deepEqual([await seqs(storage, 1), await seqs(storage, 2)], [[], [1]]);
    storage.close();
  });

  test(`${name}: outbox items are replaced and removed by their local name`, async () => {
    const storage = await open();
    await storage.commit({ outbox: [item(1, 'a'), item(1, 'b')] });
    await storage.commit({
      outbox: [{ ...item(1, 'a'), number: 7 }],
      removedOutbox: [{ conversation: id(1), local: 'b' }],
    });
    assert.deepEqual((await storage.load()).outbox, [{ ...item(1, 'a'), number: 7 }]);
    storage.close();
  });

  test(`${name}: clear forgets everything`, async () => {
    const storage = await open();
    await storage.commit({
      meta: { device: 'd', subject: 's', syncToken: 't' },
      conversations: [row(1, 1)],
    });
    await storage.clear();
    assert.deepEqual((await storage.load()).meta, null);
    storage.close();
  });
}

test('indexeddb: a batch that cannot be written is not applied in part', async () => {
  const storage = await IndexedDbStorage.open('broken');
  const broken = {
    ...row(2, 1),
    entry: { ...entry(2), title: (() => 'no data') as unknown as string },
  };
  await assert.rejects(storage.commit({ conversations: [row(1, 1), broken] }));
  assert.deepEqual((await storage.load()).conversations, []);
  storage.close();
});

test('indexeddb: the data is there after the database was closed', async () => {
  const before = await IndexedDbStorage.open('again');
  await before.commit({ conversations: [row(1, 1)] });
  before.close();
  const after = await IndexedDbStorage.open('again');
  assert.deepEqual((await after.load()).conversations, [row(1, 1)]);
  after.close();
});

test('indexeddb: a newer version in another tab is let in, and this one says so', async () => {
  const storage = await IndexedDbStorage.open('upgraded');
  await storage.commit({ conversations: [row(1, 1)] });
  const newer = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open('upgraded', 2);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const why = { code: 'store_failed', message: /a newer page took the database/ };
  await assert.rejects(storage.load(), why);
  await assert.rejects(storage.commit({ conversations: [row(2, 1)] }), why);
  newer.close();
});

/** A factory whose only request does what the test says. */
function scripted(): { factory: IDBFactory; request: IDBOpenDBRequest; closed: () => boolean } {
  let closed = false;
  const request = {
    result: { close: () => (closed = true) },
    error: new Error('it is of a newer version'),
  } as unknown as IDBOpenDBRequest;
  const factory = { open: () => request } as unknown as IDBFactory;
  return { factory, request, closed: () => closed };
}
const event = {} as IDBVersionChangeEvent;

/** Timers that run when the test says that so many milliseconds are over. */
function held_timers(t: TestContext): (ms: number) => void {
  const { setTimeout: start, clearTimeout: stop } = globalThis;
  const due = new Map<number, { at: number; run: () => void }>();
  let now = 0;
  let last = 0;
  globalThis.setTimeout = ((run: () => void, ms: number) => {
    due.set((last += 1), { at: now + ms, run });
    return last;
  }) as unknown as typeof setTimeout;
  globalThis.clearTimeout = ((id: number) => due.delete(id)) as unknown as typeof clearTimeout;
  t.after(() => Object.assign(globalThis, { setTimeout: start, clearTimeout: stop }));
  return (ms) => {
    now += ms;
    for (const [id, timer] of [...due]) {
      if (timer.at <= now && due.delete(id)) timer.run();
    }
  };
}

test('indexeddb: another tab that does not let go is told of, once it had its time', async (t) => {
  const pass = held_timers(t);
  const { factory, request, closed } = scripted();
  const opening = IndexedDbStorage.open('blocked', factory);
  request.onblocked!(event);
  pass(4_999);
  pass(1);
  await assert.rejects(opening, { code: 'unavailable', retryable: true, message: /another tab/ });
  request.onsuccess!(event); // it let go in the end: nobody waits for it any more
  assert.equal(closed(), true);
});

test('indexeddb: another tab that lets go in time holds nothing up', async (t) => {
  const pass = held_timers(t);
  const { factory, request, closed } = scripted();
  const opening = IndexedDbStorage.open('blocked', factory);
  request.onblocked!(event);
  pass(4_999);
  request.onsuccess!(event);
  pass(10_000);
  await opening;
  assert.equal(closed(), false);
});

test('indexeddb: a database of a newer version is an error that says so', async () => {
  const { factory, request } = scripted();
  const opening = IndexedDbStorage.open('newer', factory);
  request.onerror!(event);
  await assert.rejects(opening, { code: 'store_failed', message: /it is of a newer version/ });
});
