// link_test.ts: dialling, hello, backoff, goodbye, heartbeat and the window of requests in flight.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoff_ms } from '../src/backoff.js';
import { ParleyError } from '../src/errors.js';
import { Harness, entry, id, only, resume } from './harness.js';

test('the backoff has full jitter below a ceiling that doubles to 30 s', () => {
  const table: [attempt: number, random: number, expected: number][] = [
    [0, 0, 0],
    [0, 0.999, 500],
    [1, 0.5, 500],
    [3, 0.5, 2000],
    [6, 0.5, 15_000],
    [1000, 0.5, 15_000],
  ];
  for (const [attempt, random, expected] of table)
    assert.equal(backoff_ms(attempt, random), expected);
});

test('start dials, the open socket says hello, the welcome makes it ready', () => {
  const harness = new Harness();
  assert.deepEqual(harness.start(), ['state connecting', 'connect', 'store meta(,)']);
  assert.deepEqual(harness.feed({ type: 'opened', token: 'alice' }), [
    '#1 hello token=alice ticket= device=dev syncToken=',
  ]);
  assert.deepEqual(harness.welcome([]).slice(0, 2), ['state ready', 'store meta(alice,t1)']);
});

test('the next hello carries ticket and sync token, and the ticket only once', () => {
  const harness = Harness.ready();
  harness.feed({ type: 'closed', code: 1006, reason: '' });
  harness.redial();
  assert.match(
    harness.feed({ type: 'opened', token: 'alice' })[0]!,
    /ticket=ticket device=dev syncToken=t1/,
  );
  harness.feed({ type: 'closed', code: 1006, reason: '' });
  harness.redial();
  assert.match(
    harness.feed({ type: 'opened', token: 'alice' })[0]!,
    /ticket= device=dev syncToken=t1/,
  );
});

test('what ends the link decides whether it is dialled again, and when', () => {
  const goodbye = (reconnect: boolean, spreadMs: number) => (harness: Harness) =>
    harness.push({ type: 'goodbye', reason: 'engine_closed', spreadMs, reconnect });
  const closed = (code: number) => (harness: Harness) =>
    harness.feed({ type: 'closed', code, reason: '' });
  const table: [string, (harness: Harness) => string[], string, number | null][] = [
    ['lost', closed(1006), 'state waiting disconnected', 250],
    ['server shuts down', closed(1001), 'state waiting disconnected', 250],
    ['not authenticated', closed(1008), 'state stopped unauthenticated', null],
    ['protocol error', closed(1002), 'state stopped protocol_error', null],
    ['too long a message', closed(1009), 'state stopped too_large', null],
    ['goodbye with a spread', goodbye(true, 8000), 'state waiting engine_closed', 4000],
  ];
  for (const [name, end, state, wait] of table) {
    const harness = Harness.ready();
    harness.now += 20_000;
    assert.deepEqual(only(end(harness), 'state'), [state], name);
    const next = harness.core.next_deadline();
    assert.equal(next === null ? null : next - harness.now, wait, name);
  }
});

test('a goodbye for good stops with the words of the close, which may stay away', () => {
  const goodbye = { type: 'goodbye', reason: 'protocol_error', spreadMs: 0 } as const;
  const errors: unknown[] = [];
  for (const reason of ['history.conversation: expected 32 hex digits', '']) {
    const harness = Harness.ready();
    assert.deepEqual(only(harness.push({ ...goodbye, reconnect: false }), 'state'), []);
    const actions = harness.core.handle(harness.now, { type: 'closed', code: 1002, reason });
    for (const action of actions)
      if (action.type === 'emit' && action.event.name === 'state')
        errors.push(action.event.value.error?.message);
    assert.equal(harness.core.state, 'stopped');
  }
  assert.deepEqual(errors, [
    'the server said goodbye: protocol_error: history.conversation: expected 32 hex digits',
    'the server said goodbye: protocol_error',
  ]);
  const silent = Harness.ready();
  silent.push({ ...goodbye, reconnect: false });
  assert.deepEqual(only(silent.next_tick(), 'state'), ['state stopped protocol_error']);
});

test('a link that dies young does not reset the backoff', () => {
  const harness = new Harness();
  harness.random = 0.999;
  harness.start();
  const waits: number[] = [];
  for (let round = 0; round < 4; round += 1) {
    harness.welcome([]);
    harness.feed({ type: 'closed', code: 1006, reason: '' });
    waits.push(harness.core.next_deadline()! - harness.now);
    harness.next_tick();
  }
  assert.deepEqual(waits, [500, 999, 1998, 3996]);
});

test('an answer to hello that is an error stops, or waits when it is retryable', () => {
  const table: [ParleyError, string, number | null][] = [
    [new ParleyError('unauthenticated', 'no'), 'state stopped unauthenticated', null],
    [new ParleyError('version_unsupported', 'no'), 'state stopped version_unsupported', null],
    [new ParleyError('busy', 'later', { retryAfterMs: 7000 }), 'state waiting busy', 7000],
  ];
  for (const [error, state, wait] of table) {
    const harness = new Harness();
    harness.start();
    harness.feed({ type: 'opened', token: 'alice' });
    assert.deepEqual(only(harness.answer(1, { type: 'error', error }), 'state'), [state]);
    const next = harness.core.next_deadline();
    assert.equal(next === null ? null : next - harness.now, wait);
  }
});

