// look_cases.mjs: what is on screen can be seen and read, at any size of the window.
import assert from 'node:assert/strict';
import { check } from './checks.mjs';
import { Person, direct_chat, group_of_two, input, numbered, part } from './person.mjs';

const of_size = (width, height) => ({ viewport: { width, height } });

/** How far the newest message ends below what can be seen of the messages, in pixels. */
const hidden_below = (page) =>
  page.evaluate(() => {
    const view = document.querySelector('.chat .messages').getBoundingClientRect();
    const newest = [...document.querySelectorAll('.chat .message')].at(-1);
    return Math.round(newest.getBoundingClientRect().bottom - view.bottom);
  });

check('the newest message stays in view when bars come over and under the messages', async () => {
  const [alice, bob] = await direct_chat();
  await alice.say(...numbered('line', 40));
  await alice.sees('line 40');
  const opens = async (size, bar) => {
    const window = await alice.again(of_size(...size));
    await window.page.goto(alice.page.url());
    await window.sees('line 40');
    await window.page.waitForSelector(bar);
    await window.page.waitForTimeout(200); // whatever scrolls has scrolled
    assert.ok((await hidden_below(window.page)) <= 0, `${bar} hides the newest message at ${size}`);
    assert.equal(await window.page.locator('.jump:visible').count(), 0);
    await window.leave();
  };
  await alice.page.fill(input, 'for later');
  await alice.page.click('[title="Send later"]');
  await alice.page.click('dialog .sheet-item:has-text("Tomorrow morning")');
  await alice.page.waitForSelector('.scheduled-bar');
  await opens([1280, 800], '.scheduled-bar');
  await alice.act('line 40', 'pin');
  await alice.page.waitForSelector('.pinned-bar');
  await opens([1280, 800], '.pinned-bar');
  await opens([390, 844], '.pinned-bar');
  await part(alice, bob);
});

/** The contrast of the text of an element with its ground, as WCAG counts it. */
const contrast = (button) =>
  button.evaluate((element) => {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    const over = (colours) => {
      for (const colour of colours) {
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
      }
      return canvas.getImageData(0, 0, 1, 1).data;
    };
    const light = ([red, green, blue]) => {
      const part = (of) => (of <= 10 ? of / 3294 : ((of / 255 + 0.055) / 1.055) ** 2.4);
      return 0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue);
    };
    const surface = getComputedStyle(element.closest('dialog')).backgroundColor;
    const { color, backgroundColor } = getComputedStyle(element);
    const ground = [surface, backgroundColor];
    const both = [light(over(ground)), light(over([...ground, color]))];
    return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
  });

check('every kind of button can be read, also under the pointer, in light and in dark', async () => {
  for (const colorScheme of ['light', 'dark']) {
    const alice = await Person.arrive('alice', { ...of_size(800, 600), colorScheme });
    await alice.page.click('[title="New conversation"]');
    for (const look of ['', 'quiet', 'danger', 'danger filled']) {
      await alice.page.evaluate((classes) => {
        const button = document.querySelector('dialog .panel .button');
        button.className = `button ${classes}`;
      }, look);
      const button = alice.page.locator('dialog .panel .button');
      await alice.page.mouse.move(0, 0);
      const rest = await contrast(button);
      await button.hover();
      const hovered = await contrast(button);
      for (const seen of [rest, hovered])
        assert.ok(seen >= 4.5, `${look} in ${colorScheme}: ${rest}, under the pointer ${hovered}`);
    }
    await alice.page.keyboard.press('Escape');
    await alice.leave();
  }
});

check('the kinds of conversation stand in one row, down to the smallest phone', async () => {
  const alice = await Person.arrive('alice');
  await alice.page.click('[title="New conversation"]');
  for (const [width, height] of [
    [1280, 800],
    [390, 844],
    [320, 640],
  ]) {
    await alice.page.setViewportSize({ width, height });
    const boxes = await alice.page
      .locator('dialog .tabs button')
      .evaluateAll((tabs) => tabs.map((tab) => tab.getBoundingClientRect().toJSON()));
    const room = await alice.page.locator('dialog .tabs').boundingBox();
    assert.equal(boxes.length, 5);
    assert.equal(new Set(boxes.map(({ top }) => top)).size, 1, `one row at ${width}`);
    assert.ok(boxes.at(-1).right <= room.x + room.width, `inside at ${width}`);
  }
  await alice.page.keyboard.press('Escape');
  await alice.leave();
});

