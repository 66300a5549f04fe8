// thread_cases.mjs: threads, people who are named, and messages that are forwarded.
import assert from 'node:assert/strict';
import { check } from './checks.mjs';
import { Person, input, part } from './person.mjs';

async function team(title, others) {
  const [owner, ...rest] = await Promise.all(
    ['owner', ...others].map((role) => Person.arrive(role)),
  );
  await owner.start('group', { title, members: rest.map(({ name }) => name).join(', ') });
  for (const person of rest) await person.open(title);
  return [owner, ...rest];
}

async function reply_in_thread(person, text) {
  await person.page.fill('.thread textarea', text);
  await person.page.press('.thread textarea', 'Enter');
}

const in_thread = (person, text) =>
  person.page.locator('.thread .message', { hasText: text }).waitFor();

check('a thread has its own replies, and its own unread ones', async () => {
  const [owner, bob, carol] = await team('Threads', ['bob', 'carol']);
  await owner.say('where do we eat?');
  await bob.sees('where do we eat?');
  await bob.act('where do we eat?', 'thread');
  await reply_in_thread(bob, 'at home');
  await in_thread(bob, 'at home');
  const chip = owner.page.locator('.thread-chip');
  await owner.page.waitForSelector('.thread-chip:has-text("1 reply")');
  assert.equal(await owner.message('at home').count(), 0, 'not among the messages');
  await owner.page.waitForSelector('.thread-chip .badge:text-is("1 new")'); // she wrote the root
  await chip.click();
  await in_thread(owner, 'at home');
  await reply_in_thread(owner, 'who cooks?');
  await in_thread(bob, 'who cooks?');
  await owner.page.click('[title="Close the thread"]');
  await reply_in_thread(bob, 'you do');
  await owner.page.waitForSelector('.thread-chip .badge:text-is("1 new")');
  await owner.page.waitForSelector('.threads-button .badge:text-is("1")');
  await carol.page.waitForSelector('.thread-chip:has-text("3 replies")');
  assert.equal(await carol.page.locator('.thread-chip .badge').count(), 0, 'she does not follow');
  await owner.page.click('.threads-button');
  await owner.page.click('dialog .pin-line:has-text("where do we eat?")');
  await in_thread(owner, 'you do');
  await owner.page.waitForSelector('.thread-chip .badge', { state: 'detached' });
  await owner.page.reload();
  await owner.page.waitForSelector('.thread-chip:has-text("3 replies")');
  assert.equal(await owner.page.locator('.thread-chip .badge').count(), 0);
  await part(owner, bob, carol);
});

check('who is named is told so: in the list, in the text', async () => {
  const [owner, bob, carol] = await team('Names', ['bob', 'carol']);
  await bob.open('Lobby');
  await carol.open('Lobby');
  await owner.page.type(input, 'hello @bo');
  await owner.page.waitForSelector(`.mention-picker [aria-selected=true]:has-text("${bob.name}")`);
  await owner.page.keyboard.press('Enter');
  assert.equal(await owner.page.inputValue(input), `hello @${bob.name} `);
  await owner.page.type(input, 'and nobody@else');
  await owner.page.keyboard.press('Enter');
  await bob.entry('Names').locator('.badge.named').waitFor();
  await carol.entry('Names').locator('.badge:text-is("1")').waitFor();
  assert.equal(await carol.entry('Names').locator('.badge.named').count(), 0);
  await bob.open('Names');
  await bob.page.waitForSelector(`.names-me .mention:text-is("@${bob.name}")`);
  await bob.entry('Names').locator('.badge.named').waitFor({ state: 'detached' });
  await part(owner, bob, carol);
});

check('a message is forwarded, and says who wrote it', async () => {
  const [owner, bob] = await team('News', ['bob']);
  await owner.say('the news of the day');
  await bob.sees('the news of the day');
  await bob.act('the news of the day', 'forward');
  await bob.page.fill('dialog [type=search]', 'lob');
  await bob.page.click('dialog .choice:has-text("Lobby")');
  await bob.page.click('.toast button:text-is("Show")');
  await bob.page.waitForSelector('.chat-header .title:text-is("Lobby")');
  const forwarded = bob.page
    .locator('.message', { hasText: 'the news of the day' })
    .locator(`.forwarded:text-is("Forwarded from ${owner.name}")`);
  await forwarded.last().waitFor();
  await part(owner, bob);
});

check('a thread stands beside the chat where there is room, else in its place', async () => {
  const [owner] = await team('Width', []);
  await owner.say('a root');
  await owner.act('a root', 'thread');
  await owner.page.waitForSelector('.thread textarea');
  for (const [width, beside] of [
    [1100, true],
    [900, false],
    [390, false],
  ]) {
    await owner.page.setViewportSize({ width, height: 700 });
    assert.equal(await owner.page.locator('.chat').isVisible(), beside, `at ${width}`);
    const thread = await owner.page.locator('.thread').boundingBox();
    assert.ok(thread.width >= 250 && thread.x + thread.width <= width, JSON.stringify(thread));
  }
  await owner.page.click('[title="Close the thread"]');
  await owner.page.locator('.chat').waitFor();
  await owner.leave();
});
