// user_cases.mjs: what a user says and hides about oneself, the devices, and how the list is kept.
import assert from 'node:assert/strict';
import { check } from './checks.mjs';
import { Person, direct_chat, part } from './person.mjs';

async function about_oneself(person) {
  await person.page.click('.me-line');
  await person.page.waitForSelector('dialog.about-you');
}

const close = (person) => person.page.keyboard.press('Escape');

check('busy, with a status: others see it, until one is invisible', async () => {
  const [alice, bob] = await direct_chat();
  await bob.open(alice.name);
  await about_oneself(alice);
  await alice.page.click('[data-state=busy]');
  await alice.page.fill('[name=status]', 'in a meeting');
  await alice.page.click('dialog button:text-is("Set")');
  await bob.page.waitForSelector('.chat-header .subtitle:text-is("busy · in a meeting")');
  await bob.entry(alice.name).locator('.dot.busy').waitFor();
  await alice.page.waitForSelector('.me .subtitle:text-is("busy · in a meeting")');
  await alice.page.click('[data-state=invisible]');
  await bob.entry(alice.name).locator('.dot.offline').waitFor();
  await alice.page.click('[data-state=online]');
  await bob.entry(alice.name).locator('.dot.online').waitFor();
  await close(alice);
  await part(alice, bob);
});

check('a second window shows how all windows together look to others', async () => {
  const [alice, bob] = await direct_chat();
  await bob.open(alice.name);
  const laptop = await alice.again();
  await about_oneself(alice);
  await alice.page.click('[data-state=busy]');
  await close(alice);
  await bob.page.waitForSelector('.chat-header .subtitle:text-is("busy")');
  await laptop.page.waitForSelector('.me-line .subtitle:text-is("busy")');
  await laptop.page.waitForSelector('.me-line .dot.busy');
  await about_oneself(laptop);
  await laptop.page.waitForSelector('.seen-as:has-text("Others see you busy")');
  await close(laptop);
  await laptop.open(bob.name);
  await laptop.open('Lobby');
  await alice.page.click('.me-line');
  await alice.page.click('[data-state=online]');
  await close(alice);
  await laptop.page.waitForSelector('.me-line .subtitle:text-is("online")');
  await part(alice, bob, laptop);
});

check('who hides what is read is not told either', async () => {
  const [alice, bob] = await direct_chat();
  await bob.open(alice.name);
  await alice.say('one');
  await alice.tick('one', 'read');
  await about_oneself(bob);
  await bob.page.click('[name=hideReads]');
  await bob.until('stored', async () => {
    const saw = await bob.page.isChecked('[name=hideReads]');
    return { ok: saw, saw };
  });
  await close(bob);
  await alice.say('two');
  await bob.sees('two');
  await alice.tick('two', 'delivered');
  assert.equal(await alice.message('two').locator('.tick-read').count(), 0);
  await part(alice, bob);
});

check('a device that is signed out has to sign in anew', async () => {
  const alice = await Person.arrive('alice');
  const lost = await alice.again();
  await about_oneself(alice);
  const others = alice.page.locator('.devices li:has(button)');
  await others.first().waitFor();
  assert.equal(await others.count(), 1);
  assert.match(await others.locator('.title').textContent(), /^Chrome on Linux$/);
  await others.locator('button').click();
  await alice.page.click('dialog button:text-is("Sign it out")');
  await lost.page.waitForSelector('.card .problem:has-text("was signed out")');
  await others.waitFor({ state: 'detached' });
  await close(alice);
  await lost.page.fill('input[name=name]', alice.name);
  await lost.page.click('button[type=submit]');
  await lost.page.waitForSelector('.me-line .subtitle:text-is("online")');
  await part(alice, lost);
});

check('folders, and what is hidden until something is written', async () => {
  const [alice, bob] = await direct_chat();
  const phone = await alice.again();
  await alice.choose(bob.name, 'folder');
  await alice.page.fill('dialog [name=folder]', 'Friends');
  await alice.page.click('dialog button[type=submit]');
  await phone.page.click('.folder:text-is("Friends")');
  await phone.lists(bob.name);
  await phone.page.click('.folder:text-is("All")');
  await phone.lists(bob.name, 'Lobby');
  await phone.choose(bob.name, 'hide');
  await alice.lists('Lobby');
  await phone.lists('Lobby');
  await bob.open(alice.name);
  await bob.say('boo');
  await alice.lists(bob.name, 'Lobby');
  await alice.entry(bob.name).waitFor();
  await part(alice, bob, phone);
});

check('who has read a message of a group', async () => {
  const [owner, bob, carol] = await Promise.all(
    ['owner', 'bob', 'carol'].map((role) => Person.arrive(role)),
  );
  await owner.start('group', { title: 'Seen', members: `${bob.name}, ${carol.name}` });
  await owner.say('have you seen this?');
  await bob.open('Seen');
  await bob.sees('have you seen this?');
  await owner.until('one reader', async () => {
    await owner.act('have you seen this?', 'seen');
    await owner.page.waitForSelector('dialog .subtitle:not(:text-is("…"))');
    const saw = await owner.page.locator('dialog .subtitle').textContent();
    const names = await owner.page.locator('dialog .members .title').allTextContents();
    await close(owner);
    return { ok: saw === 'Read by 1 person' && names.join() === bob.name, saw: [saw, names] };
  });
  await part(owner, bob, carol);
});
