// list_test.ts: what the list shows, and which conversations are in it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ParleyError } from '../src/errors.js';
import type { Answer } from '../src/operations.js';
import type { ListEntry } from '../src/types.js';
import {
  Harness,
  at,
  at_five,
  bob,
  empty,
  entry,
  epoch,
  events,
  id,
  me,
  message,
  only,
  resume,
  subscribes,
} from './harness.js';

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

test('a space that is opened again keeps the channels that a list told', () => {
  const space = entry(1, { kind: 'space', children: [id(2)] });
  const harness = Harness.ready(space, entry(2, { space: id(1) }));
  const operation = { type: 'join_invite' as const, token: 'link' };
  harness.feed({ type: 'request', call: 1, operation });
  harness.answer(harness.last_request, { type: 'opened', entry: entry(1, { kind: 'space' }) });
  assert.deepEqual(harness.core.conversation(id(1))!.entry.children, [id(2)]);
  assert.ok(harness.core.conversation(id(2)));
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
