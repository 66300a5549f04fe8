// messages_test.ts: events in any order, any number of times, with pages of any moment, fold into the
// same messages.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageFold, isChange, tombstone, type Message } from '../src/messages.js';
import type { ChatEvent, Tally } from '../src/types.js';
import { bob, me, message } from './harness.js';

function change(seq: number, kind: string, fields: Partial<ChatEvent> = {}): ChatEvent {
  return message(seq, { kind, text: '', ...fields });
}

function tally(seq: number, revision: number, ...reactions: [string, ...string[]][]): Tally {
  return {
    seq,
    revision,
    reactions: reactions.map(([key, ...users]) => ({ key, count: users.length, users })),
  };
}

function fold(...events: ChatEvent[]): MessageFold {
  const made = new MessageFold(me);
  for (const event of events) made.take([event]);
  return made;
}

function line(one: Message | null): string {
  if (!one) return 'none';
  const reactions = one.reactions.map(({ key, count, mine }) => `${key}${count}${mine ? '*' : ''}`);
  const marks = [one.edited ? 'edited' : '', one.pinned ? 'pinned' : '', ...reactions];
  return [one.deleted ? 'gone' : one.text, ...marks.filter((mark) => mark !== '')].join(' ');
}

test('what the user deleted for itself is not shown, whatever is told of it', () => {
  const made = fold(message(1), message(2));
  made.forget([2, 3]);
  assert.deepEqual(made.take([message(2), message(3), change(4, 'edited', { about: 2 })]), []);
  assert.equal(line(made.get(2)), 'none');
  assert.deepEqual(made.all().map(({ seq }) => seq), [1]);
});

test('each change applies above what the message has', () => {
  const edited = change(3, 'edited', { about: 1, text: 'new' });
  const later = change(5, 'edited', { about: 1, text: 'newer' });
  const page = message(1, { text: 'newer', changed: 5, edited: 5000 });
  const on = change(4, 'reactions', { tallies: [tally(1, 1, ['+', me, bob])] });
  const off = change(6, 'reactions', { tallies: [tally(1, 2)] });
  const table: [ChatEvent[], string][] = [
    [[message(1)], 'm1'],
    [[edited], 'none'],
    [[message(1), edited], 'new edited'],
    [[edited, message(1)], 'new edited'],
    [[later, edited, message(1)], 'newer edited'],
    [[page, edited], 'newer edited'],
    [[page, message(1)], 'newer edited'],
    [[message(1), change(2, 'pinned', { about: 1 })], 'm1 pinned'],
    [[message(1), change(3, 'unpinned', { about: 1 }), change(2, 'pinned', { about: 1 })], 'm1'],
    [[message(1, { pinned: true, changed: 4 }), change(3, 'unpinned', { about: 1 })], 'm1 pinned'],
    [[message(1), on], 'm1 +2*'],
    [[message(1), on, off], 'm1'],
    [[message(1), off, on], 'm1'],
    [[message(1), change(2, 'deleted', { about: 1 }), later, on], 'gone'],
    [[message(1, { deleted: true, text: '', changed: 9 }), message(1), later], 'gone'],
    [[message(1), change(3, 'edited', { about: 1, deleted: true })], 'gone'],
  ];
  for (const [events, expected] of table) assert.equal(line(fold(...events).get(1)), expected);
});

test('whose reactions are mine may be known later', () => {
  const made = new MessageFold('');
  made.take([message(1, { tallies: [tally(1, 1, ['+', me])] })]);
  assert.equal(line(made.get(1)), 'm1 +1');
  made.self = me;
  assert.equal(line(made.get(1)), 'm1 +1*');
});

test('who reacted is unknown when nobody is named', () => {
  const many: Tally = { seq: 1, revision: 1, reactions: [{ key: '+', count: 70, users: [] }] };
  const made = fold(message(1), change(2, 'reactions', { tallies: [many] }));
  assert.deepEqual(made.get(1)!.reactions, [{ key: '+', count: 70, users: [], mine: null }]);
});

