// unread_test.ts: what is unread, and mentions among it; receipts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from '../src/operations.js';
import type { ChatEvent, ListEntry } from '../src/types.js';
import {
  Harness,
  at,
  at_five,
  bob,
  entry,
  epoch,
  events,
  id,
  me,
  message,
  only,
  resume,
} from './harness.js';

const marks = (lines: string[]): string[] => lines.filter((line) => line.includes(' mark_read '));

test('what not everybody sees is not counted, nor is its deletion', () => {
  const harness = at_five();
  const before = harness.core.view(id(1))!.unread;
  const question = { audience: 2, ordinal: 5, text: 'only for moderators' };
  harness.push(events(1, 6, 6, question));
  const view = harness.core.view(id(1))!;
  assert.equal(view.unread, before);
  assert.equal(view.lastEvent!.text, 'only for moderators');
  harness.push(events(1, 7, 7, { kind: 'deleted', about: 6, audience: 2, ordinal: 5 }));
  assert.equal(harness.core.view(id(1))!.unread, before);
});

test('unread is a function of ordinals', () => {
  const line = { ...at(10), read: 6, received: 10, unread: 3 };
  const unread = (harness: Harness): number => harness.core.view(id(1))!.unread;
  const own: Answer = events(1, 12, 12, { sender: me });
  const table: [string, (harness: Harness) => void, number][] = [
    ['as the list says', () => undefined, 3],
    ['one more', (h) => h.push(events(1, 11, 11)), 4],
    ['not countable', (h) => h.push(events(1, 11, 11, { kind: 'joined', ordinal: 10 })), 3],
    ['own message', (h) => [h.push(events(1, 11, 11)), h.push(own)], 0],
    [
      'read in part',
      (h) => [h.push(events(1, 11, 13)), h.feed({ type: 'read', conversation: id(1), seq: 12 })],
      1,
    ],
    ['read all', (h) => h.feed({ type: 'read', conversation: id(1), seq: 10 }), 0],
    ['read beyond the head', (h) => h.feed({ type: 'read', conversation: id(1), seq: 99 }), 0],
    ['read backward', (h) => h.feed({ type: 'read', conversation: id(1), seq: 2 }), 3],
    [
      'read on another device',
      (h) =>
        h.push({
          type: 'receipts',
          conversation: id(1),
          receipts: [{ user: me, received: 10, read: 10 }],
        }),
      0,
    ],
    [
      'receipt of an own message before its event',
      (h) => [
        h.push(events(1, 11, 11)),
        h.push({
          type: 'receipts',
          conversation: id(1),
          receipts: [{ user: me, received: 12, read: 12 }],
        }),
        h.push(own),
      ],
      0,
    ],
    [
      'head moved',
      (h) =>
        h.push({
          type: 'head_moved',
          conversation: id(1),
          head: { epoch, seq: 12, mark: 1 },
          headOrdinal: 12,
        }),
      5,
    ],
  ];
  for (const [name, act, expected] of table) {
    const harness = Harness.ready(entry(1, line));
    act(harness);
    assert.equal(unread(harness), expected, name);
  }
});

test('a read position whose ordinal is not known here is asked for', () => {
  const harness = Harness.ready(entry(1, { ...at(100), read: 10, received: 10, unread: 90 }));
  const lines = harness.feed({ type: 'read', conversation: id(1), seq: 50 });
  assert.match(only(lines, '#')[0]!, /history conversation=c1 from=51 backward=true limit=1/);
  const page = { conversation: id(1), epoch, events: [message(50)], mark: 0, more: true, floor: 1 };
  harness.answer(harness.last_request, { type: 'history_page', page });
  assert.equal(harness.core.view(id(1))!.unread, 50);
});

