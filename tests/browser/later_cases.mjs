// later_cases.mjs: messages that are sent later.
import assert from 'node:assert/strict';
import { check } from './checks.mjs';
import { direct_chat, input, part } from './person.mjs';

check('a message is sent later, on whatever device it was written', async () => {
  const [alice, bob] = await direct_chat();
  await bob.open(alice.name);
  const laptop = await alice.again();
  await laptop.open(bob.name);
  await alice.page.fill(input, 'good morning');
  await alice.page.click('[title="Send later"]');
  await alice.page.click('dialog .sheet-item:has-text("Tomorrow morning")');
  await alice.page.waitForSelector('dialog', { state: 'detached' });
  assert.equal(await alice.page.inputValue(input), '');
  await laptop.page.click('.scheduled-bar:has-text("1 message to be sent later")');
  const when = await laptop.page.textContent('.pin-line .title');
  assert.match(when, /^Tomorrow, /);
  await laptop.page.click('dialog [title="Another time"]');
  await laptop.page.click('dialog .sheet-item >> nth=0');
  await laptop.page.waitForSelector(`.pin-line .title:not(:text-is("${when}"))`);
  await laptop.page.click('dialog [title="Send now"]');
  await bob.sees('good morning');
  await alice.sees('good morning');
  await laptop.page.waitForSelector('.scheduled-bar', { state: 'detached' });
  await part(alice, bob, laptop);
});

check('what was to be sent later is dropped', async () => {
  const [alice, bob] = await direct_chat();
  await alice.page.fill(input, 'never mind');
  await alice.page.click('[title="Send later"]');
  await alice.page.click('dialog .sheet-item >> nth=0');
  await alice.page.click('.scheduled-bar');
  await alice.page.click('dialog [title="Drop it"]');
  await alice.page.waitForSelector('.scheduled-bar', { state: 'detached' });
  await alice.page.waitForSelector('dialog', { state: 'detached' });
  await part(alice, bob);
});
