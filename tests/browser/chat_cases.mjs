// chat_cases.mjs: people who chat: groups, channels, history, restarts of the server.
import assert from 'node:assert/strict';
import { check } from './checks.mjs';
import { Person, browser, direct_chat, numbered, server, wide } from './person.mjs';
import { RawClient } from './raw_client.mjs';

check('the sign-in card says loudly that names are not checked', async () => {
  const context = await browser.newContext(wide);
  const page = await context.newPage();
  await page.goto(`${server.origin}/`);
  await page.waitForSelector('.warning:has-text("Names are not checked")');
  await page.waitForSelector('button:text-is("Sign in")');
  await context.close();
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
  await bob.page.type('.composer textarea', 'yes, I a');
  await alice.page.waitForSelector('.row.typing');
  await bob.page.type('.composer textarea', 'm');
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
  await late.page.click('dialog button:has-text("Leave this group")');
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

check('history scrolls back to the beginning and keeps its place', async () => {
  const alice = await Person.arrive('alice');
  const writer = new RawClient(server.url);
  await writer.hello(`writer-${alice.name}`, { device: 'd' });
  const opened = await writer.ask('create', {
    kind: 'group',
    title: 'Archive',
    members: [alice.name],
  });
  const { conversation } = opened.entry;
  const texts = numbered('entry', 330);
  for (const [index, text] of texts.entries()) {
    const number = String(index + 1);
    const ack = await writer.ask('send', {
      conversation,
      number,
      random: number,
      settled: number,
      text,
    });
    assert.equal(ack.type, 'ack', JSON.stringify(ack));
  }
  writer.close();
  await alice.entry('Archive').locator('.badge:text-is("99+")').waitFor();
  await alice.open('Archive');
  await alice.page.waitForSelector('.message');
  const line = alice.page.locator('.row.new');
  await alice.until('the beginning is shown', async () => {
    const shown = await alice.page.evaluate(() => {
      const scroller = document.querySelector('.messages');
      const edge = scroller.getBoundingClientRect().top;
      const rows = [...scroller.querySelectorAll('.message')];
      const anchor = rows.find((row) => row.getBoundingClientRect().bottom > edge + 200);
      const key = anchor.dataset.key;
      const before = anchor.getBoundingClientRect().top;
      return new Promise((resolve) => {
        scroller.scrollBy(0, -450);
        setTimeout(() => {
          const now = scroller.querySelector(`[data-key="${key}"]`).getBoundingClientRect().top;
          const top = scroller.scrollTop === 0;
          resolve({
            moved: Math.round(now - before),
            top,
            first: scroller.querySelector('.message .text').textContent,
          });
        }, 120);
      });
    });
    assert.ok(
      shown.top || (shown.moved > 300 && shown.moved < 600),
      `the place jumped: ${JSON.stringify(shown)}`,
    );
    return { ok: shown.first === 'entry 1', saw: shown };
  });
  assert.deepEqual(await alice.texts(), texts);
  await alice.page.waitForSelector('.row.system:has-text("added you")');
  await alice.page.click('.jump');
  await alice.entry('Archive').locator('.badge').waitFor({ state: 'detached' });
  assert.equal(await line.count(), 1, 'the line stays where reading stopped');
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
