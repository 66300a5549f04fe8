// timeline_test.mjs: events, outbox and receipts in, rows out, as short lines.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { build_rows, typing_text } = await load('timeline.ts');

const noon = new Date(2026, 0, 15, 12).getTime();
const minute = 60_000;

function event(seq, sender, fields = {}) {
  return {
    seq,
    sender,
    kind: 'message',
    time: noon + seq * 1000,
    echo: '',
    text: `m${seq}`,
    data: '',
    replyTo: 0,
    edited: 0,
    deleted: false,
    pinned: false,
    mentions: [],
    mentionScope: 'none',
    attachments: [],
    origin: null,
    expires: 0,
    ...fields,
  };
}

function item(random, fields = {}) {
  return {
    random,
    local: `l${random}`,
    text: `o${random}`,
    createdAt: noon + 1000,
    state: 'pending',
    renumbered: false,
    replyTo: 0,
    ...fields,
  };
}

function rows(fields) {
  const all = build_rows({
    events: [],
    outbox: [],
    acked: [],
    self: 'me',
    others: { received: 0, read: 0 },
    read_line: null,
    show_names: true,
    name: (user) => user,
    sentence: ([one]) => one.sentence ?? '',
    quote: (seq) => ({ seq, name: 'n', text: `q${seq}` }),
    reactions: () => [],
    typing: [],
    unfolded: new Set(),
    thread: () => null,
    poll: () => null,
    growing: [],
    ...fields,
  });
  return all.filter((row) => row.kind !== 'day');
}

const lines = (fields, show) => rows(fields).map(show);

test('runs of one sender are joined for five minutes', () => {
  const events = [
    event(1, 'bob'),
    event(2, 'bob'),
    event(3, 'eve'),
    event(4, 'me'),
    event(5, 'me', { time: noon + 6 * minute }),
  ];
  const show = (row) =>
    `${row.text} ${row.first ? 'first' : ''}${row.last ? 'last' : ''} ${row.name}`;
  assert.deepEqual(lines({ events }, show), [
    'm1 first bob',
    'm2 last bob',
    'm3 firstlast eve',
    'm4 firstlast ',
    'm5 firstlast ',
  ]);
});

test('ticks of own messages follow the others', () => {
  const events = [1, 2, 3, 4].map((seq) => event(seq, seq === 2 ? 'bob' : 'me'));
  const show = (row) => row.tick;
  assert.deepEqual(lines({ events, others: { received: 3, read: 1 } }, show), [
    'read',
    'none',
    'delivered',
    'sent',
  ]);
  assert.deepEqual(lines({ events, others: null }, show), ['sent', 'none', 'sent', 'sent']);
});

test('a message is one row from pending to committed, under one key', () => {
  const show = (row) => `${row.key} ${row.tick}`;
  const pending = lines({ outbox: [item('7')] }, show);
  const acked = lines(
    { acked: [{ item: item('7'), seq: 1, time: noon }], outbox: [item('7')] },
    show,
  );
  const committed = lines(
    {
      events: [event(1, 'me', { echo: '7' })],
      acked: [{ item: item('7'), seq: 1, time: noon }],
      outbox: [item('7')],
    },
    show,
  );
  assert.deepEqual([pending, acked, committed], [['e7 pending'], ['e7 sent'], ['e7 sent']]);
});

test('a failed message says why and can be named', () => {
  const [row] = rows({
    outbox: [item('7', { state: 'failed', error: { code: 'denied', message: 'no' } })],
  });
  assert.deepEqual([row.tick, row.problem, row.local], ['failed', 'You may not write here.', 'l7']);
});

