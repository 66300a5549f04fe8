// space_cases.mjs: spaces: who is in one is in its channels, and nobody else.
import assert from 'node:assert/strict';
import { check } from './checks.mjs';
import { Person, part } from './person.mjs';

/** A space of the owner's, open in its window. */
async function create_space(owner, title, members) {
  await owner.ask_for('space', { title, members });
  await owner.page.waitForSelector(`.chat-header .title:text-is("${title}")`);
}

async function create_channel(owner, title, space) {
  await owner.page.click('[title="New conversation"]');
  await owner.page.click('dialog [data-kind=channel]');
  await owner.page.fill('dialog input[name=title]', title);
  await owner.page.selectOption('dialog [name=space]', { label: `In ${space}` });
  await owner.page.click('dialog button[type=submit]');
  await owner.page.waitForSelector(`.chat-header .title:text-is("${title}")`);
}

check('who is in a space is in its channels, on every device, until it lets them go', async () => {
  const [owner, bob] = await Promise.all(['owner', 'bob'].map((role) => Person.arrive(role)));
  await create_space(owner, 'Guild', bob.name);
  await bob.entry('Guild').waitFor();
  await create_channel(owner, 'hall', 'Guild');
  await bob.open('hall');
  await bob.say('good evening');
  await owner.sees('good evening');
  assert.match(await bob.entry('hall').getAttribute('class'), /inside/);

  const tablet = await bob.again();
  await tablet.open('hall');
  await tablet.sees('good evening');

  await owner.open('Guild');
  await owner.page.waitForSelector('.composer :text-is("A space holds channels: write in one of them.")');
  await owner.page.click('[title="Members"]');
  await owner.page.click(`dialog [title="What to do about ${bob.name}"]`);
  await owner.page.click('.menu [data-action=remove]');
  await owner.page.click('dialog button:text-is("Remove")');
  for (const window of [bob, tablet]) {
    await window.entry('hall').waitFor({ state: 'detached' });
    await window.entry('Guild').waitFor({ state: 'detached' });
  }
  await owner.page.keyboard.press('Escape');
  await part(owner, bob, tablet);
});

check('a space shows its channels, leads into them, and makes new ones', async () => {
  const [owner, bob] = await Promise.all(['owner', 'bob'].map((role) => Person.arrive(role)));
  await create_space(owner, 'Club', bob.name);
  const { page } = owner;
  assert.equal(await page.locator('[title="Threads"]').count(), 0);
  await page.waitForSelector('.space-channels:has-text("No channel yet.")');
  await page.click('.space-channels button:text-is("Create a channel")');
  const hint = page.locator('dialog .field small:visible');
  assert.deepEqual(await hint.allTextContents(), ['Everybody in Club is in it.']);
  await page.selectOption('dialog [name=space]', '');
  assert.deepEqual(await hint.allTextContents(), ['Everybody who has the link can join.']);
  await page.selectOption('dialog [name=space]', { label: 'In Club' });
  await page.fill('dialog input[name=title]', 'bar');
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('.chat-header .title:text-is("bar")');

  await bob.open('Club');
  assert.equal(await bob.page.locator('button:text-is("Create a channel")').count(), 0);
  await bob.page.click('.space-channels [aria-label="Open bar"]');
  await bob.page.waitForSelector('.chat-header .title:text-is("bar")');
  await bob.page.click('[title="Members"]');
  await bob.page.click('dialog button:text-is("Leave this channel")');
  await bob.page.click('dialog button:text-is("Leave")');
  await bob.open('Club');
  await bob.page.click('.space-channels [aria-label="Join bar"]');
  await bob.page.waitForSelector('.chat-header .title:text-is("bar")');
  await part(owner, bob);
});
