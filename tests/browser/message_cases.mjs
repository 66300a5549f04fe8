// message_cases.mjs: what becomes of messages: edits, deletions, reactions, answers, pins.
import assert from 'node:assert/strict';
import { check } from './checks.mjs';
import { Person, direct_chat, input, numbered, part } from './person.mjs';

async function open_chat() {
  const [alice, bob] = await direct_chat();
  await bob.open(alice.name);
  return [alice, bob];
}

check('an edit shows in the other window, in the list, and after a reload', async () => {
  const [alice, bob] = await open_chat();
  await alice.say('helo', 'second');
  await bob.sees('second');
  await alice.act('helo', 'edit');
  assert.equal(await alice.page.inputValue(input), 'helo');
  await alice.say('hello');
  await bob.sees('hello');
  await bob.message('hello').locator('.edited').waitFor();
  await alice.page.waitForSelector('.composer:not(.editing)');
  await bob.previews(alice.name, 'second');
  // ArrowUp takes the last own message, Escape leaves it and brings the draft back.
  await alice.page.fill(input, '');
  await alice.page.press(input, 'ArrowUp');
  assert.equal(await alice.page.inputValue(input), 'second');
  await alice.page.press(input, 'Escape');
  assert.equal(await alice.page.inputValue(input), '');
  await alice.page.press(input, 'ArrowUp');
  await alice.say('second, better');
  await bob.previews(alice.name, 'second, better');
  await bob.page.reload();
  await bob.sees_exactly(['hello', 'second, better']);
  assert.equal(await bob.page.locator('.edited').count(), 2);
  assert.equal(await bob.page.locator('.row.message').count(), 2, 'an edit is no row');
  assert.deepEqual(
    await bob.offers('hello'),
    ['reply', 'forward', 'copy', 'pin', 'delete-for-me'],
    'no edit by others',
  );
  await part(alice, bob);
});

check('a message deleted for oneself goes from both windows, and nobody else learns of it', async () => {
  const [alice, bob] = await open_chat();
  await alice.say('first', 'a slip', 'last');
  await bob.sees('last');
  const other = await bob.again();
  await other.open(alice.name);
  await other.sees_exactly(['first', 'a slip', 'last']);
  await bob.act('a slip', 'delete-for-me');
  await bob.page.click('dialog button:text-is("Delete for me")');
  await bob.sees_exactly(['first', 'last']);
  await other.sees_exactly(['first', 'last']);
  await bob.act('last', 'delete-for-me');
  await bob.page.click('dialog button:text-is("Delete for me")');
  await bob.previews(alice.name, 'first');
  await other.previews(alice.name, 'first');
  await bob.page.reload();
  await bob.sees_exactly(['first']);
  assert.equal(await bob.page.locator('.tombstone').count(), 0);
  await alice.sees_exactly(['first', 'a slip', 'last']);
  await part(alice, bob, other);
});

check('a deleted message leaves a tombstone, and is not unread any more', async () => {
  const [alice, bob] = await direct_chat();
  await alice.say('first', 'a secret');
  await bob.entry(alice.name).locator('.badge:text-is("2")').waitFor();
  await alice.tick('a secret', 'delivered');
  await alice.act('a secret', 'delete');
  await alice.page.click('dialog button:text-is("Keep it")');
  await alice.act('a secret', 'delete');
  await alice.page.click('dialog button:text-is("Delete for everybody")');
  await alice.page.waitForSelector('.tombstone');
  await bob.previews(alice.name, 'message deleted');
  await bob.entry(alice.name).locator('.badge:text-is("1")').waitFor();
  await bob.open(alice.name);
  await bob.page.waitForSelector('.tombstone:text-is("This message was deleted")');
  await bob.page.reload();
  await bob.page.waitForSelector('.tombstone');
  await bob.sees_exactly(['first']);
  const kept = await bob.page.evaluate(async () => {
    const all = await indexedDB.databases();
    const open = (name) =>
      new Promise((resolve) => {
        const request = indexedDB.open(name);
        request.onsuccess = () => resolve(request.result);
      });
    const read = (database) =>
      new Promise((resolve) => {
        const request = database.transaction('events').objectStore('events').getAll();
        request.onsuccess = () => resolve(JSON.stringify(request.result));
      });
    return Promise.all(all.map(async ({ name }) => read(await open(name))));
  });
  assert.ok(kept.join().includes('first'));
  assert.ok(!kept.join().includes('a secret'), 'it is gone from the device, too');
  await part(alice, bob);
});

check('reactions are toggled from both windows and survive a reload', async () => {
  const [alice, bob] = await open_chat();
  await alice.say('lunch?');
  await bob.sees('lunch?');
  await bob.react('lunch?', '👍');
  await bob.sees_reactions('lunch?', '👍1*');
  await alice.sees_reactions('lunch?', '👍1');
  const chip = alice.message('lunch?').locator('.reaction');
  assert.equal(await chip.getAttribute('title'), `${bob.name} reacted with 👍`);
  await chip.click();
  await bob.sees_reactions('lunch?', '👍2*');
  await alice.react('lunch?', '❤️');
  await bob.sees_reactions('lunch?', '👍2* ❤️1');
  await alice.sees_reactions('lunch?', '👍2* ❤️1*');
  await alice.message('lunch?').hover();
  await alice.page.click('.actions [title=React]');
  await alice.page.fill('.any-reaction', 'yes');
  await alice.page.press('.any-reaction', 'Enter');
  await bob.sees_reactions('lunch?', '👍2* ❤️1 yes1');
  await bob.message('lunch?').locator('.reaction').first().click();
  await alice.sees_reactions('lunch?', '👍1* ❤️1* yes1*');
  for (const person of [alice, bob]) await person.page.reload();
  await alice.sees_reactions('lunch?', '👍1* ❤️1* yes1*');
  await bob.sees_reactions('lunch?', '👍1 ❤️1 yes1');
  await part(alice, bob);
});

