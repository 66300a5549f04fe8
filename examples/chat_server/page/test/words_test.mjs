// words_test.mjs: what the engine says for developers, in words of people.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { in_words } = await load('words.ts');

test('errors are told in words of people', () => {
  const table = [
    ['invalid_argument', 'peer: expected another user', 'That is you. Choose somebody else.'],
    ['invalid_argument', 'seq: the message was deleted', 'The message was deleted meanwhile.'],
    ['denied', 'absent or forbidden', 'It does not exist, or it is not open to you.'],
    [
      'denied',
      'the time in which this message could be edited is over',
      'It is too old to be edited.',
    ],
    [
      'limit_reached',
      'seq: 100 messages are pinned; unpin one first',
      '100 messages are pinned already. Unpin one first.',
    ],
    ['1001', 'No politics here.', 'No politics here.'],
  ];
  for (const [code, message, words] of table) assert.equal(in_words({ code, message }), words);
  assert.equal(in_words(new Error('as it is')), 'as it is');
});
