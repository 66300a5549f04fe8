// chat_cases.mjs: people who chat: groups, channels, history, restarts of the server.
import assert from 'node:assert/strict';
import { check } from './checks.mjs';
import { Person, direct_chat, input, new_window, numbered, server } from './person.mjs';
import { RawClient } from './raw_client.mjs';

check('the sign-in card says loudly that names are not checked', async () => {
  const page = await new_window();
  await page.waitForSelector('.warning:has-text("Names are not checked")');
  await page.waitForSelector('button:text-is("Sign in")');
  await page.context().close();
});

check('two windows chat: unread, ticks, typing, presence', async () => {
  const [alice, bob] = await direct_chat();
  await alice.say('hello bob');
  await alice.tick('hello bob', 'delivered');
  await bob.entry(alice.name).locator('.badge:text-is("1")').waitFor();
  await bob.entry(alice.name).locator('.preview:text-is("hello bob")').waitFor();
  assert.match(await bob.page.title(), /^\(1\)/);
  await alice.say('are you there?');
  await bob.entry(alice.name).locator('.badge:text-is("2")').waitFor();
  await bob.open(alice.name);
  await bob.page.waitForSelector('.row.new');
  await alice.tick('hello bob', 'read');
  await alice.tick('are you there?', 'read');
  await bob.entry(alice.name).locator('.badge').waitFor({ state: 'detached' });
  await bob.page.type(input, 'yes, I a');
  await alice.page.waitForSelector('.row.typing');
  await bob.page.type(input, 'm');
  await bob.page.keyboard.press('Shift+Enter');
  await bob.page.keyboard.type('of course');
  await bob.page.keyboard.press('Enter');
  await alice.page.waitForSelector('.text:has-text("yes, I am")');
  assert.equal((await alice.texts()).at(-1), 'yes, I am\nof course');
  await alice.page.waitForSelector('.row.typing', { state: 'detached' });
  await alice.page.waitForSelector('.chat-header .dot.online');
  await bob.leave();
  await alice.page.waitForSelector('.chat-header .dot:not(.online)');
  await alice.page.waitForSelector('.chat-header .subtitle:has-text("last seen")');
  await alice.leave();
});

check('a group shows names, members and what happened', async () => {
  const [owner, bob, carol] = [
    await Person.arrive('owner'),
    await Person.arrive('bob'),
    await Person.arrive('carol'),
  ];
  await owner.start('group', { title: 'Trip', members: `${bob.name}, ${carol.name}` });
  await owner.say('who is in?');
  await bob.open('Trip');
  await bob.say('me');
  await bob.say('and my sister');
  await carol.open('Trip');
  await carol.page.waitForSelector(`.sender:text-is("${bob.name}")`);
  assert.equal(
    await carol.page.locator(`.sender:text-is("${bob.name}")`).count(),
    1,
    'one run, one name',
  );
  await owner.tick('who is in?', 'read');
  await owner.page.click('[title="Members"]');
  await owner.page.waitForSelector('.members li:nth-child(3)');
  const late = await Person.arrive('late');
  await owner.page.fill('dialog input[name=members]', late.name);
  await owner.page.click('dialog button:text-is("Add")');
  await owner.page.waitForSelector('.members li:nth-child(4)');
  await owner.page.keyboard.press('Escape');
  await late.open('Trip');
  await carol.page.waitForSelector(`.row.system:text-is("${owner.name} added ${late.name}")`);
  await late.page.click('[title="Members"]');
  await late.page.click('dialog button:text-is("Leave this group")');
  await late.page.click('dialog button:text-is("Leave")');
  await late.entry('Trip').waitFor({ state: 'detached' });
  await carol.page.waitForSelector(`.row.system:text-is("${late.name} left")`);
  for (const person of [owner, bob, carol, late]) await person.leave();
});

check('a channel is joined by its link', async () => {
  const [owner, guest] = [await Person.arrive('owner'), await Person.arrive('guest')];
  await owner.start('channel', { title: 'general' });
  await owner.say('before');
  const id = /c=([0-9a-f]{32})/.exec(owner.page.url())[1];
  await guest.page.evaluate((hash) => {
    location.hash = hash;
  }, `#join=${id}`);
  await guest.page.waitForSelector('.chat-header .title:text-is("general")');
  await owner.say('welcome');
  await guest.sees('welcome');
  await guest.say('thanks');
  await owner.sees('thanks');
  await owner.leave();
  await guest.leave();
});

