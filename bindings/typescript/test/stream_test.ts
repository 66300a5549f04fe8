// stream_test.ts: cursors, the gap rule, resume answers, subscriptions, what is stored.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ParleyError } from '../src/errors.js';
import type { Answer } from '../src/operations.js';
import type { ListEntry } from '../src/types.js';
import {
  Harness,
  at,
  at_five,
  entry,
  epoch,
  events,
  id,
  message,
  only,
  resume,
  subscribes,
} from './harness.js';

test('the 64 most recent direct and group conversations are full, others and channels heads', () => {
  const entries: ListEntry[] = [];
  for (let n = 1; n <= 66; n += 1) entries.push(entry(n, { kind: n % 2 ? 'group' : 'direct' }));
  entries.push(entry(67, { kind: 'channel', lastActivity: 99_999 }));
  const harness = new Harness();
  harness.start();
  const items = subscribes(harness.welcome(entries))[0]!.split(' ').slice(1);
  assert.equal(items.length, 67);
  const heads = items.filter((item) => item.includes(':heads'));
  assert.deepEqual(heads, ['c41:heads@head', 'c42:heads@head', 'c43:heads@head']);
});

test('more than 256 conversations are subscribed in several requests', () => {
  const entries: ListEntry[] = [];
  for (let n = 1; n <= 300; n += 1) entries.push(entry(n));
  const harness = new Harness();
  harness.start();
  const sizes = subscribes(harness.welcome(entries)).map((line) => line.split(' ').length - 1);
  assert.deepEqual(sizes, [256, 44]);
});

test('an event is applied only if it follows the cursor', () => {
  const gap = ['subscribe c1:full@5'];
  const table: [string, Answer, string[], string[]][] = [
    ['next', events(1, 6, 6), ['events 6'], []],
    ['several', events(1, 6, 8), ['events 6,7,8'], []],
    ['overlap', events(1, 4, 7), ['events 6,7'], []],
    ['known', events(1, 4, 5), [], []],
    ['gap', events(1, 7, 8), [], gap],
    ['other epoch', { ...events(1, 6, 6), epoch: 'd'.repeat(32) } as Answer, [], gap],
  ];
  for (const [name, push, applied, asked] of table) {
    const lines = at_five().push(push);
    assert.deepEqual(only(lines, 'events'), applied, name);
    assert.deepEqual(subscribes(lines), asked, name);
  }
});

test('a hidden event moves the cursor and shows nothing', () => {
  const harness = at_five();
  harness.push(events(1, 6, 6));
  const before = harness.core.view(id(1))!;
  const hidden = { kind: 'hidden', sender: '', id: '0', time: 0, text: '', ordinal: 6 };
  assert.deepEqual(only(harness.push(events(1, 7, 8, hidden)), 'events'), ['events 7,8']);
  const after = harness.core.view(id(1))!;
  assert.equal(after.headSeq, 8);
  assert.equal(after.unread, before.unread);
  assert.deepEqual(after.lastEvent, before.lastEvent);
  assert.equal(after.lastActivity, before.lastActivity);
  assert.deepEqual(only(harness.push(events(1, 9, 9)), 'events'), ['events 9']); // no gap
});

test('one gap is repaired by one subscribe, and the range that follows is applied', () => {
  const harness = at_five();
  harness.push(events(1, 8, 8));
  const request = harness.last_request;
  assert.deepEqual(subscribes(harness.push(events(1, 9, 9))), []);
  harness.answer(request, { type: 'subscribed', answers: [resume(1, 'range', 9)] });
  assert.deepEqual(only(harness.push(events(1, 6, 9)), 'events'), ['events 6,7,8,9']);
});

test('a subscribe that fails for now is asked again, one that is denied is not', () => {
  const harness = new Harness();
  harness.start();
  harness.welcome([entry(1), entry(2)]);
  const busy = new ParleyError('busy', 'x', { retryAfterMs: 3000 });
  harness.answer(harness.last_request, { type: 'error', error: busy });
  assert.deepEqual(subscribes(harness.after(2999)), []);
  assert.deepEqual(subscribes(harness.after(1)), ['subscribe c1:full@head c2:full@head']);
  const answers = [resume(1, 'denied', 0), resume(2, 'snapshot', 3)];
  harness.answer(harness.last_request, { type: 'subscribed', answers });
  assert.deepEqual(subscribes(harness.after(60_000)), []);
});

