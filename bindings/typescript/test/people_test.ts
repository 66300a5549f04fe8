// people_test.ts: signals, presence and names.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Presence } from '../src/types.js';
import { Harness, bob, entry, id, me, only } from './harness.js';

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

test('how the user is goes into the next hello too', () => {
  const harness = Harness.ready(entry(1));
  const said = harness.feed({ type: 'presence', state: 'busy' });
  assert.match(only(said, '#').join(), /set_presence state=busy/);
  harness.feed({ type: 'closed', code: 1006, reason: '' });
  assert.equal(harness.core.hello().state, 'busy');
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
