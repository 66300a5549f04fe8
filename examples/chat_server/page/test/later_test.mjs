// later_test.mjs: the times that are offered for "later".
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { later_times } = await load('scheduled.ts');

const offered = (...now) =>
  later_times(new Date(...now)).map(({ label, at }) => {
    const date = new Date(at);
    return `${label}: ${date.getDate()}. ${date.getHours()}:${date.getMinutes()}`;
  });

test('later is in an hour, in the evening, tomorrow, on Monday: what is still ahead, each once', () => {
  assert.deepEqual(offered(2026, 0, 14, 10, 20), [
    'In an hour: 14. 11:20',
    'This evening: 14. 19:0',
    'Tomorrow morning: 15. 9:0',
    'Monday morning: 19. 9:0',
  ]);
  assert.deepEqual(offered(2026, 0, 18, 18, 45), [
    'In an hour: 18. 19:45',
    'Tomorrow morning: 19. 9:0',
  ]);
});