test('receipts go out once per 200 ms, received only after the events are stored', () => {
  const harness = Harness.ready(entry(1, at(4)));
  harness.slow_storage = true;
  harness.push(events(1, 5, 5));
  harness.push(events(1, 6, 6));
  assert.deepEqual(marks(harness.after(1000)), []);
  harness.settle();
  harness.feed({ type: 'read', conversation: id(1), seq: 5 });
  assert.deepEqual(marks(harness.after(199)), []);
  const lines = marks(harness.after(1));
  assert.deepEqual(
    lines.map((line) => line.replace(/^#\d+ /, '')),
    ['mark_read conversation=c1 received=6 read=5'],
  );
  harness.answer(harness.last_request, { type: 'done' });
  harness.feed({ type: 'read', conversation: id(1), seq: 3 });
  assert.deepEqual(marks(harness.after(1000)), []);
});

test('a read position reached offline is sent after the welcome', async () => {
  const before = Harness.ready(entry(1, at(4)));
  before.feed({ type: 'closed', code: 1006, reason: '' });
  before.feed({ type: 'read', conversation: id(1), seq: 4 });
  const after = new Harness();
  after.start(await before.storage.load());
  const lines = after.welcome([entry(1, at(4))]);
  assert.ok(
    lines.some((line) => line.endsWith('mark_read conversation=c1 received=4 read=4')),
    lines.join('\n'),
  );
});

test('a position that the engine lost with a crash is sent again', () => {
  const harness = Harness.ready(entry(1, at(4)));
  harness.push(events(1, 5, 5, { sender: me }));
  harness.feed({ type: 'closed', code: 1006, reason: '' });
  harness.after(60_000);
  const line = entry(1, { ...at(5), read: 0, received: 0, unread: 5 });
  const lines = marks(harness.welcome([line]));
  assert.match(lines.join('\n'), /mark_read conversation=c1 received=5 read=5$/);
  assert.equal(harness.core.view(id(1))!.unread, 0);
  harness.answer(harness.last_request, { type: 'done' });
  assert.deepEqual(marks(harness.after(1000)), []);
});

test('own messages need no receipt of their own', () => {
  const harness = Harness.ready(entry(1, at(4)));
  harness.push(events(1, 5, 5, { sender: me }));
  assert.deepEqual(marks(harness.after(1000)), []);
});

test('receipts of others never go back', () => {
  const harness = Harness.ready(entry(1, at(9)));
  const push = (received: number, read: number): string[] =>
    harness.push({
      type: 'receipts',
      conversation: id(1),
      receipts: [{ user: bob, received, read }],
    });
  assert.deepEqual(push(5, 3), ['receipts']);
  assert.deepEqual(push(4, 2), []);
  assert.deepEqual(push(4, 4), ['receipts']);
  assert.deepEqual(harness.core.receipts(id(1)), [{ user: bob, received: 5, read: 4 }]);
});

test('a deleted message is taken off unread once', () => {
  const line = { ...at(10), read: 6, received: 10, unread: 3 };
  const unread = (harness: Harness): number => harness.core.view(id(1))!.unread;
  const deletion = (seq: number, about: number): Answer =>
    events(1, seq, seq, { kind: 'deleted', about, aboutOrdinal: about, ordinal: 10 });
  const resubscribe = (h: Harness): void => {
    h.push(events(1, 15, 15)); // a gap
    const answer = resume(1, 'range', 11, { headOrdinal: 10 });
    h.answer(h.last_request, { type: 'subscribed', answers: [answer] });
  };
  const table: [string, (harness: Harness) => void, number][] = [
    ['unread', (h) => h.push(deletion(11, 9)), 2],
    ['read already', (h) => h.push(deletion(11, 5)), 3],
    ['twice', (h) => [h.push(deletion(11, 9)), h.push(deletion(12, 9))], 2],
    ['told again', (h) => [h.push(deletion(11, 9)), resubscribe(h), h.push(deletion(11, 9))], 2],
    [
      'the list knows it',
      (h) => [
        h.push(deletion(11, 9)),
        h.push({
          type: 'list',
          change: {
            whole: false,
            entries: [entry(1, { ...line, head: { epoch, seq: 11, mark: 1 }, unread: 2 })],
            removed: [],
            token: 't',
          },
        }),
      ],
      2,
    ],
    [
      'the list is older',
      (h) => [
        h.push(deletion(11, 9)),
        h.push({
          type: 'list',
          change: { whole: false, entries: [entry(1, line)], removed: [], token: 't' },
        }),
      ],
      2,
    ],
    [
      'a tombstone in history',
      (h) => {
        const operation = {
          type: 'history',
          conversation: id(1),
          from: 0,
          backward: true,
        } as const;
        h.feed({ type: 'request', call: 1, operation: { ...operation, limit: 9 } });
        const page = {
          conversation: id(1),
          epoch,
          events: [message(9, { deleted: true, changed: 10, text: '' })],
          mark: 0,
          more: true,
          floor: 1,
        };
        h.answer(h.last_request, { type: 'history_page', page });
      },
      3,
    ],
    [
      'read in part afterwards',
      (h) => [
        h.push(events(1, 11, 13)),
        h.push(events(1, 14, 14, { kind: 'deleted', about: 13, ordinal: 13 })),
        h.feed({ type: 'read', conversation: id(1), seq: 11 }),
      ],
      1,
    ],
    [
      'read all afterwards',
      (h) => [h.push(deletion(11, 9)), h.feed({ type: 'read', conversation: id(1), seq: 11 })],
      0,
    ],
  ];
  for (const [name, act, expected] of table) {
    const harness = Harness.ready(entry(1, line));
    act(harness);
    assert.equal(unread(harness), expected, name);
  }
  const late = Harness.ready(entry(1, { ...line, visibleFrom: 8, read: 0, unread: 3 }));
  late.push(deletion(11, 5));
  assert.equal(unread(late), 3, 'of before this member came');
});

test('an own reply in a thread reads nothing of the conversation', () => {
  const harness = Harness.ready(entry(1, { ...at(10), read: 6, received: 10, unread: 4 }));
  harness.push(events(1, 11, 11, { sender: me, threadRoot: 9, threadOrdinal: 1, ordinal: 10 }));
  assert.equal(harness.core.view(id(1))!.unread, 4);
  harness.push(events(1, 12, 12, { kind: 'deleted', about: 11, threadRoot: 9, ordinal: 10 }));
  assert.equal(harness.core.view(id(1))!.unread, 4);
});

test('unread mentions are what the list states and what events add to it', () => {
  const line = { ...at(10), read: 6, received: 10, unread: 4, mentions: 2 };
  const states = (head: number, fields: Partial<ListEntry>): Answer => ({
    type: 'list',
    change: { whole: false, entries: [entry(1, { ...at(head), ...fields })], removed: [], token: 't' },
  });
  const said = (seq: number, fields: Partial<ChatEvent> = { mentions: [me] }): Answer =>
    events(1, seq, seq, fields);
  const gone = (seq: number, about: number): Answer =>
    events(1, seq, seq, { kind: 'deleted', about, aboutOrdinal: about });
  const table: [string, Answer[], number][] = [
    ['named', [said(11), said(12)], 4],
    ['everybody', [said(11, { mentionScope: 'all' })], 3],
    ['only who is here', [said(11, { mentionScope: 'here' })], 2],
    ['others', [said(11, { mentions: [bob] })], 2],
    ['deleted', [said(11), gone(12, 11)], 2],
    ['the list knows it', [said(11), states(11, { ...line, ...at(11), mentions: 3 })], 3],
    ['the list is older', [said(11), states(10, line)], 3],
    ['the list says what was read', [said(11), states(11, { read: 8, mentions: 1 })], 1],
    ['read to the head by another device', [said(11), states(11, { read: 11 })], 0],
    ['an own message', [said(11), said(12, { sender: me })], 0],
  ];
  for (const [name, pushes, expected] of table) {
    const harness = Harness.ready(entry(1, line));
    for (const push of pushes) harness.push(push);
    assert.equal(harness.core.view(id(1))!.mentions, expected, name);
  }
  const doubt = Harness.ready(entry(1, line));
  doubt.push(gone(11, 9)); // whom it mentioned nobody knows any more: the engine is asked, once
  doubt.push(gone(12, 8));
  const asked = doubt.after(500).filter((line) => line.includes(' sync '));
  assert.equal(asked.length, 1);
  doubt.answer(doubt.last_request, states(12, { read: 6, mentions: 0 }));
  assert.equal(doubt.core.view(id(1))!.mentions, 0);
});

test('after a restart a deletion told before it is not counted again', async () => {
  const before = Harness.ready(entry(1, { ...at(10), read: 6, received: 10, unread: 3 }));
  before.push(events(1, 11, 11, { kind: 'deleted', about: 9, aboutOrdinal: 9, ordinal: 10 }));
  const after = new Harness();
  after.start(await before.storage.load());
  assert.equal(after.core.view(id(1))!.unread, 2);
});