check('what can be done with a message covers no other message', async () => {
  const [owner, bob] = await group_of_two('Crossing');
  const long = 'a sentence that goes on and on until it has filled the line, and the next one too';
  await owner.say('short', `${long} of the owner`, 'last of the owner');
  await bob.sees('last of the owner');
  await bob.say('brief', `${long} of bob`, 'last of bob');
  await owner.sees('last of bob');
  const texts = ['short', `${long} of the owner`, 'last of the owner', 'brief', `${long} of bob`];
  for (const size of [
    [1100, 720],
    [390, 844],
    [320, 640],
  ]) {
    await owner.page.setViewportSize({ width: size[0], height: size[1] });
    for (const text of [...texts, 'last of bob']) {
      await owner.message(text).first().hover();
      await owner.page.locator('.actions').waitFor();
      const covered = await owner.page.evaluate(() => {
        const bar = document.querySelector('.actions');
        const { left, right, top, bottom } = bar.getBoundingClientRect();
        const view = document.querySelector('.chat .messages').getBoundingClientRect();
        const meets = (box) =>
          box.left < right && box.right > left && box.top < bottom - 1 && box.bottom > top + 1;
        const others = [...document.querySelectorAll('.chat .bubble')].filter(
          (bubble) => !bubble.parentElement.contains(bar),
        );
        return {
          texts: others
            .filter((bubble) => meets(bubble.getBoundingClientRect()))
            .map((bubble) => bubble.textContent),
          outside: left < view.left || right > view.right,
        };
      });
      assert.deepEqual(covered, { texts: [], outside: false }, `beside “${text}” at ${size}`);
    }
    await owner.page.mouse.move(0, 0);
  }
  await owner.message('short').first().hover();
  await owner.page.click('.actions [title=React]');
  const picker = await owner.page.locator('.actions .picker').boundingBox();
  assert.ok(picker.x >= 0 && picker.x + picker.width <= 320, 'all of the reactions at 320 pixels');
  await owner.page.keyboard.press('Escape');
  await part(owner, bob);
});

check('of two windows over each other only the upper one is seen', async () => {
  const [owner, bob] = await group_of_two('Piled');
  await owner.page.click('[title="Members"]');
  await owner.page.waitForSelector('.members li:nth-child(2)');
  await owner.page.click('dialog button:text-is("Delete this group")');
  const lower = owner.page.locator('dialog', { hasText: 'Invite links' });
  await lower.waitFor({ state: 'hidden' });
  await owner.page.click('dialog button:text-is("Cancel")');
  await lower.waitFor();
  await owner.page.keyboard.press('Escape');
  await part(owner, bob);
});

check('a small window shows members and buttons of the details one after the other', async () => {
  const [owner, bob] = await group_of_two('Narrow');
  await owner.page.click('[title="Members"]');
  await owner.page.fill('dialog [name=members]', numbered('visitor', 20).join(', '));
  await owner.page.click('dialog button:text-is("Add")');
  await owner.page.waitForSelector('dialog .subtitle:text-is("22 members")');
  for (const size of [
    [800, 600],
    [390, 500],
  ]) {
    await owner.page.setViewportSize({ width: size[0], height: size[1] });
    const { height } = await owner.page.locator('dialog .members').boundingBox();
    assert.ok(height >= 180, `${height} pixels of members at ${size}`);
    const widths = await owner.page
      .locator('dialog .buttons button:visible')
      .evaluateAll((all) => all.map((one) => Math.round(one.getBoundingClientRect().width)));
    assert.equal(new Set(widths.filter((_, at) => at < 2)).size, 1, `even columns: ${widths}`);
    await owner.page.locator('dialog button:text-is("Delete this group")').scrollIntoViewIfNeeded();
  }
  await owner.page.keyboard.press('Escape');
  await part(owner, bob);
});

check('the thread has as high a header as the conversation', async () => {
  const [owner, bob] = await group_of_two('Level');
  await owner.say('a root');
  await owner.act('a root', 'thread');
  const height = async (header) => (await owner.page.locator(header).boundingBox()).height;
  assert.equal(await height('.thread-header'), await height('.chat-header'));
  await part(owner, bob);
});

check('on a phone no ring stays where a window was opened', async () => {
  const phone = await Person.arrive('phone', {
    ...of_size(390, 844),
    hasTouch: true,
    isMobile: true,
  });
  await phone.start('group', { title: 'Pocket' });
  await phone.page.tap('[title="Members"]');
  await phone.page.tap('dialog button:text-is("Settings")');
  await phone.page.press('dialog [name=title]', 'Enter'); // as the keyboard on the screen does
  await phone.page.waitForSelector('dialog [name=title]', { state: 'detached' });
  const ring = () => phone.page.locator('button:focus-visible').count();
  await phone.until('no ring', async () => ({ ok: (await ring()) === 0, saw: await ring() }));
  await phone.page.tap('dialog [aria-label=Close]');
  await phone.leave();
});

check('an answer of a poll that is cut says so', async () => {
  const [alice, bob] = await direct_chat();
  await alice.page.click('[title="Ask in a poll"]');
  const note = alice.page.locator('dialog .poll-fields small');
  await alice.page.fill('dialog [name=option] >> nth=0', 'Pizza');
  assert.equal(await note.isVisible(), false);
  await alice.page.locator('dialog [name=option] >> nth=0').pressSequentially('!'.repeat(90));
  assert.equal(await note.textContent(), 'An answer has 80 letters at most.');
  assert.equal(await note.isVisible(), true);
  await alice.page.keyboard.press('Escape');
  await part(alice, bob);
});
