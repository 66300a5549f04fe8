// member_cases.mjs: who may do what in a group, and who says so.
import assert from 'node:assert/strict';
import { check } from './checks.mjs';
import { Person, conversation_of, input, numbered, part, server } from './person.mjs';
import { RawClient } from './raw_client.mjs';

/** An owner with a group of two others; everybody looks at it. */
async function group_of_three(title) {
  const [owner, bob, carol] = await Promise.all(
    ['owner', 'bob', 'carol'].map((role) => Person.arrive(role)),
  );
  await owner.start('group', { title, members: `${bob.name}, ${carol.name}` });
  for (const person of [bob, carol]) await person.open(title);
  return [owner, bob, carol];
}

async function open_members(person) {
  await person.page.click('[title="Members"]');
  await person.page.waitForSelector('.members li:nth-child(2)');
}

async function act_on(person, member, action) {
  await person.page.click(`dialog [title="What to do about ${member.name}"]`);
  await person.page.click(`.menu [data-action=${action}]`);
}

/** What may be done about a member. */
async function menu_of(person, member) {
  await person.page.click(`dialog [title="What to do about ${member.name}"]`);
  const items = person.page.locator('.menu [data-action]');
  const names = await items.evaluateAll((all) => all.map((item) => item.dataset.action));
  await person.page.keyboard.press('Escape');
  return names;
}

const badge = (person, member, text) =>
  person.page
    .locator('.members li', { hasText: member.name })
    .locator(`.role:text-is("${text}")`)
    .waitFor();

check('an owner gives roles, and each role offers what it may do', async () => {
  const [owner, bob, carol] = await group_of_three('Roles');
  await carol.say('a word of carol');
  await bob.sees('a word of carol');
  assert.deepEqual(await bob.offers('a word of carol'), [
    'reply',
    'thread',
    'forward',
    'copy',
    'pin',
    'delete-for-me',
  ]);
  await open_members(owner);
  await act_on(owner, bob, 'role-moderator');
  await badge(owner, bob, 'moderator');
  await carol.page.waitForSelector(
    `.row.system:text-is("${owner.name} made ${bob.name} a moderator")`,
  );
  await bob.until('the right to delete', async () => {
    const saw = await bob.offers('a word of carol');
    return { ok: saw.join() === 'reply,thread,forward,copy,pin,delete-for-me,delete', saw };
  });
  await open_members(bob);
  assert.deepEqual(await menu_of(bob, carol), ['mute', 'ban', 'remove', 'block']);
  assert.deepEqual(await menu_of(bob, owner), ['block']);
  await bob.page.keyboard.press('Escape');
  await act_on(owner, carol, 'role-read_only');
  await carol.page.waitForSelector('.barred:text-is("You may read here, and not write.")');
  assert.equal(await carol.page.locator(input).isVisible(), false);
  assert.deepEqual(await carol.offers('a word of carol'), [
    'forward',
    'seen',
    'copy',
    'delete-for-me',
  ]);
  await act_on(owner, carol, 'role-member');
  await carol.page.locator(input).waitFor();
  await act_on(owner, bob, 'transfer');
  await owner.page.click('dialog button:text-is("Hand over")');
  await badge(owner, bob, 'owner');
  await badge(owner, owner, 'admin');
  await owner.page.keyboard.press('Escape');
  await part(owner, bob, carol);
});

check('those who manage a group name it anew', async () => {
  const [owner, bob, carol] = await group_of_three('Old name');
  await open_members(owner);
  await owner.page.click('dialog button:text-is("Settings")');
  await owner.page.fill('dialog [name=title]', 'New name');
  await owner.page.click('dialog button:text-is("Save")');
  await bob.page.waitForSelector('.chat-header .title:text-is("New name")');
  await carol.page.waitForSelector(
    `.row.system:text-is("${owner.name} named the group “New name”")`,
  );
  await open_members(bob);
  assert.equal(await bob.page.locator('dialog button:text-is("Settings")').count(), 0);
  await bob.page.keyboard.press('Escape');
  await part(owner, bob, carol);
});

check('the settings of a group: what it is about, who writes, and that it is closed', async () => {
  const [owner, bob, carol] = await group_of_three('Rules');
  const set = async (change) => {
    await open_members(owner);
    await owner.page.click('dialog button:text-is("Settings")');
    await owner.page.waitForSelector('dialog [name=title]');
    await change(owner.page);
    await owner.page.click('dialog button:text-is("Save")');
    await owner.page.waitForSelector('dialog [name=title]', { state: 'detached' });
    await owner.page.keyboard.press('Escape');
  };
  await set(async (page) => {
    await page.fill('dialog [name=description]', 'Only good news, please.');
    await page.selectOption('dialog [name=whoSends]', 'moderator');
  });
  await bob.page.waitForSelector('.barred:text-is("Only moderators write here.")');
  await open_members(bob);
  await bob.page.waitForSelector('.about:text-is("Only good news, please.")');
  await bob.page.keyboard.press('Escape');
  await set((page) => page.selectOption('dialog [name=whoSends]', 'none'));
  await bob.page.locator(input).waitFor();
  await set((page) => page.check('dialog [name=archived]'));
  await carol.page.waitForSelector('.barred:text-is("This group is closed.")');
  await owner.page.waitForSelector('.barred:text-is("This group is closed.")');
  await set((page) => page.uncheck('dialog [name=archived]'));
  await carol.page.locator(input).waitFor();
  await part(owner, bob, carol);
});

