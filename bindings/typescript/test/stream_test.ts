// stream_test.ts: cursors, the gap rule, resume answers, subscriptions, unread, receipts, signals,
// names.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ParleyError } from '../src/errors.js';
import type { Answer } from '../src/operations.js';
import type { ChatEvent, ListEntry, Presence } from '../src/types.js';
import { Harness, bob, empty, entry, epoch, events, id, me, message, only, resume } from './harness.js';

const at = (seq: number): Partial<ListEntry> => ({
  head: { epoch, seq, mark: seq * 10 },
  headOrdinal: seq,
});
const subscribes = (lines: string[]): string[] =>
  lines.filter((line) => line.includes(' subscribe ')).map((line) => line.replace(/^#\d+ /, ''));

const marks = (lines: string[]): string[] => lines.filter((line) => line.includes(' mark_read '));

/** A ready core whose conversation 1 stands at seq 5, stored 5 .. 5. */
function at_five(): Harness {
  const harness = Harness.ready(entry(1, at(4)));
  harness.push(events(1, 5, 5));
  return harness;
}

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

test('what the user deleted for itself goes from the list and from what is kept', () => {
  const harness = Harness.ready(entry(1, { ...at(4), unread: 3, lastEvent: message(4) }));
  harness.push(events(1, 5, 6));
  const deleted: Answer = {
    type: 'deleted_for_me',
    deleted: { conversation: id(1), seqs: [2, 6] },
  };
  const lines = harness.push(deleted);
  assert.ok(lines.some((line) => line.includes('forgotten(c1:6)')), lines.join('\n'));
  assert.equal(harness.core.view(id(1))!.lastEvent, null);
  assert.ok(lines.some((line) => line.includes(' history '))); // for another one to show
  const older = entry(1, { ...at(6), unread: 3, lastEvent: message(6) });
  harness.push({
    type: 'list',
    change: { whole: false, more: false, entries: [older], removed: [], token: 't2' },
  } as unknown as Answer);
  assert.equal(harness.core.view(id(1))!.lastEvent, null);
  assert.equal(harness.core.view(id(1))!.unread, 3);
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

test('typing is sent at most once in three seconds, at once after a message, and taken back', () => {
  const harness = Harness.ready(entry(1));
  const signals = (lines: string[]): string[] =>
    only(lines, '#').flatMap((line) => /signal .* lastsMs=(\d+)/.exec(line)?.[1] ?? []);
  const type = (on = true): string[] =>
    signals(harness.feed({ type: 'typing', conversation: id(1), kind: 'typing', on }));
  assert.deepEqual([type(false), type(), type()], [[], ['6000'], []]);
  const recording = harness.feed({
    type: 'typing',
    conversation: id(1),
    kind: 'recording',
    on: true,
  });
  assert.deepEqual(signals(recording), ['6000'], 'another kind has a time of its own');
  harness.now += 3000;
  assert.deepEqual(type(), ['6000']);
  harness.feed({
    type: 'send',
    call: 1,
    conversation: id(1),
    text: 'x',
    contentType: 'text/plain',
    replyTo: 0,
  });
  assert.deepEqual(type(), ['6000'], 'the message ended the sign at the others');
  assert.deepEqual([type(false), type(false), type()], [['0'], [], ['6000']]);
});

test('a hidden conversation shows again with the next message', () => {
  const harness = Harness.ready(entry(1, { ...at(10), hiddenUntil: 11, folder: 'work' }));
  assert.equal(harness.core.view(id(1))!.hidden, true);
  assert.equal(harness.core.view(id(1))!.folder, 'work');
  harness.push(events(1, 11, 11));
  assert.equal(harness.core.view(id(1))!.hidden, false);
});

test('settings and devices come with lists, pages make the list longer', () => {
  const harness = Harness.ready(entry(1));
  const settings = { hideReads: true, hideLastSeen: false, status: 'away', statusUntil: 0 };
  const one = { id: '7', name: 'phone', created: 1, lastSeen: 2, online: true, current: false };
  const change = { whole: false, entries: [], removed: [], token: 'b' };
  const lines = harness.push({ type: 'list', change: { ...change, settings, devices: [one] } });
  assert.deepEqual(harness.core.settings, settings);
  assert.equal(only(lines, 'settings').length + only(lines, 'devices').length, 2);
  harness.feed({
    type: 'request',
    call: 5,
    operation: { type: 'page_list', afterActivity: 999, after: id(1), limit: 1 },
  });
  const page = harness.answer(harness.last_request, {
    type: 'list_page',
    page: { entries: [entry(2)], more: false },
  });
  assert.equal(only(page, '#').length, 1, 'what is new is subscribed');
  assert.equal(harness.core.list().length, 2);
  // A first page leaves out what may be on a later one.
  harness.push({
    type: 'list',
    change: { ...change, whole: true, entries: [entry(2)], more: true },
  });
  assert.equal(harness.core.list().length, 2);
});

test('how the user is goes into the next hello too', () => {
  const harness = Harness.ready(entry(1));
  const said = harness.feed({ type: 'presence', state: 'busy' });
  assert.match(only(said, '#').join(), /set_presence state=busy/);
  harness.feed({ type: 'closed', code: 1006, reason: '' });
  assert.equal(harness.core.hello().state, 'busy');
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

test('the list shows the last message, as it stands', () => {
  const last = (harness: Harness): string => {
    const { seq, text, deleted } = harness.core.view(id(1))!.lastEvent!;
    return `${seq} ${deleted ? 'deleted' : text}`;
  };
  const about = (kind: string, seq: number, message_seq: number, text = ''): Answer =>
    events(1, seq, seq, { kind, about: message_seq, text, ordinal: 5 });
  const harness = at_five();
  const table: [Answer, string][] = [
    [about('pinned', 6, 5), '5 m5'],
    [about('edited', 7, 5, 'new'), '5 new'],
    [about('edited', 8, 4, 'other'), '5 new'],
    [events(1, 9, 9, { kind: 'reactions', ordinal: 5 }), '5 new'],
    [about('deleted', 10, 5), '5 deleted'],
  ];
  for (const [push, expected] of table) {
    harness.push(push);
    assert.equal(last(harness), expected);
  }
  const entries = [entry(1, { ...at(10), lastEvent: message(5, { text: 'm5' }) })];
  harness.push({ type: 'list', change: { whole: false, entries, removed: [], token: 't' } });
  assert.equal(last(harness), '5 deleted', 'an older statement brings nothing back');
  assert.equal(harness.core.view(id(1))!.lastActivity, 5000);
});

test('a preview looks past changes, and counts deletions among them', () => {
  const harness = Harness.ready(
    entry(1, { kind: 'channel', ...at(8), read: 4, received: 8, unread: 4 }),
  );
  harness.push({
    type: 'head_moved',
    conversation: id(1),
    head: { epoch, seq: 10, mark: 90 },
    headOrdinal: 9,
  });
  const told = [
    message(9),
    message(10, { kind: 'deleted', about: 7, aboutOrdinal: 7, ordinal: 9 }),
  ];
  const page = { conversation: id(1), epoch, events: told, mark: 0, more: true, floor: 1 };
  harness.answer(harness.last_request, { type: 'history_page', page });
  const view = harness.core.view(id(1))!;
  assert.deepEqual([view.lastEvent!.text, view.unread], ['m9', 4]);
});

test('what is deleted leaves the device in the batch that tells it', async () => {
  const harness = at_five();
  const lines = harness.push(events(1, 6, 6, { kind: 'deleted', about: 5, text: '' }));
  assert.match(only(lines, 'store')[0]!, /events\(c1:6\) deleted\(c1:5\)$/);
});

test('a watch is repeated on the next link and presence is kept', () => {
  const harness = Harness.ready(entry(1));
  assert.match(
    harness.feed({ type: 'watch', conversation: id(1), users: [bob] })[0]!,
    /watch conversation=c1 users=42/,
  );
  harness.answer(harness.last_request, {
    type: 'presence',
    users: [
      { user: bob, online: true, lastSeen: 0, state: 'online', status: '', statusUntil: 0 },
    ],
  });
  assert.equal(harness.core.people.presence.get(bob)!.online, true);
  harness.feed({ type: 'closed', code: 1006, reason: '' });
  assert.equal(harness.core.people.presence.get(bob), undefined, 'unknown without a link');
  harness.next_tick();
  assert.ok(
    harness.welcome([entry(1)]).some((line) => line.includes('watch conversation=c1 users=42')),
  );
});

test('a conversation is watched as a whole, on every link, and says who is online', () => {
  const someone = (user: string, online: boolean): Presence => ({
    user,
    online,
    lastSeen: 0,
    state: online ? 'online' : 'offline',
    status: '',
    statusUntil: 0,
  });
  const harness = Harness.ready(entry(1));
  const known = () => {
    const { step, count, users } = harness.core.people.online(harness.core.conversation(id(1))!);
    return `${step} ${count} ${users.join()}`;
  };
  const watch = { type: 'watch_conversation', conversation: id(1), on: true } as const;
  assert.match(harness.feed(watch)[0]!, /watch_conversation conversation=c1 on=true/);
  assert.deepEqual(harness.feed(watch), [], 'it is watched already');
  const online = { type: 'online', conversation: id(1) } as const;
  const users = [someone(bob, true), someone('43', false)];
  harness.answer(harness.last_request, { ...online, step: 'full', count: 0, users });
  assert.equal(known(), 'full 1 42');
  harness.push({ type: 'presence', users: [someone('43', true)] });
  assert.equal(known(), 'full 2 42,43');
  harness.push({ ...online, step: 'window', count: 150, users: [] });
  assert.equal(known(), 'window 150 ');
  const told = harness.push({ ...online, step: 'count', count: 4_000, users: [someone(bob, true)] });
  assert.deepEqual(told, ['presence', 'online']);
  harness.push({ ...online, step: 'count', count: 4_001, users: null });
  assert.equal(known(), 'count 4001 42', 'the few are those told before');
  harness.push({ type: 'presence', users: [someone(bob, false)] });
  assert.equal(known(), 'count 4001 ');
  harness.feed({ type: 'closed', code: 1006, reason: '' });
  assert.equal(known(), 'none 0 ', 'unknown without a link');
  harness.next_tick();
  assert.ok(harness.welcome([entry(1)]).some((line) => line.includes('watch_conversation')));
  harness.feed({ ...watch, on: false });
  harness.answer(harness.last_request, { ...online, step: 'none', count: 0, users: null });
  harness.push({ ...online, step: 'count', count: 5_000, users: [] });
  assert.equal(known(), 'none 0 ', 'what was under way is of no meaning any more');
});

test('names are asked for together, once, and kept on the device', async () => {
  const harness = Harness.ready(entry(1));
  harness.feed({ type: 'names', users: [bob, '43'] });
  harness.feed({ type: 'names', users: [bob, me] });
  const lines = only(harness.after(10), '#');
  assert.deepEqual(
    lines.map((line) => line.replace(/^#\d+ /, '')),
    ['lookup users=42,43'],
  );
  harness.feed({ type: 'names', users: [bob] });
  assert.deepEqual(only(harness.after(10), '#'), []);
  harness.answer(harness.last_request, { type: 'names', users: [{ user: bob, subject: 'bob' }] });
  assert.equal(harness.core.people.names.get(bob), 'bob');
  assert.ok((await harness.storage.load()).names.some((name) => name.subject === 'bob'));
});

test('a whole list replaces, a partial one adds and removes', () => {
  const harness = Harness.ready(entry(1), entry(2));
  const ids = (): string[] => harness.core.list().map((view) => view.title);
  harness.push({
    type: 'list',
    change: { whole: false, entries: [entry(3)], removed: [id(1)], token: 't2' },
  });
  assert.deepEqual(ids(), ['c2', 'c3']);
  harness.push({
    type: 'list',
    change: { whole: true, entries: [entry(4)], removed: [], token: 't3' },
  });
  assert.deepEqual(ids(), ['c4']);
});

test('the channels of a space are those that it names, and none without it', () => {
  const space = entry(1, { kind: 'space', children: [id(2), id(3)] });
  const child = (n: number): ListEntry => entry(n, { kind: 'channel', space: id(1) });
  const harness = Harness.ready(space, child(2), child(3), entry(4));
  const ids = (): string[] =>
    harness.core
      .list()
      .map((view) => view.title)
      .sort();
  const change = { whole: false, removed: [], token: 't2' };
  harness.push({
    type: 'list',
    change: { ...change, entries: [{ ...space, children: [id(3), id(5)] }, child(5)] },
  });
  assert.deepEqual(ids(), ['c1', 'c3', 'c4', 'c5']);
  harness.push({ type: 'list', change: { ...change, entries: [], removed: [id(1)] } });
  assert.deepEqual(ids(), ['c4']);
});

test('a channel that is opened or closed to the space makes the client ask for its list', () => {
  for (const kind of ['child_opened', 'child_closed']) {
    const harness = Harness.ready(entry(1, { kind: 'space', ...at(1) }));
    harness.push(events(1, 2, 2, { kind, child: id(2), ordinal: 1 }));
    const asked = (): string[] => harness.after(500).filter((line) => line.includes(' sync '));
    assert.match(asked()[0] ?? '', new RegExp(`conversations=${id(2)}$`), kind);
    harness.answer(harness.last_request, {
      type: 'error',
      error: new ParleyError('unavailable', 'try again'),
    });
    assert.equal(asked().length, 1, `${kind}: until it is told`);
    const list = { whole: false, entries: [], removed: [id(2)], token: 't2' };
    harness.answer(harness.last_request, { type: 'list', change: list });
    assert.deepEqual(asked(), []);
  }
});

test('a channel that its space names and no list brought is asked for, also after a restart', () => {
  const asked = (from: Harness): string[] =>
    from.after(500).flatMap((line) => / sync .*conversations=(.+)$/.exec(line)?.[1] ?? []);
  const harness = Harness.ready(entry(1, { kind: 'space', children: [id(2)] }));
  harness.push(events(1, 1, 1, { kind: 'child_opened', child: id(3), ordinal: 0 }));
  assert.deepEqual(asked(harness), [`${id(2)},${id(3)}`]);
  const list = { whole: false, entries: [entry(2, { space: id(1) })], removed: [], token: 't2' };
  harness.answer(harness.last_request, { type: 'list', change: list });
  assert.deepEqual(asked(harness), [id(3)]);

  const later = new Harness(200);
  const row = { conversation: id(1), cursor: null, from: 1, nextNumber: 1, received: 0, read: 0 };
  later.start({
    ...empty,
    meta: { device: 'dev', subject: 'alice', syncToken: 't2' },
    conversations: [{ ...row, entry: harness.core.conversation(id(1))!.row().entry }],
  });
  later.welcome([], { whole: false });
  assert.deepEqual(asked(later), [`${id(2)},${id(3)}`]);
});

test('a space whose events were passed over is asked for by name', () => {
  const named = (harness: Harness): string[] =>
    harness.after(500).flatMap((line) => / sync .*conversations=(.+)$/.exec(line)?.[1] ?? []);
  const full = new Harness();
  full.start();
  full.welcome([entry(1, { kind: 'space', ...at(1) })]);
  const answers = [resume(1, 'snapshot', 3)];
  full.answer(full.last_request, { type: 'subscribed', answers });
  assert.deepEqual(named(full), [id(1)]);
  const entries = [entry(1, { kind: 'space', ...at(3) })];
  const change = { whole: false, entries, removed: [], token: 't2' };
  full.answer(full.last_request, { type: 'list', change });
  assert.deepEqual(named(full), []);
});

test('a conversation that enters the list or is opened by a call is subscribed', () => {
  const harness = Harness.ready(entry(1));
  const change = { whole: false, entries: [entry(2)], removed: [], token: 't2' };
  assert.deepEqual(subscribes(harness.push({ type: 'list', change })), ['subscribe c2:full@head']);
  harness.feed({ type: 'request', call: 1, operation: { type: 'direct', peer: 'bob' } });
  const lines = harness.answer(harness.last_request, {
    type: 'opened',
    entry: entry(3, { kind: 'direct', peer: bob }),
  });
  assert.deepEqual(subscribes(lines), ['subscribe c3:full@head']);
  assert.ok(lines.includes('resolve 1 conversation'));
});

test('title and own role follow the stream', () => {
  const harness = Harness.ready(entry(1));
  harness.push(events(1, 1, 1, { kind: 'settings_changed', title: 'new', ordinal: 0 }));
  harness.push(events(1, 2, 2, { kind: 'role_changed', target: me, role: 'admin', ordinal: 0 }));
  const view = harness.core.view(id(1))!;
  assert.deepEqual([view.title, view.role, view.unread], ['new', 'admin', 0]);
});