test('the line stands before the first message of others above the read position, once', () => {
  const events = [event(1, 'bob'), event(2, 'me'), event(3, 'bob'), event(4, 'bob')];
  const show = (row) => (row.kind === 'new' ? 'line' : row.text);
  assert.deepEqual(lines({ events, read_line: 1 }, show), ['m1', 'm2', 'line', 'm3', 'm4']);
  assert.deepEqual(lines({ events, read_line: 0 }, show), ['line', 'm1', 'm2', 'm3', 'm4']);
  assert.deepEqual(lines({ events, read_line: 4 }, show), ['m1', 'm2', 'm3', 'm4']);
  assert.deepEqual(lines({ events, read_line: null }, show), ['m1', 'm2', 'm3', 'm4']);
});

test('days are separated; events of unknown kind are not shown', () => {
  const day = 24 * 60 * minute;
  const events = [
    event(1, 'bob'),
    event(2, 'bob', { kind: '77', time: noon + day }),
    event(3, 'bob', { time: noon + 2 * day }),
    event(4, 'bob', { kind: 'left', sentence: 'bob left', time: noon + 2 * day }),
  ];
  const kinds = build_rows({
    events,
    outbox: [],
    acked: [],
    self: 'me',
    others: null,
    read_line: null,
    show_names: false,
    name: String,
    sentence: ([one]) => one.sentence ?? '',
    quote: () => null,
    reactions: () => [],
    thread: () => null,
    poll: () => null,
    growing: [],
    typing: [],
    unfolded: new Set(),
  }).map((row) => row.kind);
  assert.deepEqual(kinds, ['day', 'message', 'day', 'message', 'system']);
});

test('many of one kind in a row are one line', () => {
  const added = (seq, sender, target) => event(seq, sender, { kind: 'added', target });
  const events = [
    added(1, 'bob', 'a'),
    added(2, 'bob', 'b'),
    added(3, 'eve', 'c'),
    event(4, 'bob'),
    added(5, 'bob', 'd'),
    event(6, 'x', { kind: 'joined', target: 'x' }),
    event(7, 'y', { kind: 'joined', target: 'y' }),
  ];
  const sentence = (all) => `${all[0].kind} ${all.map((one) => one.target).join()}`;
  assert.deepEqual(
    lines({ events, sentence }, (row) => row.text),
    ['added a,b', 'added c', 'm4', 'added d', 'joined x,y'],
  );
});

test('a message has what it answers and what became of it', () => {
  const events = [
    event(1, 'bob', { edited: 5, pinned: true }),
    event(2, 'me', { replyTo: 1, deleted: true, text: '' }),
  ];
  const show = (row) => [row.edited, row.pinned, row.deleted, row.quote?.text ?? ''].join(' ');
  assert.deepEqual(lines({ events }, show), ['5 true false ', '0 false true q1']);
  const [waiting] = rows({ outbox: [item('7', { replyTo: 1 })] });
  assert.equal(waiting.quote.text, 'q1');
});

test('who is typing', () => {
  const table = [
    [[], ''],
    [['a'], 'a is typing'],
    [['a', 'b'], 'a and b are typing'],
    [['a', 'b', 'c'], 'a and 2 others are typing'],
  ];
  for (const [names, text] of table) assert.equal(typing_text(names), text);
  assert.equal(rows({ typing: ['a'] }).at(-1).kind, 'typing');
});

test('long texts are folded: by length, by lines, not for a little, and not once unfolded', () => {
  const shown = (text, unfolded = new Set()) => {
    const [row] = rows({ events: [event(1, 'bob', { text })], unfolded });
    return [row.text.length, row.folded];
  };
  assert.deepEqual(shown('x'.repeat(1_800)), [1_800, 0]);
  assert.deepEqual(shown('x'.repeat(1_801)), [1_501, 301]);
  assert.deepEqual(shown('x'.repeat(1_801), new Set(['m1'])), [1_801, 0]);
  const lines = Array.from({ length: 1_000 }, () => 'a').join('\n');
  assert.deepEqual(shown(lines), [48, lines.length - 47]);
  assert.deepEqual(shown(lines.slice(0, 300)), [300, 0]);
});
