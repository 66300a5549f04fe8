// trouble_cases.mjs: what the page says and does when something is not as it should be.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { check } from './checks.mjs';
import { Person, direct_chat, input, new_window, server } from './person.mjs';
import { RawClient } from './raw_client.mjs';

check('a wrong name is told in the dialog, in words', async () => {
  const alice = await Person.arrive('alice');
  const { page } = alice;
  const problem = (text) => page.waitForSelector(`dialog .problem:text-is("${text}")`);
  await alice.ask_for('join', { link: 'f'.repeat(32) });
  await problem('It does not exist, or it is not open to you.');
  await page.fill('dialog input[name=link]', 'nonsense');
  await page.click('dialog button[type=submit]');
  await problem('This is not a link of this chat.');
  await page.keyboard.press('Escape');
  await alice.ask_for('direct', { peer: alice.name });
  await problem('That is you. Choose somebody else.');
  assert.equal(await page.locator('.toast').count(), 0);
  await page.keyboard.press('Escape');
  await alice.leave();
});

check('what was cancelled while offline is not done later', async () => {
  const [alice, bob] = [await Person.arrive('alice'), await Person.arrive('bob')];
  await server.kill();
  await alice.page.waitForSelector('.banner:visible');
  await alice.ask_for('direct', { peer: 'carl' });
  await alice.page.waitForSelector('dialog .waits:has-text("Not connected: this will be done")');
  await alice.page.keyboard.press('Escape');
  await alice.open('Lobby');
  await alice.page.waitForSelector('.top:has-text("will load when you are connected")');
  await alice.page.fill(input, 'a draft');
  await bob.ask_for('group', { title: 'Later', members: alice.name });
  await server.start();
  await bob.page.waitForSelector('.chat-header .title:text-is("Later")');
  await alice.entry('Later').waitFor();
  await alice.page.waitForSelector('.row.system');
  assert.equal(await alice.page.locator('.chat-header .title').textContent(), 'Lobby');
  assert.equal(await alice.page.inputValue(input), 'a draft');
  assert.equal(await alice.entry('carl').count(), 0);
  await alice.leave();
  await bob.leave();
});

check('a message that is too long comes back to the composer', async () => {
  const alice = await Person.arrive('alice');
  await alice.open('Lobby');
  const text = 'x'.repeat(300_000);
  await alice.page.fill(input, text);
  await alice.page.press(input, 'Enter');
  await alice.page.waitForSelector('.toast.error:has-text("Not sent: It is too long.")');
  assert.equal((await alice.page.inputValue(input)).length, text.length);
  await alice.page.fill(input, `short, by ${alice.name}`);
  await alice.page.press(input, 'Enter');
  await alice.page.waitForSelector('.toast', { state: 'detached' });
  await alice.leave();
});

check('typing shows again right after a message, and ends when the text is given up', async () => {
  const [alice, bob] = await direct_chat();
  await bob.open(alice.name);
  await alice.page.type(input, 'he');
  await bob.page.waitForSelector('.row.typing');
  await alice.page.type(input, 'y');
  await alice.page.press(input, 'Enter');
  await bob.sees('hey');
  await bob.page.waitForSelector('.row.typing', { state: 'detached' });
  const start = Date.now();
  await alice.page.type(input, 'yo');
  await bob.page.waitForSelector('.row.typing');
  assert.ok(Date.now() - start < 2_500);
  await alice.page.fill(input, '');
  await bob.page.waitForSelector('.row.typing', { state: 'detached', timeout: 2_500 });
  await alice.leave();
  await bob.leave();
});

check('links that lead nowhere say so', async () => {
  const [alice, bob] = [await Person.arrive('alice'), await Person.arrive('bob')];
  const { page } = alice;
  const go = (hash) => page.evaluate((to) => (location.hash = to), hash);
  for (const hash of ['#join=abc', '#c=12']) {
    await go(hash);
    await page.waitForSelector('.toast.error:has-text("This is not a link of this chat")');
    assert.equal(new URL(page.url()).hash, '');
    await page.click('.toast');
  }
  await go(`#join=${'0'.repeat(32)}`);
  await page.click('.toast.error:has-text("There is no such conversation.")');
  await go(`#c=${'f'.repeat(32)}`);
  await page.waitForSelector('dialog:has-text("does not exist or is not open to you")');
  assert.equal(new URL(page.url()).hash, '');
  await page.click('dialog button:text-is("Join the channel")');
  await page.waitForSelector('dialog .problem:visible');
  await page.keyboard.press('Escape');
  await bob.start('channel', { title: 'open house' });
  await go(new URL(bob.page.url()).hash);
  await page.click('dialog button:text-is("Join the channel")');
  await page.waitForSelector('.chat-header .title:text-is("open house")');
  await alice.leave();
  await bob.leave();
});

check('who leaves the Lobby finds the way back', async () => {
  const alice = await Person.arrive('alice');
  await alice.open('Lobby');
  await alice.page.click('[title="Members"]');
  await alice.page.click('dialog button:text-is("Leave this channel")');
  await alice.page.click('dialog button:text-is("Leave")');
  await alice.entry('Lobby').waitFor({ state: 'detached' });
  assert.equal(await alice.page.locator('.toast').count(), 0, 'it was no surprise');
  await alice.page.click('button:text-is("Join Lobby again")');
  await alice.page.waitForSelector('.chat-header .title:text-is("Lobby")');
  await alice.page.waitForSelector('.left-channels p', { state: 'detached' });
  await alice.leave();
});