test('an answer to a subscribe that was replaced meanwhile is ignored', () => {
  const harness = new Harness();
  harness.start();
  harness.welcome([entry(1, { kind: 'channel', ...at(4) })]);
  const first = harness.last_request;
  harness.feed({ type: 'open', conversation: id(1) });
  const second = harness.last_request;
  harness.answer(first, { type: 'subscribed', answers: [resume(1, 'denied', 0)] });
  harness.answer(second, { type: 'subscribed', answers: [resume(1, 'snapshot', 4)] });
  assert.deepEqual(only(harness.push(events(1, 5, 5)), 'events'), ['events 5']);
});

test('a conversation new in the list is followed from the head that the list told', () => {
  const harness = Harness.ready(entry(1));
  const change = { whole: false, entries: [entry(2, at(1))], removed: [], token: 't2' };
  assert.deepEqual(subscribes(harness.push({ type: 'list', change })), ['subscribe c2:full@1']);
  harness.answer(harness.last_request, { type: 'subscribed', answers: [resume(2, 'range', 2)] });
  assert.deepEqual(only(harness.push(events(2, 2, 2)), 'events'), ['events 2']);
  assert.equal(harness.core.view(id(2))!.lastEvent!.text, 'm2');
});

test('events and cursor are stored in one batch', async () => {
  const harness = at_five();
  const lines = harness.push(events(1, 6, 7));
  assert.deepEqual(only(lines, 'store')[0], 'store c1(cursor=7,from=5,next=1) events(c1:6,7)');
  const [row] = (await harness.storage.load()).conversations;
  assert.deepEqual(row!.cursor, { epoch, seq: 7, mark: 70 });
  assert.deepEqual(
    (await harness.storage.events(id(1), 1, 100, 10)).map((event) => event.seq),
    [5, 6, 7],
  );
});

test('after a restart the stored cursor is presented', async () => {
  const before = at_five();
  const after = new Harness();
  after.start(await before.storage.load());
  assert.deepEqual(subscribes(after.welcome([entry(1, at(9))])), ['subscribe c1:full@5']);
});

