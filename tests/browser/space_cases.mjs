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
  for (const window of [bob, tablet]) {
    await window.entry('hall').waitFor({ state: 'detached' });
    await window.entry('Guild').waitFor({ state: 'detached' });
  }
  await owner.page.keyboard.press('Escape');
  await part(owner, bob, tablet);
});