check('who is muted reads on; who is banned is gone, and both end', async () => {
  const [owner, bob, carol] = await group_of_three('Calm');
  await bob.say('a word of bob');
  await carol.sees('a word of bob');
  await carol.act('a word of bob', 'thread');
  await carol.page.fill('.thread textarea', 'and an answer');
  await carol.page.press('.thread textarea', 'Enter');
  await bob.page.waitForSelector('.thread-chip:has-text("1 reply")');
  await open_members(owner);
  await act_on(owner, bob, 'mute');
  await owner.page.fill('dialog [name=reason]', 'too loud');
  await owner.page.click('dialog button:text-is("Mute")');
  await bob.page.waitForSelector('.barred:has-text("You are muted here until")');
  assert.deepEqual(await bob.offers('a word of bob'), [
    'forward',
    'seen',
    'copy',
    'pin',
    'delete-for-me',
    'delete',
  ]);
  await bob.page.click('.thread-chip');
  await bob.page.waitForSelector('.thread .barred:has-text("You are muted here until")');
  assert.equal(await bob.page.locator('.thread textarea').isVisible(), false);
  await bob.page.click('[title="Close the thread"]');
  await carol.page.waitForSelector('.row.system:has-text("too loud")');
  await act_on(owner, carol, 'ban');
  await owner.page.click('dialog button:text-is("Ban")');
  await carol.entry('Calm').waitFor({ state: 'detached' });
  await owner.page.click('dialog button:text-is("Muted and banned")');
  for (const person of [bob, carol]) {
    const line = owner.page.locator('.restrictions li', { hasText: person.name });
    await line.locator('button').click();
    await line.waitFor({ state: 'detached' });
  }
  await bob.page.locator(input).waitFor();
  await owner.page.keyboard.press('Escape');
  await owner.page.fill('dialog input[name=members]', carol.name);
  await owner.page.click('dialog button:text-is("Add")');
  await carol.entry('Calm').waitFor();
  await owner.page.keyboard.press('Escape');
  await part(owner, bob, carol);
});

check('the header names who is online in a small group, and counts them in a huge channel', async () => {
  const [owner, bob, carol] = await group_of_three('Little');
  const says = (person, text) =>
    person.page.waitForSelector(`.chat-header .subtitle:text-is("${text}")`);
  await owner.until('both names', async () => {
    const saw = await owner.page.locator('.chat-header .subtitle').textContent();
    return {
      ok: [bob, carol].every(({ name }) => saw.includes(name)) && saw.endsWith(' online'),
      saw,
    };
  });
  await part(carol);
  await says(owner, `3 members · ${bob.name} online`);
  await owner.start('channel', { title: 'Stadium' });
  const raw = new RawClient(server.url);
  await raw.hello(owner.name, { device: 'raw' });
  const conversation = conversation_of(owner);
  const fans = [bob.name, ...numbered('fan', 5_000)];
  for (let from = 0; from < fans.length; from += 100) {
    const members = fans.slice(from, from + 100);
    const added = await raw.ask('add', { conversation, members });
    assert.equal(added.type, 'done', JSON.stringify(added));
  }
  raw.close();
  for (const person of [owner, bob]) await person.open('Little');
  for (const person of [owner, bob]) await person.open('Stadium');
  await says(owner, '5,002 members · 2 online');
  await owner.page.waitForSelector(`.subtitle[title="Online: ${bob.name}"]`);
  await part(bob);
  await says(owner, '5,002 members');
  await part(owner);
});

check('one of very many is found by the beginning of the name, and can be named', async () => {
  const owner = await Person.arrive('owner');
  const guests = numbered('guest', 130);
  await owner.start('group', { title: 'Crowd', members: guests.slice(0, 65).join(', ') });
  await owner.page.click('[title="Members"]');
  await owner.page.fill('dialog [name=members]', guests.slice(65).join(', '));
  await owner.page.click('dialog button:text-is("Add")');
  await owner.page.waitForSelector('dialog .subtitle:has-text("131 members")');
  await owner.page.waitForSelector('.members li:nth-child(100)');
  const found = async (text, count) => {
    await owner.page.fill('dialog [type=search]', text);
    await owner.until(`${count} members for ${text}`, async () => {
      const saw = await owner.page.locator('.members .title').allTextContents();
      return { ok: saw.length === count, saw };
    });
  };
  await found('GUEST 12', 11);
  await owner.page.waitForSelector('dialog .subtitle:text-is("11 of 131 members found")');
  await found('Guest 129', 1);
  await found('nobody', 0);
  await owner.page.waitForSelector('dialog .subtitle:text-is("Nobody of that name")');
  await found('guest', 100);
  await owner.page.waitForSelector('dialog .subtitle:has-text("More than 100 of 131 members")');
  await found('', 100);
  await owner.page.keyboard.press('Escape');
  for (const name of ['guest 113', 'guest 7', 'guest 130']) {
    await owner.page.fill(input, '');
    await owner.page.locator(input).pressSequentially(`@${name}`);
    await owner.page.click(`.mention-picker li:text-is("${name}")`);
    await owner.page.press(input, 'Enter');
    await owner.page.waitForSelector(`.chat .mention:text-is("@${name}")`);
  }
  await owner.leave();
});