test('take tells which messages to draw again; changes are no rows', () => {
  const made = new MessageFold(me);
  assert.deepEqual(made.take([message(1), message(2)]), [1, 2]);
  const tallies = [tally(1, 1, ['+', bob]), tally(7, 1, ['+', bob])];
  assert.deepEqual(made.take([change(3, 'reactions', { tallies })]), [1]);
  assert.deepEqual(made.take([change(4, 'joined')]), []);
  assert.deepEqual(
    made.all().map((one) => one.seq),
    [1, 2],
  );
  const shown = ['message', 'joined', '77'];
  const kinds = ['edited', 'deleted', 'reactions', 'pinned', 'unpinned', 'hidden', ...shown];
  assert.deepEqual(
    kinds.filter((kind) => isChange(change(1, kind))),
    kinds.slice(0, 6),
  );
});

test('a tombstone has no content', () => {
  const gone = tombstone(message(3, { replyTo: 1, data: 'x', echo: '9' }), 8);
  const { text, data, echo, replyTo, deleted, changed, sender } = gone;
  assert.deepEqual(
    [text, data, echo, replyTo, deleted, changed, sender],
    ['', '', '', 0, true, 8, bob],
  );
});

test('a root counts its replies, in whatever order and however often they are told', () => {
  const root = message(3, { changed: 9, replies: 2, lastReply: 9 });
  const reply = (seq: number, fields: Partial<ChatEvent> = {}): ChatEvent =>
    message(seq, { threadRoot: 3, ...fields });
  const gone = (seq: number, about: number): ChatEvent =>
    message(seq, { kind: 'deleted', about, threadRoot: 3 });
  const told = [root, reply(9), reply(12), reply(13), gone(14, 12), gone(8, 5)];
  const tombstone_only = [root, reply(12, { deleted: true, changed: 14 }), reply(13)];
  for (const events of [told, [...told].reverse(), [...told, ...told], tombstone_only]) {
    const fold = new MessageFold(bob);
    for (const event of events) fold.take([event]);
    const { replies, lastReply } = fold.get(3)!;
    assert.deepEqual([replies, lastReply], [3, 13]);
  }
  const fold = new MessageFold(bob);
  fold.take([root]);
  assert.deepEqual(fold.take([reply(12)]), [12, 3], 'the root has changed');
});

// ---- Random histories ----