check('reactions in a channel come together', async () => {
  const [owner, guest] = [await Person.arrive('owner'), await Person.arrive('guest')];
  await owner.open('Lobby');
  await guest.open('Lobby');
  const text = `who is here, asks ${owner.name}?`;
  await owner.say(text);
  await guest.sees(text);
  await Promise.all([guest.react(text, '🙏'), owner.react(text, '🙏')]);
  await owner.sees_reactions(text, '🙏2*');
  await guest.sees_reactions(text, '🙏2*');
  assert.deepEqual(
    await guest.offers(text),
    ['reply', 'thread', 'forward', 'copy', 'delete-for-me'],
    'pins are for admins',
  );
  await part(owner, guest);
});

check('an answer shows what it answers and leads there', async () => {
  const [alice, bob] = await open_chat();
  await alice.say('where do we meet?', ...numbered('filler', 40));
  await bob.sees('filler 40');
  await bob.act('where do we meet?', 'reply');
  await bob.page.waitForSelector(`.strip .title:text-is("Reply to ${alice.name}")`);
  await bob.say('at the station');
  await alice.sees('at the station');
  const quote = alice.message('at the station').locator('.quote');
  assert.equal(await quote.locator('.quote-text').textContent(), 'where do we meet?');
  await alice.page.reload();
  await alice.sees('at the station');
  await quote.click();
  await alice.page.waitForSelector('.message.flash .text:text-is("where do we meet?")');
  await part(alice, bob);
});

check('pins: a bar, a list that leads there, for both, until unpinned', async () => {
  const [alice, bob] = await open_chat();
  await alice.say('the door code is 4711', ...numbered('filler', 60));
  await bob.sees('filler 60');
  await alice.act('filler 60', 'pin');
  await alice.act('the door code is 4711', 'pin');
  await bob.page.waitForSelector('.pinned-bar .title:text-is("2 pinned messages")');
  await bob.page.reload();
  await bob.page.waitForSelector('.pinned-bar .title:text-is("2 pinned messages")');
  await bob.page.click('.pinned-bar');
  await bob.page.click('.pin-line:has-text("the door code")');
  await bob.page.waitForSelector('.message.flash .text:text-is("the door code is 4711")');
  await bob.page.click('.pinned-bar');
  await bob.page.click('.pins li:has-text("the door code") [title=Unpin]');
  await bob.page.waitForSelector('.pins li:nth-child(2)', { state: 'detached' });
  await bob.page.keyboard.press('Escape');
  await alice.page.waitForSelector('.pinned-bar .subtitle:text-is("filler 60")');
  await alice.act('filler 60', 'delete');
  await alice.page.click('dialog button:text-is("Delete for everybody")');
  for (const { page } of [alice, bob])
    await page.waitForSelector('.pinned-bar', { state: 'detached' });
  await part(alice, bob);
});

check('everything can be done with the keyboard', async () => {
  const [alice, bob] = await open_chat();
  await alice.say('one', 'two');
  await bob.sees('two');
  const { page } = bob;
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  await page.keyboard.press('Shift+Tab');
  assert.match(await focused(), /^two/);
  await page.keyboard.press('ArrowUp');
  assert.match(await focused(), /^one/);
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await bob.sees_reactions('one', '❤️1*');
  await page.keyboard.press('Enter');
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.evaluate(() => document.activeElement.title), 'Reply');
  await page.keyboard.press('Escape');
  assert.match(await focused(), /^one/);
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'TEXTAREA');
  await part(alice, bob);
});

check('a text of many lines is folded, and shown in full when asked for', async () => {
  const [alice, bob] = await open_chat();
  const long = numbered('line', 200).join('\n');
  await alice.page.fill(input, long);
  await alice.page.press(input, 'Enter');
  await bob.page.waitForSelector('.message .unfold');
  const texts = await bob.texts();
  assert.match(texts.at(-1), /^line 1\n[^]*line 24…$/);
  await bob.page.click('.unfold');
  await bob.page.waitForSelector('.unfold', { state: 'detached' });
  assert.equal((await bob.texts()).at(-1), long);
  await part(alice, bob);
});

check('a finger that rests on a message opens its sheet', async () => {
  const bob = await Person.arrive('bob');
  const phone = await Person.arrive('phone', {
    viewport: { width: 400, height: 700 },
    isMobile: true,
    hasTouch: true,
  });
  await phone.start('direct', { peer: bob.name });
  await phone.say('from my phone');
  await phone.tick('from my phone', 'delivered');
  const box = await phone.message('from my phone').locator('.bubble').boundingBox();
  const touch = await phone.page.context().newCDPSession(phone.page);
  const touchPoints = [{ x: box.x + 20, y: box.y + 12 }];
  await touch.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints });
  await phone.page.waitForSelector('dialog.sheet');
  await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  await phone.page.click('dialog.sheet [aria-label="React with 👍"]');
  await phone.sees_reactions('from my phone', '👍1*');
  const overflow = () =>
    phone.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.equal(await overflow(), 0);
  await part(phone, bob);
});