check('a channel counts who was added, who joined and who left, while one looks at it', async () => {
  const [owner, guest] = await Promise.all(['owner', 'guest'].map((role) => Person.arrive(role)));
  await owner.start('channel', { title: 'Reading' });
  const counts = (text) => owner.page.waitForSelector(`.chat-header .subtitle:text-is("${text}")`);
  await counts('1 member');
  await owner.page.click('[title="Members"]');
  await owner.page.fill('dialog [name=members]', numbered('reader', 40).join(', '));
  await owner.page.click('dialog button:text-is("Add")');
  await owner.page.waitForSelector('dialog .subtitle:text-is("41 members")');
  await counts('41 members');
  await guest.page.evaluate((hash) => {
    location.hash = hash;
  }, owner.page.url().replace(/.*#c=/, '#join='));
  await guest.page.waitForSelector('.chat-header .title:text-is("Reading")');
  await counts(`42 members · ${guest.name} online`);
  await owner.page.waitForSelector('dialog .subtitle:text-is("42 members")');
  await guest.page.click('[title="Members"]');
  await guest.page.click('dialog button:text-is("Leave this channel")');
  await guest.page.click('dialog button:text-is("Leave")');
  await counts('41 members');
  await owner.page.keyboard.press('Escape');
  await part(owner, guest);
});

check('who is removed is asked about first, and a ban says until when it holds', async () => {
  const [owner, bob, carol] = await group_of_three('Doors');
  await open_members(owner);
  await act_on(owner, bob, 'remove');
  await owner.page.click('dialog button:text-is("Cancel")');
  await act_on(owner, bob, 'ban');
  const hint = owner.page.locator('dialog .field small').first();
  assert.equal(await hint.textContent(), 'They are removed, and cannot come back until then.');
  await owner.page.selectOption('dialog [name=for]', { label: 'Until it is lifted' });
  assert.equal(await hint.textContent(), 'They are removed, and cannot come back.');
  await owner.page.keyboard.press('Escape');
  assert.equal(await bob.entry('Doors').count(), 1);
  await act_on(owner, bob, 'remove');
  await owner.page.click('dialog button.danger:text-is("Remove")');
  await bob.entry('Doors').waitFor({ state: 'detached' });
  await owner.page.keyboard.press('Escape');
  await part(owner, bob, carol);
});

check('an owner is told before the question that nobody is there to own it', async () => {
  const [owner, bob] = await Promise.all(['owner', 'bob'].map((role) => Person.arrive(role)));
  await owner.start('channel', { title: 'Solo' });
  await owner.page.click('[title="Members"]');
  await owner.page.fill('dialog [name=members]', bob.name);
  await owner.page.click('dialog button:text-is("Add")');
  await owner.page.waitForSelector('dialog .subtitle:text-is("2 members")');
  await owner.page.click('dialog button:text-is("Leave this channel")');
  await owner.page.waitForSelector('dialog:has-text("Make somebody else an owner first")');
  await owner.page.keyboard.press('Escape');
  await act_on(owner, bob, 'remove');
  await owner.page.click('dialog button:text-is("Remove")');
  await owner.page.waitForSelector('dialog .subtitle:text-is("1 member")');
  await owner.page.click('dialog button:text-is("Leave this channel")');
  await owner.page.waitForSelector('dialog:has-text("Nobody else is in this channel")');
  await owner.page.click('dialog button.danger:text-is("Delete for good")');
  await owner.entry('Solo').waitFor({ state: 'detached' });
  await part(owner, bob);
});

check('everybody is offered by name where one may name everybody', async () => {
  const [owner, bob, carol] = await group_of_three('Town');
  const offered = async (person, begun) => {
    await person.page.fill(input, '');
    await person.page.locator(input).pressSequentially(begun);
    return person.page.locator('.mention-picker:visible li').allTextContents();
  };
  assert.deepEqual(await offered(bob, 'Hear, @every'), ['alleverybody']);
  await bob.page.press(input, 'Enter');
  assert.equal(await bob.page.inputValue(input), 'Hear, @all ');
  await bob.page.press(input, 'Enter');
  await carol.page.waitForSelector('.names-me .mention:text-is("@all")');
  await bob.open('Lobby');
  assert.deepEqual(await offered(bob, '@every'), []);
  await bob.page.fill(input, '');
  await part(owner, bob, carol);
});
