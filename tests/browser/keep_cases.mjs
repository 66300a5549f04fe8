// keep_cases.mjs: what does not stay: messages that disappear, history that is cut, groups that are deleted.
import assert from 'node:assert/strict';
import { check } from './checks.mjs';
import { direct_chat, group_of_two, input, part, send_raw } from './person.mjs';

async function open_members(person) {
  await person.page.click('[title="Members"]');
  await person.page.waitForSelector('.members li:nth-child(2)');
}

async function set(person, change) {
  await open_members(person);
  await person.page.click('dialog button:text-is("Settings")');
  await person.page.waitForSelector('dialog [name=title]');
  await change(person.page);
  await person.page.click('dialog button:text-is("Save")');
  await person.page.waitForSelector('dialog [name=title]', { state: 'detached' });
  await person.page.keyboard.press('Escape');
}

check('messages disappear by themselves where the group says so', async () => {
  const [owner, bob] = await group_of_two('Whispers');
  await owner.say('this one stays');
  await set(owner, (page) => page.selectOption('dialog [name=expiresAfter]', '86400'));
  for (const [person, who] of [
    [owner, 'You'],
    [bob, owner.name],
  ]) {
    const told = `${who} set new messages to disappear after a day`;
    await person.page.waitForSelector(`.row.system:has-text("${told}")`);
  }
  await owner.say('gone tomorrow');
  await bob.message('gone tomorrow').locator('[title^="It disappears tomorrow"]').waitFor();
  assert.equal(await bob.message('this one stays').locator('.icon-hourglass').count(), 0);
  await send_raw(owner, { text: 'gone at once', expires_after: 1_500 });
  await bob.sees('gone at once');
  await bob.page.waitForSelector('.tombstone');
  assert.equal(await bob.message('gone at once').count(), 0);
  await bob.page.reload();
  await bob.sees_exactly(['this one stays', 'gone tomorrow']);
  await part(owner, bob);
});

check('one message disappears, in a direct conversation too, and the next one stays', async () => {
  const [alice, bob] = await direct_chat();
  await bob.open(alice.name);
  await alice.page.fill(input, 'gone within the hour');
  await alice.page.click('[title="Let it disappear"]');
  await alice.page.click('.menu-item:has-text("after an hour")');
  await alice.page.waitForSelector('[title="It disappears after an hour"][aria-pressed=true]');
  await alice.page.press(input, 'Enter');
  await alice.say('stays');
  for (const person of [alice, bob]) {
    await person.message('gone within the hour').locator('.icon-hourglass').waitFor();
    await person.sees('stays');
    assert.equal(await person.message('stays').locator('.icon-hourglass').count(), 0);
  }
  await alice.page.fill(input, 'thought better of it');
  await alice.page.click('[title="Let it disappear"]');
  await alice.page.click('.menu-item:has-text("after a day")');
  await alice.page.click('[title="It disappears after a day"]');
  await alice.page.click('.menu-item:has-text("Stays")');
  await alice.page.press(input, 'Enter');
  await bob.sees('thought better of it');
  assert.equal(await bob.message('thought better of it').locator('.icon-hourglass').count(), 0);
  await part(alice, bob);
});

check('an owner says how much is kept, and deletes for good', async () => {
  const [owner, bob] = await group_of_two('Old papers');
  await owner.say('a paper');
  await bob.sees('a paper');
  const week = String(7 * 86_400_000);
  await set(owner, async (page) => {
    await page.selectOption('dialog [name=keepFor]', week);
    await page.selectOption('dialog [name=keepEvents]', '1000');
  });
  await open_members(owner);
  await owner.page.click('dialog button:text-is("Settings")');
  await owner.page.waitForSelector('dialog [name=keepFor]');
  assert.equal(await owner.page.inputValue('dialog [name=keepFor]'), week);
  assert.equal(await owner.page.inputValue('dialog [name=keepEvents]'), '1000');
  await owner.page.keyboard.press('Escape');
  await open_members(bob);
  await owner.page.click('dialog button:text-is("Delete this group")');
  await owner.page.click('dialog button:text-is("Delete for good")');
  await owner.entry('Old papers').waitFor({ state: 'detached' });
  await bob.entry('Old papers').waitFor({ state: 'detached' });
  await bob.page.waitForSelector('.toast:has-text("This conversation was deleted.")');
  await bob.page.waitForSelector('dialog', { state: 'detached' });
  assert.deepEqual(await owner.page.locator('.toast').allTextContents(), [], 'no surprise');
  await part(owner, bob);
});