check('the list shows what is not sent yet, and that nothing was written', async () => {
  const [alice, bob] = await direct_chat();
  await alice.previews(bob.name, 'Nothing written yet');
  await bob.previews(alice.name, 'Nothing written yet');
  await server.kill();
  await alice.page.waitForSelector('.banner:visible');
  const place = await alice.page.locator('.list-header').boundingBox();
  assert.equal(place.y, 0, 'the banner moves nothing');
  await alice.say('are you there?');
  await alice.previews(bob.name, 'You: are you there?');
  await alice.entry(bob.name).locator('.icon-clock').waitFor();
  await server.start();
  await bob.previews(alice.name, 'are you there?');
  await alice.entry(bob.name).locator('.icon-clock').waitFor({ state: 'detached' });
  await alice.leave();
  await bob.leave();
});

check('who signs in while the server is down sees the own name', async () => {
  const page = await new_window();
  await server.kill();
  await page.fill('input[name=name]', 'early');
  await page.click('button[type=submit]');
  await page.waitForSelector('.me-line .title:text-is("early")');
  await server.start();
  await page.waitForSelector('.me-line .subtitle:text-is("online")');
  await page.context().close();
});

check(
  'many members: sorted by name, found by a part of it, told in one line, under a long title',
  async () => {
    const owner = await Person.arrive('owner');
    const names = Array.from({ length: 40 }, (_, index) => `user${40 - index}`);
    const title = 'A very long title '.repeat(7).trim();
    await owner.start('group', { title, members: names.join(', ') });
    await owner.page.waitForSelector('.row.system:has-text("and 37 others")');
    assert.equal(await owner.page.locator('.row.system').count(), 2);
    await owner.page.click('[title="Members"]');
    await owner.page.waitForSelector('.members li:nth-child(41)');
    await owner.until('sorted by name', async () => {
      const saw = await owner.page.locator('.members .title').allTextContents();
      return { ok: saw[0] === owner.name && saw[1] === 'user1' && saw[40] === 'user40', saw };
    });
    const search = owner.page.locator('dialog [type=search]');
    await search.fill('USER39');
    await owner.page.waitForSelector('.members li:nth-child(2)', { state: 'detached' });
    assert.deepEqual(await owner.page.locator('.members .title').allTextContents(), ['user39']);
    await search.fill('');
    await owner.page.waitForSelector('.members li:nth-child(41)');
    const sizes = await owner.page.evaluate(() => {
      const of = (selector) => document.querySelector(`dialog ${selector}`).getBoundingClientRect();
      return {
        title: of('h2').height,
        count: of('p.subtitle').height,
        list: of('.members').height,
      };
    });
    assert.ok(sizes.title < 60 && sizes.count > 10 && sizes.list > 100, JSON.stringify(sizes));
    await owner.page.keyboard.press('Escape');
    await owner.leave();
  },
);

check('a removed member and one of a replaced server are told different things', async () => {
  const [owner, guest] = [await Person.arrive('owner'), await Person.arrive('guest')];
  await owner.start('group', { title: 'Club', members: guest.name });
  await guest.open('Club');
  await guest.page.waitForSelector('.row.system');
  await owner.page.click('[title="Members"]');
  await owner.page.click(`dialog [title="What to do about ${guest.name}"]`);
  await owner.page.click('.menu [data-action=remove]');
  await owner.page.click('dialog button:text-is("Remove")');
  await guest.page.waitForSelector('.toast:has-text("You are no longer in this conversation.")');
  await owner.page.keyboard.press('Escape');
  await server.replace();
  await owner.page.waitForSelector(
    '.toast:has-text("The server does not know this conversation any more.")',
  );
  await owner.leave();
  await guest.leave();
});

check('a message in many pieces of reactions: nobody is named, but one knows the own', async () => {
  const alice = await Person.arrive('alice');
  await alice.open('Lobby');
  const text = `react, says ${alice.name}`;
  await alice.say(text);
  const id = /c=([0-9a-f]{32})/.exec(alice.page.url())[1];
  await alice.tick(text, 'sent');
  const seq = Number(await alice.message(text).getAttribute('data-seq'));
  await alice.react(text, '👍');
  const clients = [];
  for (let n = 0; n < 70; n += 1) {
    const client = new RawClient(server.url);
    await client.hello(`fan-${n}-${alice.name}`, { device: 'd' });
    clients.push(client);
  }
  await pause(300); // the lobby adds everybody who signs in
  for (const client of clients) {
    const answer = await client.ask('react', { conversation: id, seq, key: '👍' });
    assert.equal(answer.type, 'done', JSON.stringify(answer));
    client.close();
  }
  await alice.sees_reactions(text, '👍71*');
  await alice.message(text).locator('.reaction').hover();
  await alice.until('some names', async () => {
    const saw = await alice.message(text).locator('.reaction').getAttribute('title');
    return { ok: / and 60 others reacted with 👍$/.test(saw), saw };
  });
  await alice.leave();
});