function random_source(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A stream as an engine would write it, and each message as it stood after each event. */
class Model {
  readonly events: ChatEvent[] = [];
  private readonly versions_ = new Map<number, ChatEvent[]>(); // ascending by `changed`

  constructor(private readonly random_: (below: number) => number) {}

  step(): void {
    const seq = this.events.length + 1;
    const messages = [...this.versions_.keys()];
    const about = messages[this.random_(messages.length)];
    const before = about === undefined ? undefined : this.now(about);
    const what = this.random_(10);
    if (what < 3 || about === undefined || !before || before.deleted) {
      const written = message(seq, { echo: String(seq), replyTo: this.random_(seq) });
      this.versions_.set(seq, [written]);
      this.events.push(written);
      return;
    }
    if (what < 5) {
      const text = `t${seq}`;
      this.tell(change(seq, 'edited', { about, text }), { text, edited: seq * 1000 });
    } else if (what < 6) {
      this.tell(change(seq, 'deleted', { about }), tombstone(before, seq));
    } else if (what < 8) {
      const pinned = !before.pinned;
      this.tell(change(seq, pinned ? 'pinned' : 'unpinned', { about }), { pinned });
    } else {
      const revision = (before.tallies[0]?.revision ?? 0) + 1 + this.random_(2);
      const users = [me, bob, '43'].filter(() => this.random_(2) === 0);
      const tallies = [tally(about, revision, ...((users.length ? [['+', ...users]] : []) as []))];
      this.tell(change(seq, 'reactions', { tallies }), { tallies }, about);
    }
  }

  private tell(event: ChatEvent, now: Partial<ChatEvent>, about = event.about): void {
    this.events.push(event);
    const next = { ...this.now(about), ...now, changed: event.seq };
    this.versions_.get(about)!.push(next);
  }

  now(seq: number): ChatEvent {
    return this.versions_.get(seq)!.at(-1)!;
  }

  /** The event `seq` as a page shows it that was read when the head was `head`. */
  as_of(seq: number, head: number): ChatEvent {
    const versions = this.versions_.get(seq);
    return versions?.filter((one) => one.changed <= head).at(-1) ?? this.events[seq - 1]!;
  }

  messages(): ChatEvent[] {
    return [...this.versions_.keys()].map((seq) => this.now(seq));
  }
}

const plain = ({ reactions: _, results: __, ...event }: Message): ChatEvent => event;

test('every order of pages, pushes and replays gives the messages as they stand', () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = random_source(seed);
    const model = new Model(random);
    for (let left = 5 + random(40); left > 0; left -= 1) model.step();
    const head = model.events.length;
    // Every event once as it was pushed, or in a page read at some moment since ...
    const told = model.events.map(({ seq }) => model.as_of(seq, seq + random(head - seq + 1)));
    // ... and what was in a page read at `m` needs no changes up to `m`, but may get them again.
    for (let extra = random(20); extra > 0; extra -= 1) {
      const seq = 1 + random(head);
      told.push(model.as_of(seq, seq + random(head - seq + 1)));
    }
    for (let at = told.length - 1; at > 0; at -= 1) {
      const other = random(at + 1);
      [told[at], told[other]] = [told[other]!, told[at]!];
    }
    const made = new MessageFold(me);
    while (told.length > 0) made.take(told.splice(0, 1 + random(5)));
    assert.deepEqual(made.all().map(plain), model.messages(), `seed ${seed}`);
  }
});

test('a page alone, and the pushes after it, are enough', () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = random_source(seed);
    const model = new Model(random);
    for (let left = 5 + random(40); left > 0; left -= 1) model.step();
    const head = model.events.length;
    const read_at = 1 + random(head);
    const first = 1 + random(read_at); // the page is first .. read_at
    const page = model.events.slice(first - 1, read_at).map(({ seq }) => model.as_of(seq, read_at));
    const made = new MessageFold(me);
    made.take(model.events.slice(read_at)); // pushes come before the answer
    made.take(page);
    // Older pages are read later, when more has happened.
    made.take(model.events.slice(0, first - 1).map(({ seq }) => model.as_of(seq, head)));
    assert.deepEqual(made.all().map(plain), model.messages(), `seed ${seed}`);
  }
});

test('the results of a poll are those of the newest tally, and go with the message', () => {
  const poll = { options: ['a', 'b'], multiple: false, anonymous: false, closes: 0 };
  const of = (revision: number, votes: number[], closed = false): Tally => ({
    ...tally(1, revision),
    poll: { votes, voters: votes.reduce((sum, one) => sum + one, 0), closed },
  });
  const asked = message(1, { poll });
  const none = { votes: [0, 0], voters: 0, closed: false };
  assert.deepEqual(fold(asked).get(1)!.results, none);
  assert.equal(fold(message(1)).get(1)!.results, null);
  const first = change(2, 'reactions', { tallies: [of(1, [1, 0])] });
  const last = change(3, 'reactions', { tallies: [of(2, [1, 1], true)] });
  const ended = { votes: [1, 1], voters: 2, closed: true };
  assert.deepEqual(fold(asked, first, last).get(1)!.results, ended);
  assert.deepEqual(fold(last, first, asked).get(1)!.results, ended);
  assert.deepEqual(fold(message(1, { poll, tallies: [of(2, [1, 1], true)], changed: 3 }), first)
    .get(1)!.results, ended);
  const gone = fold(asked, first, change(4, 'deleted', { about: 1 })).get(1)!;
  assert.equal(gone.results, null);
  assert.equal(gone.poll, null);
});