check('a reload misses nothing and repeats nothing', async () => {
  const [alice, bob] = await direct_chat();
  await bob.open(alice.name);
  const texts = numbered('line', 24);
  await alice.say(...texts.slice(0, 8));
  await bob.sees('line 8');
  const reload = bob.page.reload();
  await alice.say(...texts.slice(8, 16));
  await reload;
  await bob.page.waitForSelector('.chat-header');
  await alice.say(...texts.slice(16));
  await bob.sees_exactly(texts);
  await bob.page.reload();
  await bob.sees_exactly(texts);
  await alice.sees_exactly(texts);
  await alice.leave();
  await bob.leave();
});

const open_sends = 32;

/** A group in which somebody else has written `count` messages. */
async function written_group(reader, title, count) {
  const writer = new RawClient(server.url);
  await writer.hello(`writer-${reader.name}`, { device: 'd' });
  const members = [reader.name];
  const { entry } = await writer.ask('create', { kind: 'group', title, members });
  const { conversation } = entry;
  const texts = numbered('entry', count);
  for (let at = 0; at < count; at += open_sends) {
    const settled = String(at + 1);
    const acks = texts.slice(at, at + open_sends).map((text, index) => {
      const number = String(at + index + 1);
      return writer.ask('send', { conversation, number, random: number, settled, text });
    });
    for (const ack of await Promise.all(acks)) assert.equal(ack.type, 'ack', JSON.stringify(ack));
  }
  writer.close();
}

/** Scrolls, and tells what is drawn then and how far a row on screen has moved. */
function scroll(page, by) {
  return page.evaluate(async (step) => {
    const scroller = document.querySelector('.messages');
    const edge = scroller.getBoundingClientRect().top;
    const rows = [...scroller.querySelectorAll('.message')];
    const row = rows.find((one) => one.getBoundingClientRect().bottom > edge + 200);
    const before = row.getBoundingClientRect().top;
    const was = scroller.scrollTop;
    scroller.scrollBy(0, step);
    const went = scroller.scrollTop - was;
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    await frame();
    do await frame();
    while (scroller.ariaBusy === 'true');
    const now = scroller.querySelector(`[data-key="${row.dataset.key}"]`);
    const numbers = [...scroller.querySelectorAll('.message .text')].map((text) =>
      Number(text.textContent.split(' ')[1]),
    );
    return {
      jumped: now ? Math.round(now.getBoundingClientRect().top - before + went) : null,
      first: numbers[0],
      last: numbers.at(-1),
      whole: numbers.every((number, at) => number === numbers[0] + at),
      drawn: numbers.length,
      above: scroller.scrollTop,
      below: scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight,
    };
  }, by);
}

check('one reads on where one stopped, through any length, without a jump', async () => {
  const alice = await Person.arrive('alice');
  await written_group(alice, 'Archive', 60);
  await alice.entry('Archive').locator('.badge:text-is("60")').waitFor();
  await alice.open('Archive');
  await alice.page.waitForSelector('.row.new + .message:has-text("entry 1")');
  assert.ok(await alice.message('entry 1').isVisible());
  await alice.page.click('.jump');
  await alice.entry('Archive').locator('.badge').waitFor({ state: 'detached' });
  await alice.open('Lobby');
  await alice.leave();
});

check('thousands of messages: scrolled to both ends, of which few are drawn', async () => {
  const alice = await Person.arrive('alice');
  await written_group(alice, 'Long', 1_000);
  await alice.entry('Long').locator('.badge:text-is("99+")').waitFor();
  await alice.open('Long');
  await alice.page.waitForSelector('.row.new + .message:has-text("entry 1")');
  const scroll_until = (by, what, done) =>
    alice.until(what, async () => {
      const saw = await scroll(alice.page, by);
      assert.ok(saw.whole, JSON.stringify(saw));
      assert.ok(saw.drawn <= 400, JSON.stringify(saw));
      assert.ok(Math.abs(saw.jumped) <= 2, JSON.stringify(saw));
      return { ok: done(saw), saw };
    });
  await scroll_until(1_500, 'the end', ({ last, below }) => last === 1_000 && below < 2);
  await alice.entry('Long').locator('.badge').waitFor({ state: 'detached' });
  await scroll_until(-1_500, 'the beginning', ({ first, above }) => first === 1 && above === 0);
  await alice.page.waitForSelector('.row.system:has-text("added you")');
  await alice.page.click('.jump');
  await alice.page.waitForSelector('.message:has-text("entry 1000")');
  await alice.page.waitForSelector('.jump', { state: 'hidden' });
  await alice.leave();
});

