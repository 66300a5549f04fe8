// poll_cases.mjs: polls: asked, voted in, closed.
import assert from 'node:assert/strict';
import { check } from './checks.mjs';
import { group_of_two, part, send_raw } from './person.mjs';

async function ask(person, question, answers, choose = async () => undefined) {
  await person.page.click('[title="Ask in a poll"]');
  await person.page.fill('dialog [name=question]', question);
  for (const [at, answer] of answers.entries())
    await person.page.fill(`dialog [name=option] >> nth=${at}`, answer);
  await choose(person.page);
  await person.page.click('dialog button:text-is("Ask")');
  await person.page.waitForSelector('dialog', { state: 'detached' });
}

const vote = (person, answer) =>
  person.page.click(`.chat .poll-option:has(.poll-text:text-is("${answer}"))`);

/** The answers with their votes: "tea 2* coffee 0", the star where it is one's own. */
function sees_votes(person, expected) {
  return person.until(`votes ${expected}`, async () => {
    const saw = await person.page.locator('.chat .poll-option').evaluateAll((options) =>
      options
        .map((option) => {
          const text = option.querySelector('.poll-text').textContent;
          const count = option.querySelector('.count').textContent;
          return `${text} ${count}${option.ariaPressed === 'true' ? '*' : ''}`;
        })
        .join(' '),
    );
    return { ok: saw === expected, saw };
  });
}

check(
  'a poll: one answer each, who chose what, the same on every device, until it is closed',
  async () => {
    const [owner, bob] = await group_of_two('Kitchen');
    await ask(owner, 'What do we drink?', ['tea', 'coffee', 'water']);
    await bob.sees('What do we drink?');
    await bob.previews('Kitchen', `${owner.name}: Poll: What do we drink?`);
    await vote(bob, 'tea');
    await sees_votes(bob, 'tea 1* coffee 0 water 0');
    await sees_votes(owner, 'tea 1 coffee 0 water 0');
    await vote(bob, 'coffee');
    await vote(owner, 'coffee');
    await sees_votes(owner, 'tea 0 coffee 2* water 0');
    const phone = await bob.again();
    await phone.open('Kitchen');
    await sees_votes(phone, 'tea 0 coffee 2* water 0');
    await vote(phone, 'coffee');
    await sees_votes(bob, 'tea 0 coffee 1 water 0');
    await bob.page.click('.poll-words button:text-is("Who")');
    await bob.page.waitForSelector('.voters h3:text-is("coffee")');
    assert.deepEqual(await bob.page.locator('.voters .title').allTextContents(), [owner.name]);
    await bob.page.keyboard.press('Escape');
    await owner.act('What do we drink?', 'close-poll');
    await bob.page.waitForSelector('.poll-words:has-text("1 vote · closed")');
    assert.equal(await bob.page.locator('.poll-option').first().isDisabled(), true);
    await bob.page.reload();
    await bob.page.waitForSelector('.poll-words:has-text("1 vote · closed")');
    await part(owner, bob, phone);
  },
);

check('a poll with several answers that nobody is named in', async () => {
  const [owner, bob] = await group_of_two('Weekend');
  await ask(owner, 'Which days?', ['Friday', 'Saturday'], async (page) => {
    await page.check('dialog [name=multiple]');
    await page.check('dialog [name=anonymous]');
  });
  await bob.sees('Which days?');
  await vote(bob, 'Friday');
  await vote(bob, 'Saturday');
  await sees_votes(owner, 'Friday 1 Saturday 1');
  await vote(bob, 'Friday');
  await sees_votes(owner, 'Friday 0 Saturday 1');
  await bob.act('Which days?', 'thread');
  await bob.page.click('.thread .poll-option:has-text("Friday")');
  await sees_votes(owner, 'Friday 1 Saturday 1');
  await bob.page.click('.thread .poll-option:has-text("Friday")');
  await sees_votes(owner, 'Friday 0 Saturday 1');
  await owner.page.waitForSelector('.poll-words:has-text("several may be chosen · anonymous")');
  assert.equal(await owner.page.locator('.poll-words button').count(), 0);
  assert.ok(!(await owner.offers('Which days?')).includes('forward'));
  await part(owner, bob);
});

check('a poll closes by itself when it is time, with everybody looking', async () => {
  const [owner, bob] = await group_of_two('Hurry');
  await ask(owner, 'Tea or coffee?', ['tea', 'coffee'], (page) =>
    page.selectOption('dialog [name=closes]', '3600000'),
  );
  await bob.page.waitForSelector('.poll-words:has-text("No votes yet · closes to")');
  await owner.act('Tea or coffee?', 'delete');
  await owner.page.click('dialog button:text-is("Delete for everybody")');
  await bob.page.waitForSelector('.poll', { state: 'detached' });
  const poll = { options: ['yes', 'no'], closes_after: 4_000 };
  await send_raw(owner, { text: 'Now or never?', poll });
  await bob.sees('Now or never?');
  await vote(bob, 'yes');
  await sees_votes(owner, 'yes 1 no 0');
  for (const { page } of [owner, bob])
    await page.waitForSelector('.poll-words:has-text("1 vote · closed")');
  assert.equal(await bob.page.locator('.poll-option').first().isDisabled(), true);
  await part(owner, bob);
});
