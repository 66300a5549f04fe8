// block_cases.mjs: who is blocked is not heard, and not told.
import assert from 'node:assert/strict';
import { check } from './checks.mjs';
import { direct_chat, input, part } from './person.mjs';

check('who is blocked is not heard and not told, until that ends', async () => {
  const [alice, bob] = await direct_chat();
  await bob.open(alice.name);
  await bob.say('hello');
  await alice.sees('hello');
  await alice.choose(bob.name, 'block');
  await alice.page.click('dialog button:text-is("Block")');
  await bob.page.waitForSelector('.chat-header .dot.offline');
  await bob.say('can you hear me?');
  await bob.tick('can you hear me?', 'sent');
  await alice.page.click('[title="Members"]');
  await alice.page.waitForSelector('.members .subtitle:text-is("blocked by you")');
  await alice.page.keyboard.press('Escape');
  assert.equal(await alice.message('can you hear me?').count(), 0);
  const phone = await alice.again();
  await phone.page.click('.me-line');
  await phone.page.click('.blocked li button:text-is("Unblock")');
  await phone.page.waitForSelector('.blocked', { state: 'hidden' });
  await phone.page.keyboard.press('Escape');
  await bob.page.waitForSelector('.chat-header .dot.online');
  await bob.page.fill(input, 'and now?');
  await bob.page.press(input, 'Enter');
  await alice.sees('and now?');
  assert.equal(await alice.message('can you hear me?').count(), 0, 'it stays hidden');
  await part(alice, bob, phone);
});
