// outbox_test.ts: from the host's send to the ack: stored first, same key on every retry, order,
// the window of 32.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ParleyError } from '../src/errors.js';
import type { Answer } from '../src/operations.js';
import { Harness, entry, id, only } from './harness.js';

function send(harness: Harness, call: number, text = `t${call}`): string[] {
  return harness.feed({
    type: 'send',
    call,
    conversation: id(1),
    text,
    contentType: 'text/plain',
    replyTo: 0,
  });
}

function ack(number: number, seq: number, repeated = false): Answer {
  return { type: 'ack', ack: { conversation: id(1), seq, time: seq, number, repeated } };
}

function request_of(lines: string[], needle: string): number {
  const line = lines.find((one) => one.startsWith('#') && one.includes(needle));
  assert.ok(line, `${needle} in ${lines.join('\n')}`);
  return Number(/^#(\d+)/.exec(line)![1]);
}

const sends = (lines: string[]): string[] =>
  lines
    .filter((line) => line.includes(' send '))
    .map((line) => line.replace(/^#\d+ send conversation=c1 /, ''));

test('a message is stored with its key and next number before it is sent', () => {
  const harness = Harness.ready(entry(1));
  harness.slow_storage = true;
  assert.deepEqual(send(harness, 1), [
    'outbox',
    'store c1(cursor=0,from=1,next=2) out(1,101,pending)',
  ]);
  assert.deepEqual(sends(harness.settle()), [
    'number=1 random=101 settled=1 contentType=text/plain text=t1 replyTo=0',
  ]);
});

test('nothing is sent when it could not be stored', () => {
  const harness = Harness.ready(entry(1));
  harness.slow_storage = true;
  send(harness, 1);
  const lines = harness.settle('quota');
  assert.deepEqual(sends(lines), []);
  assert.ok(lines.includes('reject 1 store_failed') && lines.includes('problem store_failed'));
});

test('the ack answers the caller and the item leaves the storage', async () => {
  const harness = Harness.ready(entry(1));
  const request = request_of(send(harness, 1), 'send');
  assert.deepEqual(harness.answer(request, ack(1, 5)), [
    'acked',
    'outbox',
    'resolve 1 ack',
    'store -out(100)',
  ]);
  assert.deepEqual((await harness.storage.load()).outbox, []);
  assert.match(sends(send(harness, 2))[0]!, /number=2 .* settled=2 /);
});

test('settled is the oldest open number', () => {
  const harness = Harness.ready(entry(1));
  const requests = [1, 2, 3].map((call) => request_of(send(harness, call), 'send'));
  harness.answer(requests[1]!, ack(2, 2));
  assert.match(sends(send(harness, 4))[0]!, /number=4 .* settled=1 /);
  harness.answer(requests[0]!, ack(1, 1));
  assert.match(sends(send(harness, 5))[0]!, /number=5 .* settled=3 /);
});

test('at most 32 numbers are open; the 33rd goes out with the first ack', () => {
  const harness = Harness.ready(entry(1));
  let first = 0;
  for (let call = 1; call <= 33; call += 1) {
    const lines = send(harness, call);
    if (call === 1) first = request_of(lines, 'send');
    assert.equal(sends(lines).length, call <= 32 ? 1 : 0, `send ${call}`);
  }
  assert.match(sends(harness.answer(first, ack(1, 1)))[0]!, /number=33 .* settled=2 /);
});

test('after a lost link everything open goes out again in order with the same keys', () => {
  const harness = Harness.ready(entry(1));
  const requests = [1, 2, 3].map((call) => request_of(send(harness, call), 'send'));
  harness.answer(requests[0]!, ack(1, 1));
  harness.feed({ type: 'closed', code: 1006, reason: '' });
  assert.deepEqual(sends(send(harness, 4)), []);
  harness.next_tick();
  const again = harness.welcome([entry(1)]);
  assert.deepEqual(
    sends(again).map((line) => line.replace(/ contentType.*/, '')),
    [
      'number=2 random=103 settled=2',
      'number=3 random=105 settled=2',
      'number=4 random=107 settled=2',
    ],
  );
  const lines = harness.answer(request_of(again, 'number=2'), ack(2, 2, true));
  assert.ok(lines.includes('resolve 2 ack'));
});

test('the outbox of an earlier life is sent after a restart', async () => {
  const before = Harness.ready(entry(1));
  send(before, 1);
  before.feed({ type: 'closed', code: 1006, reason: '' });
  send(before, 2);
  const after = new Harness(500);
  after.start(await before.storage.load());
  assert.deepEqual(
    sends(after.welcome([entry(1)])).map((line) => line.replace(/ contentType.*/, '')),
    ['number=1 random=101 settled=1', 'number=2 random=103 settled=1'],
  );
  assert.match(sends(send(after, 3))[0]!, /number=3 /);
});

test('an answer decides what becomes of the message', () => {
  const error = (code: string, options = {}): Answer => ({
    type: 'error',
    error: new ParleyError(code, 'x', options),
  });
  const table: [Answer, string[], string | null][] = [
    [error('denied'), ['reject 1 denied'], 'failed'],
    [error('key_reused'), ['reject 1 key_reused'], 'failed'],
    [error('too_old', { next: 9 }), ['reject 1 too_old'], 'failed'],
    [error('number_taken', { next: 9 }), [], 'pending'],
    [error('busy'), [], 'pending'],
    [ack(1, 1), ['resolve 1 ack'], null],
  ];
  for (const [answer, settled, state] of table) {
    const harness = Harness.ready(entry(1));
    const lines = harness.answer(request_of(send(harness, 1), 'send'), answer);
    const what = answer.type === 'error' ? answer.error.code : answer.type;
    assert.deepEqual(
      lines.filter((line) => /^re(ject|solve)/.test(line)),
      settled,
      what,
    );
    assert.equal(harness.core.outbox(id(1))[0]?.state ?? null, state, what);
  }
});

test('number_taken renumbers from next with fresh random bits and says so', () => {
  const harness = Harness.ready(entry(1));
  const request = request_of(send(harness, 1), 'send');
  const error = new ParleyError('number_taken', 'x', { next: 9 });
  const lines = harness.answer(request, { type: 'error', error });
  assert.ok(
    lines.includes('store c1(cursor=0,from=1,next=10) out(9,102,pending)'),
    lines.join('\n'),
  );
  assert.match(sends(lines)[0]!, /number=9 random=102 settled=9 .*text=t1/);
  assert.equal(harness.core.outbox(id(1))[0]!.renumbered, true);
  assert.match(sends(send(harness, 2))[0]!, /number=10 /);
});

test('after too_old the next message goes on with next', () => {
  const harness = Harness.ready(entry(1));
  const error = new ParleyError('too_old', 'x', { next: 9 });
  harness.answer(request_of(send(harness, 1), 'send'), { type: 'error', error });
  assert.match(sends(send(harness, 2))[0]!, /number=9 .* settled=9 /);
});

test('busy holds the conversation for retry_after and then goes on in order', () => {
  const harness = Harness.ready(entry(1), entry(2));
  const first = request_of(send(harness, 1), 'send');
  const second = request_of(send(harness, 2), 'send');
  const busy = (): Answer => ({
    type: 'error',
    error: new ParleyError('busy', 'x', { retryAfterMs: 2000 }),
  });
  assert.deepEqual(sends(harness.answer(first, busy())), []);
  assert.deepEqual(sends(send(harness, 3)), []);
  const other = harness.feed({
    type: 'send',
    call: 9,
    conversation: id(2),
    text: 'x',
    contentType: '',
    replyTo: 0,
  });
  assert.equal(
    other.filter((line) => line.includes('conversation=c2')).length,
    1,
    'another one is not held',
  );
  assert.deepEqual(sends(harness.after(2000)), [], 'the second is still in flight');
  harness.answer(second, busy());
  assert.deepEqual(
    sends(harness.after(2000)).map((line) => line.replace(/ random.*/, '')),
    ['number=1', 'number=2', 'number=3'],
  );
});

test('a failed message can be retried under a new number, or discarded', async () => {
  const harness = Harness.ready(entry(1));
  const denied: Answer = { type: 'error', error: new ParleyError('denied', 'x') };
  harness.answer(request_of(send(harness, 1), 'send'), denied);
  const { local } = harness.core.outbox(id(1))[0]!;
  const again = harness.feed({ type: 'retry', conversation: id(1), local });
  assert.match(sends(again)[0]!, /number=2 .* settled=2 .*text=t1/);
  harness.feed({ type: 'discard', conversation: id(1), local });
  assert.equal(harness.core.outbox(id(1)).length, 1, 'in flight: cannot be taken back');
  harness.answer(request_of(again, 'send'), denied);
  harness.feed({ type: 'discard', conversation: id(1), local });
  assert.deepEqual(harness.core.outbox(id(1)), []);
  assert.deepEqual((await harness.storage.load()).outbox, []);
});

test('a text above the limit or for an unknown conversation is refused at once', () => {
  const harness = Harness.ready(entry(1));
  assert.deepEqual(only(send(harness, 1, 'x'.repeat(100)), 'reject'), []);
  assert.deepEqual(send(harness, 2, 'x'.repeat(101)), ['reject 2 too_large']);
  assert.deepEqual(send(harness, 3, 'é'.repeat(51)), ['reject 3 too_large']);
  const unknown = harness.feed({
    type: 'send',
    call: 4,
    conversation: id(9),
    text: 'x',
    contentType: '',
    replyTo: 0,
  });
  assert.deepEqual(unknown, ['reject 4 denied']);
});

test('messages to a conversation that is gone fail, and nothing of it stays stored', async () => {
  const harness = Harness.ready(entry(1));
  send(harness, 1);
  const change = { whole: false, entries: [], removed: [id(1)], token: 't2' };
  const lines = harness.push({ type: 'list', change });
  assert.ok(lines.includes('reject 1 denied'), lines.join('\n'));
  const stored = await harness.storage.load();
  assert.deepEqual([stored.conversations, stored.outbox, stored.meta?.syncToken], [[], [], 't2']);
});
