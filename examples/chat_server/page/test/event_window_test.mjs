// event_window_test.mjs: the stretch of events on screen: both ends, pushes, holes, and what it costs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { EventWindow } = await load('event_window.ts');

/** A stream of `head` events; questions are answered when the test says so. */
function stream(head) {
  const fake = {
    head,
    asked: [],
    conversation: () => ({ headSeq: fake.head }),
    history: (_, range) =>
      new Promise((resolve, reject) => {
        fake.asked.push({ range, resolve, reject });
      }),
    answer() {
      const { range, resolve } = fake.asked.shift();
      const { before = 0, after, limit } = range;
      const end = before > 0 ? Math.min(before - 1, fake.head) : fake.head;
      const [from, to] =
        after === undefined
          ? [Math.max(1, end - limit + 1), end]
          : [after + 1, Math.min(after + limit, fake.head)];
      resolve({ events: events(from, to), more: after === undefined ? from > 1 : to < fake.head });
    },
  };
  return fake;
}

function events(from, to) {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => ({ seq: from + index }));
}

async function answered(client, question) {
  client.answer();
  return question;
}

function shown(window_) {
  const { first, last, older, newer } = window_;
  return `${older ? '<' : ''}${first}..${last}${newer ? '>' : ''}`;
}

async function opened(head, seq = 0) {
  const client = stream(head);
  const taken = [];
  const window_ = new EventWindow(client, 'c', (page) => taken.push(...page));
  await answered(client, seq === 0 ? window_.show_end() : window_.show_around(seq));
  return { client, window_, taken };
}

test('what the user deleted for itself stands hidden in its place', async () => {
  const { window_ } = await opened(3);
  window_.forget([2]);
  assert.deepEqual(window_.events.map(({ seq, kind }) => [seq, kind]), [
    [1, undefined],
    [2, 'hidden'],
    [3, undefined],
  ]);
});

test('it opens at the end, or around an event, and grows at both ends', async () => {
  const { client, window_, taken } = await opened(1_000);
  assert.equal(shown(window_), '<951..1000');
  assert.equal(await window_.load('newer'), false, 'nothing to ask');
  await answered(client, window_.load('older'));
  assert.equal(shown(window_), '<901..1000');
  assert.equal(taken.length, 100);
  await answered(client, window_.show_around(500));
  assert.equal(shown(window_), '<450..549>');
  await answered(client, window_.load('newer'));
  assert.equal(shown(window_), '<450..599>');
  await answered(client, window_.show_around(990));
  assert.equal(shown(window_), '<901..1000');
});

test('it holds 400 events, however far one scrolls', async () => {
  const { client, window_ } = await opened(2_000);
  for (let n = 0; n < 20; n += 1) await answered(client, window_.load('older'));
  assert.equal(shown(window_), '<951..1350>');
  for (let n = 0; n < 20; n += 1) if (window_.newer) await answered(client, window_.load('newer'));
  assert.equal(shown(window_), '<1601..2000');
  assert.equal(window_.events.length, 400);
});

test('the beginning and a short conversation have nothing before and after', async () => {
  const { client, window_ } = await opened(70);
  await answered(client, window_.load('older'));
  assert.equal(shown(window_), '1..70');
  const empty = await opened(0);
  assert.equal(shown(empty.window_), '0..0');
  assert.deepEqual(empty.window_.arrived(events(1, 1), true), events(1, 1));
});

test('pushes go on at the end, once, and a hole is told', async () => {
  const { window_ } = await opened(100);
  assert.deepEqual(window_.arrived(events(99, 102), true), events(101, 102));
  assert.deepEqual(window_.arrived(events(101, 102), true), []);
  assert.equal(shown(window_), '<51..102');
  assert.equal(window_.arrived(events(104, 104), true), null);
});

test('pushes wait while the window ends before the stream, and while nobody sees them', async () => {
  const { client, window_ } = await opened(1_000, 300);
  client.head = 1_001;
  assert.deepEqual(window_.arrived(events(1_001, 1_001), true), []);
  assert.equal(shown(window_), '<250..349>');
  await answered(client, window_.show_end());
  for (let n = 0; n < 6; n += 1) await answered(client, window_.load('older'));
  client.head = 1_060;
  window_.arrived(events(1_002, 1_060), false);
  assert.equal(shown(window_), '<652..1001>', 'what is on screen stays');
});

test('what is pushed while the first page loads is asked for after it', async () => {
  const client = stream(10);
  const window_ = new EventWindow(client, 'c', () => undefined);
  const question = window_.show_end();
  const { resolve } = client.asked.shift();
  client.head = 12;
  assert.deepEqual(window_.arrived(events(11, 12), true), []);
  resolve({ events: events(1, 10), more: false });
  await question;
  assert.equal(shown(window_), '1..10>');
  await answered(client, window_.load('newer'));
  assert.equal(shown(window_), '1..12');
});

test('a later question takes the place of an earlier one; a failed one is told and may be tried again', async () => {
  const { client, window_ } = await opened(1_000);
  const older = window_.load('older');
  const around = window_.show_around(500);
  const [first] = client.asked.splice(0, 1);
  first.resolve({ events: events(901, 950), more: true });
  assert.equal(await older, false);
  await answered(client, around);
  assert.equal(shown(window_), '<450..549>');
  const failing = window_.load('older');
  client.asked.shift().reject(new Error('no link'));
  await assert.rejects(failing, /no link/);
  assert.equal(window_.failed, 'older');
  await answered(client, window_.load('older'));
  assert.equal(shown(window_), '<400..549>');
  assert.equal(window_.failed, null);
});
