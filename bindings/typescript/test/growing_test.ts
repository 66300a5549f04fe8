// growing_test.ts: messages that grow: pieces in any order come to the same text, and end.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ParleyError } from '../src/errors.js';
import { Growing } from '../src/growing.js';
import { MessageStream } from '../src/message_stream.js';
import type { Answer } from '../src/operations.js';
import type { CoreOwner } from '../src/owner.js';
import { Timers } from '../src/timers.js';
import type { Ack, GrowingMessage, StreamPiece } from '../src/types.js';
import { bob, id, message } from './harness.js';

class World {
  now = 0;
  readonly shown: GrowingMessage[] = [];
  readonly asked: ((answer: Answer) => void)[] = [];
  readonly timers = new Timers();
  readonly growing: Growing;

  constructor() {
    const owner = {
      timers: this.timers,
      emit: (event: { name: string; value: unknown }) =>
        this.shown.push(event.value as GrowingMessage),
      ask: (_: unknown, on: (answer: Answer) => void) => this.asked.push(on),
    };
    Object.defineProperty(owner, 'now', { get: () => this.now });
    this.growing = new Growing(owner as unknown as CoreOwner);
  }

  get texts(): string[] {
    return this.shown.map((one) => (one.ended ? 'ended' : one.text));
  }
}

function piece(at: number, text: string, fields: Partial<StreamPiece> = {}): StreamPiece {
  return {
    conversation: id(1),
    stream: '7',
    sender: bob,
    contentType: 'text/plain',
    replyTo: 0,
    threadRoot: 0,
    at,
    text,
    ended: false,
    ...fields,
  };
}

test('a text grows piece by piece, counted in bytes', () => {
  const world = new World();
  world.growing.take(piece(0, ''));
  world.growing.take(piece(0, 'grü'));
  world.growing.take(piece(4, 'ße'));
  world.growing.take(piece(4, 'ße')); // told twice
  world.growing.take(piece(7, '')); // still there
  assert.deepEqual(world.texts, ['', 'grü', 'grüße']);
  assert.equal(world.asked.length, 0);
  world.growing.take(piece(7, '', { ended: true }));
  world.growing.take(piece(7, '', { ended: true }));
  assert.deepEqual(world.texts.slice(3), ['ended']);
});

test('who comes midway, or missed a piece, asks once for all of it', () => {
  const world = new World();
  world.growing.take(piece(5, ''));
  world.growing.take(piece(5, ' world'));
  assert.equal(world.asked.length, 1);
  world.asked[0]!({ type: 'streamed', piece: piece(0, 'hello world') });
  assert.deepEqual(world.texts, ['hello world']);
  world.growing.take(piece(11, '!'));
  assert.deepEqual(world.texts, ['hello world', 'hello world!']);
  world.growing.take(piece(20, 'x'));
  world.asked[1]!({ type: 'error', error: new ParleyError('denied', 'it has ended') });
  assert.deepEqual(world.texts.slice(2), ['ended']);
});

test('it ends with its message, with the link, and when nothing is heard of it', () => {
  const world = new World();
  world.growing.take(piece(0, 'a'));
  world.growing.stored(message(3, { stream: '7', sender: '99' })); // of somebody else
  world.growing.stored(message(3, { stream: '7', sender: bob }));
  assert.deepEqual(world.texts, ['a', 'ended']);
  world.growing.take(piece(0, 'b', { stream: '8' }));
  world.growing.link_lost();
  assert.deepEqual(world.texts.slice(2), ['b', 'ended']);
  world.growing.take(piece(0, 'c', { stream: '9' }));
  world.now = 20_000;
  world.growing.take(piece(1, '', { stream: '9' }));
  world.now = 30_000;
  assert.deepEqual(world.timers.take_due(world.now), ['growing']);
  world.growing.expire();
  assert.deepEqual(world.texts.slice(4), ['c']);
  world.now = 50_000;
  assert.deepEqual(world.timers.take_due(world.now), ['growing']);
  world.growing.expire();
  assert.deepEqual(world.texts.slice(5), ['ended']);
});

test('what is appended while one append is under way goes with the next; all is in the message', async () => {
  const told: [number, string][] = [];
  let go: () => void = () => undefined;
  const ack: Ack = { conversation: id(1), seq: 4, time: 0, repeated: false } as unknown as Ack;
  const sent: [string, string | undefined][] = [];
  const stream = new MessageStream(
    '7',
    {
      append: (at, text) => {
        told.push([at, text]);
        return new Promise((resolve) => (go = resolve));
      },
      cancel: () => Promise.resolve(),
      send: (text, options) => {
        sent.push([text, options.stream]);
        return Promise.resolve(ack);
      },
    },
    {},
  );
  for (const part of ['ü', 'b', 'c']) stream.append(part);
  go();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(told, [
    [0, 'ü'],
    [2, 'bc'],
  ]);
  stream.append('d');
  assert.equal(await stream.finish(), ack);
  assert.deepEqual(sent, [['übcd', '7']]);
  assert.throws(() => stream.append('e'), { code: 'invalid_argument' });
});
