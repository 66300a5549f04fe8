// list_cases.mjs: what a user sets in the list and begins to write: the same in every window of theirs.
import assert from 'node:assert/strict';
import { check } from './checks.mjs';
import { Person, direct_chat, input, part, server } from './person.mjs';
import { RawClient } from './raw_client.mjs';

const writes = (person, text) =>
  person.page.waitForFunction(
    ([selector, wanted]) => document.querySelector(selector)?.value === wanted,
    [input, text],
  );

check('pin, mute, mark and archive follow to the other window', async () => {
  const [alice, bob] = await direct_chat();
  const phone = await alice.again();
  await phone.lists(bob.name, 'Lobby');
  await alice.choose('Lobby', 'pin');
  await phone.lists('Lobby', bob.name);
  await phone.entry('Lobby').locator('.icon-pin').waitFor();
  await alice.choose('Lobby', 'unread');
  await phone.entry('Lobby').locator('.badge.mark').waitFor();
  assert.match(await phone.page.title(), /^\(1\)/);
  await phone.open('Lobby');
  await alice.entry('Lobby').locator('.badge.mark').waitFor({ state: 'detached' });
  await alice.choose('Lobby', 'mute');
  await phone.entry('Lobby').locator('.icon-muted').waitFor();
  await phone.choose('Lobby', 'unread');
  await alice.entry('Lobby').locator('.badge.mark').waitFor();
  assert.equal(await alice.page.title(), 'Parley', 'the muted do not ask for attention');
  await phone.choose('Lobby', 'read');
  await phone.choose('Lobby', 'archive');
  await alice.lists(bob.name);
  await alice.page.click('.archived-line');
  await alice.lists(bob.name, 'Lobby');
  await alice.page.reload();
  await alice.lists(bob.name);
  await alice.page.fill('.search input', 'lob');
  await alice.lists('Lobby');
  for (const action of ['archive', 'unmute', 'pin']) await alice.choose('Lobby', action);
  await phone
    .entry('Lobby')
    .locator('.icon-pin, .icon-muted')
    .first()
    .waitFor({ state: 'detached' });
  await phone.lists(bob.name, 'Lobby');
  await part(alice, bob, phone);
});

check('a line that changes while it is pressed opens all the same', async () => {
  const [alice, bob] = await direct_chat();
  await bob.open(alice.name);
  await alice.open('Lobby');
  await alice.entry(bob.name).hover();
  await alice.page.mouse.down();
  await bob.say('now');
  await bob.tick('now', 'delivered');
  await alice.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  await alice.page.mouse.up();
  await alice.page.waitForSelector(`.chat-header .title:text-is("${bob.name}")`);
  await alice.sees('now');
  await part(alice, bob);
});

check('a finger that rests on a line opens its sheet', async () => {
  const phone = await Person.arrive('phone', {
    viewport: { width: 390, height: 700 },
    isMobile: true,
    hasTouch: true,
  });
  const { x, y } = await phone.entry('Lobby').boundingBox();
  const touch = await phone.page.context().newCDPSession(phone.page);
  const touchPoints = [{ x: x + 90, y: y + 20 }];
  await touch.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints });
  await phone.page.waitForSelector('dialog.sheet');
  await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  await phone.page.click('dialog.sheet [data-action=mute-for-ever]');
  await phone.entry('Lobby').locator('.icon-muted').waitFor();
  await phone.page.waitForSelector('.composer', { state: 'detached' });
  await phone.leave();
});

check('the list is one stop of the Tab key, and the arrows lead to the menus', async () => {
  const [alice, bob] = await direct_chat();
  const { page } = alice;
  await alice.entry(bob.name).waitFor();
  await page.focus('.search input');
  await page.keyboard.press('Tab');
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  assert.match(await focused(), new RegExp(bob.name));
  await page.keyboard.press('ArrowDown');
  assert.match(await focused(), /Lobby/);
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.menu [data-action=pin]:focus');
  await page.keyboard.press('ArrowUp');
  assert.equal(await focused(), 'Archive');
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await alice.lists('Lobby', bob.name);
  await page.waitForSelector('li:has(.icon-pin) .row-menu:focus');
  await alice.choose('Lobby', 'pin');
  await part(alice, bob);
});

check('a draft is in every window of its writer, until it is sent', async () => {
  const [alice, bob] = await direct_chat();
  const laptop = await alice.again();
  await laptop.open('Lobby');
  await alice.page.type(input, 'half a thou');
  await laptop.previews(bob.name, 'Draft: half a thou');
  await laptop.open(bob.name);
  await writes(laptop, 'half a thou');
  await laptop.page.type(input, 'ght');
  await writes(alice, 'half a thought');
  await laptop.page.keyboard.press('Enter');
  await writes(alice, '');
  await alice.sees('half a thought');
  await alice.open('Lobby');
  await alice.previews(bob.name, 'You: half a thought');
  await part(alice, bob, laptop);
});

check('a draft survives a reload, also without the server', async () => {
  const [alice, bob] = await direct_chat();
  await alice.page.type(input, 'one');
  await alice.page.reload();
  await writes(alice, 'one');
  await server.kill();
  await alice.page.waitForSelector('.banner:visible');
  await alice.page.type(input, ' and two');
  // As a reload, but nobody serves the page now.
  await alice.page.goto('about:blank');
  await server.start();
  await alice.page.goBack();
  await writes(alice, 'one and two');
  const phone = await alice.again();
  await phone.previews(bob.name, 'Draft: one and two');
  await part(alice, bob, phone);
});

check('a list of hundreds is drawn as far as it is looked at', async () => {
  const alice = await Person.arrive('alice');
  const writer = new RawClient(server.url);
  await writer.hello(`busy-${alice.name}`, { device: 'd' });
  for (let n = 1; n <= 250; n += 1) {
    const answer = await writer.ask('create', {
      kind: 'group',
      title: `Group ${n}`,
      members: [alice.name],
    });
    assert.equal(answer.type, 'opened', JSON.stringify(answer));
  }
  writer.close();
  await alice.entry('Group 250').waitFor();
  assert.equal(await alice.page.locator('.conversation').count(), 100);
  await alice.until('the end of the list', async () => {
    const saw = await alice.page.evaluate(() => {
      const list = document.querySelector('.conversations');
      list.scrollTop = list.scrollHeight;
      return list.childElementCount;
    });
    return { ok: saw === 251, saw };
  });
  await alice.page.fill('.search input', 'group 249');
  await alice.lists('Group 249');
  await alice.leave();
});
