// join_cases.mjs: how people come in who are not added: by links, and by asking.
import assert from 'node:assert/strict';
import { check } from './checks.mjs';
import { Person, part } from './person.mjs';

async function open_members(person) {
  await person.page.click('[title="Members"]');
  await person.page.waitForSelector('.members li:nth-child(1)');
}

/** Makes a link and takes it from where the page puts it. */
async function make_link(person, uses) {
  const { page } = person;
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await open_members(person);
  await page.click('dialog button:text-is("Invite links")');
  await page.waitForSelector('dialog:has-text("No link holds at the moment.")');
  await page.selectOption('dialog [name=uses]', uses);
  await page.click('dialog button:text-is("Make a link")');
  await page.waitForSelector('.toast:has-text("The link is copied.")');
  return page.evaluate(() => navigator.clipboard.readText());
}

const follow = (person, link) =>
  person.page.evaluate((hash) => {
    location.hash = hash;
  }, new URL(link).hash);

check('a link lets in who has it, as often as it says, and until it is revoked', async () => {
  const [owner, bob, carol] = await Promise.all(
    ['owner', 'bob', 'carol'].map((role) => Person.arrive(role)),
  );
  await owner.start('group', { title: 'Book club', members: '' });
  const link = await make_link(owner, '10');
  await follow(bob, link);
  await bob.page.waitForSelector('.chat-header .title:text-is("Book club")');
  await owner.page.keyboard.press('Escape');
  await owner.page.click('dialog button:text-is("Invite links")');
  await owner.page.waitForSelector('.invites .pin-text:has-text("1 of 10 came in")');
  await owner.page.click('.invites [title="Revoke the link"]');
  await owner.page.waitForSelector('dialog:has-text("No link holds at the moment.")');
  await follow(carol, link);
  await carol.page.waitForSelector('.toast.error:has-text("does not lead in any more")');
  assert.equal(await carol.entry('Book club').count(), 0);
  await owner.page.keyboard.press('Escape');
  await owner.page.keyboard.press('Escape');
  await part(owner, bob, carol);
});

check('who asks is let in or not, and is told so', async () => {
  const [owner, bob, carol] = await Promise.all(
    ['owner', 'bob', 'carol'].map((role) => Person.arrive(role)),
  );
  await owner.start('group', { title: 'Choir', members: '' });
  await open_members(owner);
  await owner.page.click('dialog button:text-is("Settings")');
  await owner.page.selectOption('dialog [name=join]', 'by_request');
  await owner.page.click('dialog button:text-is("Save")');
  await owner.page.waitForSelector('dialog [name=join]', { state: 'detached' });
  await owner.page.keyboard.press('Escape');
  const address = owner.page.url().replace('#c=', '#join=');
  for (const [person, note] of [
    [bob, 'I sing bass'],
    [carol, ''],
  ]) {
    await follow(person, address);
    await person.page.fill('dialog [name=note]', note);
    await person.page.click('dialog button:text-is("Ask to be let in")');
    await person.page.waitForSelector('.left-channels :has-text("You asked to be let in")');
  }
  await owner.page.click('.asking-place:has-text("2 people ask to be let in")');
  const line = (person) => owner.page.locator('.requests li', { hasText: person.name });
  await line(bob).locator('.subtitle:text-is("I sing bass")').waitFor();
  await line(bob).locator('button:text-is("Let in")').click();
  await line(carol).locator('button:text-is("Deny")').click();
  await owner.page.waitForSelector('.asking-place', { state: 'hidden' });
  await bob.page.click('.toast:has-text("You were let into Choir.") button:text-is("Show")');
  await bob.page.waitForSelector('.chat-header .title:text-is("Choir")');
  await carol.page.waitForSelector('.toast:has-text("You were not let in.")');
  await carol.page.waitForSelector('.left-channels p', { state: 'detached' });
  await part(owner, bob, carol);
});