test('a dial that nobody answers is given up after 15 s', () => {
  const harness = new Harness();
  harness.start();
  assert.deepEqual(harness.after(14_999), []);
  assert.deepEqual(harness.after(1), ['disconnect timed_out', 'state waiting timed_out']);
});

test('a silent link is asked with a ping after 25 s and dropped 10 s later', () => {
  const harness = Harness.ready();
  assert.deepEqual(harness.after(24_999), []);
  assert.deepEqual(only(harness.after(1), '#').length, 1);
  assert.deepEqual(harness.after(9_999), []);
  assert.deepEqual(harness.after(1), ['disconnect disconnected', 'state waiting disconnected']);
});

test('any frame is a sign of life', () => {
  const harness = Harness.ready();
  harness.after(25_000);
  harness.answer(harness.last_request, { type: 'done' });
  assert.deepEqual(harness.after(10_000), []);
  assert.equal(harness.core.state, 'ready');
});

test('a browser that comes online dials at once; one that goes offline asks the link', () => {
  const harness = Harness.ready();
  assert.match(harness.feed({ type: 'offline' })[0]!, /ping/);
  assert.deepEqual(only(harness.after(3_000), 'state'), ['state waiting disconnected']);
  harness.random = 0.999;
  harness.next_tick();
  for (let i = 0; i < 8; i += 1) {
    harness.feed({ type: 'closed', code: 1006, reason: '' });
    if (i < 7) harness.next_tick();
  }
  assert.ok(harness.core.next_deadline()! - harness.now > 20_000);
  harness.feed({ type: 'online' });
  assert.equal(harness.core.next_deadline()! - harness.now, 500);
});

test('at most 64 requests are in flight; an answer lets the next one out', () => {
  const harness = Harness.ready(entry(1));
  const written: string[] = [];
  for (let call = 1; call <= 70; call += 1) {
    written.push(
      ...harness.feed({ type: 'request', call, operation: { type: 'leave', conversation: id(1) } }),
    );
  }
  assert.equal(written.length, 64);
  const first = Number(/^#(\d+)/.exec(written[0]!)![1]);
  assert.deepEqual(
    harness.answer(first, { type: 'done' }).map((line) => line.replace(/#\d+/, '#')),
    ['resolve 1 done', '# leave conversation=c1'],
  );
});

test('questions survive a lost link, doubtful ones are answered disconnected', () => {
  const harness = Harness.ready(entry(1));
  harness.feed({ type: 'request', call: 1, operation: { type: 'direct', peer: 'bob' } });
  harness.feed({ type: 'request', call: 2, operation: { type: 'leave', conversation: id(1) } });
  assert.deepEqual(harness.feed({ type: 'closed', code: 1006, reason: '' }), [
    'reject 2 disconnected',
    'state waiting disconnected',
  ]);
  harness.next_tick();
  assert.equal(
    only(
      harness.welcome([entry(1)]).filter((line) => line.includes('direct peer=bob')),
      '#',
    ).length,
    1,
  );
});

test('a request without an answer is timed_out after 30 s', () => {
  const harness = Harness.ready(entry(1));
  harness.feed({ type: 'request', call: 1, operation: { type: 'leave', conversation: id(1) } });
  harness.after(25_000);
  harness.answer(harness.last_request, { type: 'done' }); // the ping's answer
  assert.deepEqual(harness.after(5_000), ['reject 1 timed_out']);
});

test('stop says bye, closes and answers whoever waits', () => {
  const harness = new Harness();
  harness.start();
  harness.feed({ type: 'request', call: 5, operation: { type: 'direct', peer: 'bob' } });
  assert.deepEqual(harness.feed({ type: 'stop' }), [
    'disconnect bye',
    'state stopped',
    'reject 5 session_closed',
  ]);
  const ready = Harness.ready();
  assert.deepEqual(
    ready.feed({ type: 'stop' }).map((line) => line.replace(/#\d+ /, '')),
    ['bye', 'disconnect bye', 'state stopped'],
  );
  assert.equal(ready.core.next_deadline(), null);
  assert.deepEqual(ready.feed({ type: 'request', call: 6, operation: { type: 'ping' } }), [
    'reject 6 session_closed',
  ]);
});

test('a storage of another user is refused', () => {
  const harness = new Harness();
  harness.start({
    meta: { device: 'd', subject: 'carol', syncToken: 't' },
    conversations: [],
    outbox: [],
    names: [],
  });
  const lines = harness.welcome([]);
  assert.ok(lines.includes('state stopped invalid_argument'), lines.join('\n'));
});

test('an answer of an unknown type is an error, a push of one is ignored', () => {
  const harness = Harness.ready(entry(1));
  assert.deepEqual(harness.push({ type: 'unknown', name: 'confetti' }), []);
  harness.feed({ type: 'request', call: 1, operation: { type: 'leave', conversation: id(1) } });
  assert.deepEqual(harness.answer(harness.last_request, { type: 'unknown', name: 'x' }), [
    'reject 1 unsupported',
  ]);
  assert.equal(resume(1, 'range', 1).answer, 'range');
});