check(
  'kill -9 and restart: nothing acknowledged is gone, the page comes back by itself',
  async () => {
    const [alice, bob] = await direct_chat();
    await bob.open(alice.name);
    const texts = numbered('before', 10);
    await alice.say(...texts);
    await alice.tick('before 10', 'read');
    const streaming = numbered('during', 30);
    const typing = alice.say(...streaming);
    await alice.message('during 5').locator('.tick-sent, .tick-delivered, .tick-read').waitFor();
    await server.kill();
    await typing;
    const acked = await alice.page
      .locator('.message:has(.tick-sent, .tick-delivered, .tick-read) .text')
      .allTextContents();
    assert.ok(acked.includes('during 5'));
    await alice.page.waitForSelector('.banner:visible');
    await bob.page.waitForSelector('.banner:visible');
    await alice.say('while it was down');
    await alice.tick('while it was down', 'pending');
    await alice.page.goto('about:blank'); // the window goes away and comes back later
    await server.start();
    await alice.page.goto(`${server.origin}/`);
    await alice.page.waitForSelector(`.me-line .subtitle:text-is("online")`);
    await alice.open(bob.name);
    const all = [...texts, ...streaming, 'while it was down'];
    await alice.sees_exactly(all);
    await bob.page.waitForSelector('.banner', { state: 'hidden' });
    await bob.sees_exactly(all);
    await alice.tick('while it was down', 'read');
    const stored = await alice.texts();
    for (const text of acked) assert.ok(stored.includes(text), `acknowledged and gone: ${text}`);
    await bob.say('welcome back');
    await alice.sees('welcome back');
    await alice.leave();
    await bob.leave();
  },
);

check(
  'an open page survives kill -9 without a reload, and sends what was written meanwhile',
  async () => {
    const [alice, bob] = await direct_chat();
    await bob.open(alice.name);
    await alice.say('one');
    await alice.tick('one', 'read');
    await server.kill();
    await alice.page.waitForSelector('.banner:visible');
    await alice.say('two', 'three');
    await alice.tick('three', 'pending');
    await server.start();
    await alice.page.waitForSelector('.banner', { state: 'hidden' });
    await alice.tick('three', 'read');
    await bob.sees_exactly(['one', 'two', 'three']);
    await alice.sees_exactly(['one', 'two', 'three']);
    await alice.leave();
    await bob.leave();
  },
);

check('what people write is text, never markup', async () => {
  const [alice, bob] = await direct_chat();
  await bob.open(alice.name);
  const evil = '<img src=x onerror="window.broken=1"><script>window.broken=1</script>';
  await alice.say(evil);
  await alice.start('group', { title: '<b onclick=1>bold</b>', members: bob.name });
  await bob.until('the text', async () => ({
    ok: (await bob.texts()).includes(evil),
    saw: await bob.texts(),
  }));
  await bob.entry('<b onclick=1>bold</b>').waitFor();
  for (const { page } of [alice, bob]) {
    assert.equal(await page.evaluate(() => window.broken), undefined);
    assert.equal(await page.locator('.rows img, .rows script, .conversations b').count(), 0);
  }
  await alice.leave();
  await bob.leave();
});

check('a phone shows one pane at a time and nothing sticks out', async () => {
  const bob = await Person.arrive('bob');
  const phone = await Person.arrive('phone', {
    viewport: { width: 360, height: 640 },
    isMobile: true,
    hasTouch: true,
  });
  await phone.start('direct', { peer: bob.name });
  await phone.say('a'.repeat(200), 'short');
  await phone.tick('short', 'delivered');
  const overflow = () =>
    phone.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.equal(await overflow(), 0);
  assert.equal(await phone.page.locator('.sidebar').isVisible(), false);
  await phone.page.click('[aria-label="Back to the list"]');
  await phone.entry(bob.name).waitFor();
  assert.equal(await phone.page.locator('.composer').isVisible(), false);
  assert.equal(await overflow(), 0);
  await phone.leave();
  await bob.leave();
});