test('each resume answer moves the cursor as the contract says', () => {
  const other = 'd'.repeat(32);
  const head = { epoch: other, seq: 3, mark: 33 };
  const table: [string, ReturnType<typeof resume>, string[], string, string[]][] = [
    ['caught_up', resume(1, 'caught_up', 5), [], '5', ['events 6']],
    ['range', resume(1, 'range', 9), [], '5', ['events 6']],
    ['snapshot', resume(1, 'snapshot', 9), ['reset c1 snapshot lost=0'], '9', []],
    [
      'trimmed',
      resume(1, 'trimmed', 90, { floor: 51, floorMark: 77 }),
      ['reset c1 trimmed lost=45'],
      '50',
      [],
    ],
    ['forked', resume(1, 'forked', 3, { head }), ['reset c1 forked lost=2'], '3', []],
    ['ahead', resume(1, 'ahead', 2), ['reset c1 ahead lost=3'], '2', []],
    ['not_member', resume(1, 'not_member', 0, { lastVisible: 4 }), [], '5', ['events 6']],
    ['denied', resume(1, 'denied', 0), [], '5', ['events 6']],
  ];
  for (const [name, answer, reset, cursor, next] of table) {
    const harness = at_five();
    harness.feed({ type: 'closed', code: 1006, reason: '' });
    harness.redial();
    const asked = harness.welcome([entry(1, at(9))]);
    assert.deepEqual(subscribes(asked), ['subscribe c1:full@5'], name);
    const request = Number(/#(\d+) subscribe/.exec(asked.join('\n'))![1]);
    const lines = harness.answer(request, { type: 'subscribed', answers: [answer] });
    assert.ok(lines.includes(`resume ${name}`), `${name} is surfaced`);
    assert.deepEqual(only(lines, 'reset'), reset, name);
    const run = harness.core.stored_run(id(1))!;
    assert.equal(String(run.until - 1), cursor, name);
    assert.deepEqual(only(harness.push(events(1, 6, 6)), 'events'), next, name);
  }
});

test('a reset drops the stored events in the batch that moves the cursor', async () => {
  const harness = at_five();
  harness.push(events(1, 9, 9));
  const lines = harness.answer(harness.last_request, {
    type: 'subscribed',
    answers: [resume(1, 'snapshot', 20)],
  });
  assert.deepEqual(only(lines, 'store'), ['store c1(cursor=20,from=21,next=1) drop(c1)']);
  assert.deepEqual(await harness.storage.events(id(1), 1, 100, 10), []);
});

test('what is stored of one conversation is trimmed to 2,000 events at the start', async () => {
  const before = at_five();
  for (let seq = 6; seq < 2500; seq += 100) before.push(events(1, seq, seq + 99));
  const until = before.core.stored_run(id(1))!.until;
  const after = new Harness();
  const lines = after.start(await before.storage.load());
  assert.equal(after.core.stored_run(id(1))!.from, until - 2000);
  assert.deepEqual(only(lines, 'store').length, 1);
});

test('history that touches the stored run makes it longer, other history does not', () => {
  const page = (first: number, last: number): Answer => {
    const all = [];
    for (let seq = first; seq <= last; seq += 1) all.push(message(seq));
    return {
      type: 'history_page',
      page: { conversation: id(1), epoch, events: all, mark: 0, more: true, floor: 1 },
    };
  };
  const table: [number, number, number][] = [
    [3, 4, 3],
    [2, 6, 2],
    [1, 3, 5],
    [5, 6, 5],
  ];
  for (const [first, last, from] of table) {
    const harness = at_five();
    const operation = {
      type: 'history',
      conversation: id(1),
      from: 0,
      backward: true,
      limit: 9,
    } as const;
    harness.feed({ type: 'request', call: 1, operation });
    assert.ok(
      harness.answer(harness.last_request, page(first, last)).includes('resolve 1 history'),
    );
    assert.deepEqual(
      harness.core.stored_run(id(1)),
      { from, until: 6, visibleFrom: 1 },
      `${first}..${last}`,
    );
  }
});

test('opening makes a channel full from its cursor, closing gives it back', () => {
  const harness = Harness.ready(entry(1, { kind: 'channel', ...at(4) }));
  assert.deepEqual(subscribes(harness.feed({ type: 'open', conversation: id(1) })), [
    'subscribe c1:full@4',
  ]);
  harness.answer(harness.last_request, { type: 'subscribed', answers: [resume(1, 'snapshot', 4)] });
  assert.deepEqual(subscribes(harness.feed({ type: 'open', conversation: id(1) })), []);
  assert.deepEqual(subscribes(harness.feed({ type: 'close', conversation: id(1) })), []);
  assert.deepEqual(subscribes(harness.feed({ type: 'close', conversation: id(1) })), [
    'subscribe c1:heads@head',
  ]);
  assert.deepEqual(subscribes(harness.feed({ type: 'open', conversation: id(1) })), [
    'subscribe c1:full@4',
  ]);
});

test('head_moved at level full asks from the cursor; at heads it asks for the preview', () => {
  const moved: Answer = {
    type: 'head_moved',
    conversation: id(1),
    head: { epoch, seq: 9, mark: 90 },
    headOrdinal: 9,
  };
  assert.deepEqual(subscribes(at_five().push(moved)), ['subscribe c1:full@5']);
  const channel = Harness.ready(entry(1, { kind: 'channel', ...at(4) }));
  assert.match(
    only(channel.push(moved), '#')[0]!,
    /history conversation=c1 from=0 backward=true limit=16/,
  );
  assert.deepEqual(only(channel.push(moved), '#'), [], 'one question at a time');
  const page = { conversation: id(1), epoch, events: [message(9)], mark: 90, more: true, floor: 1 };
  channel.answer(channel.last_request, { type: 'history_page', page });
  assert.equal(channel.core.view(id(1))!.lastEvent!.text, 'm9');
  assert.equal(channel.core.stored_run(id(1)), null, 'the preview moves no cursor');
});

test('what is deleted leaves the device in the batch that tells it', async () => {
  const harness = at_five();
  const lines = harness.push(events(1, 6, 6, { kind: 'deleted', about: 5, text: '' }));
  assert.match(only(lines, 'store')[0]!, /events\(c1:6\) deleted\(c1:5\)$/);
});
