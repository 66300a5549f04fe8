// mentions_test.mjs: which names stand in a text.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { find_mentions, mentions_in } = await load('mentions.ts');

const names = (text, known = ['ann', 'ann-marie', 'Bob Lee']) =>
  find_mentions(text, known).map(({ at, name }) => `${at}:${name}`);

test('names are found as whole words, the longest that fits, whatever their case', () => {
  assert.deepEqual(names('@ann, @ann-marie and @bob lee!'), ['0:ann', '6:ann-marie', '21:Bob Lee']);
  assert.deepEqual(names('ask @annabel, me@ann.org, @@ann'), []);
  assert.deepEqual(names('(@Ann)'), ['1:ann']);
  assert.deepEqual(names('@ünal @ünalan', ['ünal']), ['0:ünal']);
});

test('who is named is told by id, everybody by the scope', () => {
  const people = [
    { user: '1', name: 'ann' },
    { user: '2', name: 'bob' },
  ];
  assert.deepEqual(mentions_in('@bob and @bob', people), { mentions: ['2'], mentionScope: 'none' });
  assert.deepEqual(mentions_in('@all, @ann', people), { mentions: ['1'], mentionScope: 'all' });
  assert.deepEqual(mentions_in('nobody', people), { mentions: [], mentionScope: 'none' });
});
