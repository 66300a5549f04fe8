// pictures.mjs: every panel of the page as a picture, wide and narrow, light and dark: to be looked at.
//   node pictures.mjs --server <chat_server binary> --shots DIR [--page DIR] [--look TEXT]
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Person, browser, input, numbered, server, windows } from './person.mjs';
import { argument } from './server_process.mjs';

const directory = argument('shots');
mkdirSync(directory, { recursive: true });

const looks = {
  'wide-light': { viewport: { width: 1100, height: 720 }, colorScheme: 'light' },
  'wide-dark': { viewport: { width: 1100, height: 720 }, colorScheme: 'dark' },
  'narrow-light': { viewport: { width: 390, height: 760 }, colorScheme: 'light' },
  'narrow-dark': { viewport: { width: 390, height: 760 }, colorScheme: 'dark' },
};

/** Pictures of one look, numbered as they are taken. */
class Album {
  constructor(look, page) {
    this.look = look;
    this.page = page;
    this.count = 0;
  }

  async take(name) {
    this.count += 1;
    const number = String(this.count).padStart(2, '0');
    await this.page.screenshot({
      path: join(directory, `${this.look}-${number}-${name}.png`),
      animations: 'disabled',
    });
  }

  /** A picture of a dialog, which is closed again. */
  async dialog(name) {
    await this.page.waitForSelector('dialog');
    await this.page.waitForLoadState('networkidle');
    await this.take(name);
    await this.page.keyboard.press('Escape');
  }
}

/** A group in which something of everything has happened. */
async function lively_group(ann) {
  const [ben, cleo] = [await Person.arrive('ben'), await Person.arrive('cleo')];
  await ann.start('group', { title: 'Weekend trip', members: `${ben.name}, ${cleo.name}` });
  await ben.open('Weekend trip');
  await cleo.open('Weekend trip');
  await ann.say('Who is in for the lake on Saturday?');
  await ben.sees('Who is in for the lake on Saturday?');
  await ben.say('I am! I can bring the tent and the small stove');
  await ann.sees('I am! I can bring the tent and the small stove');
  await cleo.act('Who is in for the lake on Saturday?', 'reply');
  await cleo.say('Me too, https://example.org/lake says it stays dry');
  await ben.react('Who is in for the lake on Saturday?', '👍');
  await cleo.react('Who is in for the lake on Saturday?', '👍');
  await cleo.react('Who is in for the lake on Saturday?', '❤️');
  await ann.say('Grate', 'Something that nobody should have read');
  await ann.tick('Something that nobody should have read', 'read');
  await ann.act('Grate', 'edit');
  await ann.say('Great');
  await ann.act('Something that nobody should have read', 'delete');
  await ann.page.click('dialog button:text-is("Delete for everybody")');
  await ann.act('Great', 'pin');
  await ben.act('Great', 'thread');
  for (const text of ['When do we leave?', 'Around nine, I would say']) {
    await ben.page.fill('.thread textarea', text);
    await ben.page.press('.thread textarea', 'Enter');
  }
  await ann.page.waitForSelector('.thread-chip:has-text("2 replies")');
  await ben.page.fill(input, `@${ann.name} do you take your car?`);
  await ben.page.press(input, 'Enter');
  await ann.page.fill(input, 'Do not forget the sleeping bags');
  await ann.page.click('[title="Send later"]');
  await ann.page.click('dialog .sheet-item >> nth=0');
  await ann.page.waitForSelector('.scheduled-bar');
  return [ben, cleo];
}

async function poll_pictures(ann, ben, album) {
  const { page } = ann;
  await page.click('[title="Ask in a poll"]');
  await page.fill('dialog [name=question]', 'Where do we eat on the way back?');
  for (const [at, answer] of ['The old mill', 'Pizza', 'We cook at the lake'].entries())
    await page.fill(`dialog [name=option] >> nth=${at}`, answer);
  await page.selectOption('dialog [name=closes]', '86400000');
  await album.take('new-poll');
  await page.click('dialog button:text-is("Ask")');
  await ben.page.click('.poll-option:has-text("Pizza")');
  await ann.page.click('.poll-option:has-text("Pizza")');
  await page.waitForSelector('.poll-words:has-text("2 votes")');
  await page.fill(input, 'The code of the gate is 4711');
  await page.click('[title="Let it disappear"]');
  await album.take('disappear-menu');
  await page.click('.menu-item >> nth=1');
  await album.take('disappearing');
  await page.press(input, 'Enter');
  await ann.message('The code of the gate is 4711').locator('.icon-hourglass').waitFor();
  await album.take('poll');
  await page.click('.poll-words button:text-is("Who")');
  await page.waitForSelector('.voters .title >> nth=1');
  await album.dialog('voters');
}

async function conversation_pictures(ann, album) {
  const { page } = ann;
  const question = 'Who is in for the lake on Saturday?';
  await album.take('conversation');
  await ann.message('Great').hover();
  await page.click('.actions [title=React]');
  await album.take('reaction-picker');
  await page.keyboard.press('Escape');
  await ann.message('Great').hover();
  await page.click('.actions [data-action=more]');
  await album.take('message-menu');
  await page.keyboard.press('Escape');
  await ann.act(question, 'reply');
  await album.take('reply');
  await page.keyboard.press('Escape');
  await ann.act('Great', 'edit');
  await album.take('edit');
  await page.keyboard.press('Escape');
  await page.fill(input, '');
  await page.type(input, 'Thank you @');
  await album.take('mention-picker');
  await page.fill(input, '');
  for (const [action, name] of [
    ['delete', 'delete'],
    ['forward', 'forward'],
    ['seen', 'seen'],
  ]) {
    await ann.act('Great', action);
    await album.dialog(name);
  }
  await page.click('.pinned-bar');
  await album.dialog('pins');
  await page.click('.scheduled-bar');
  await album.dialog('scheduled');
  await page.fill(input, 'A message for later');
  await page.click('[title="Send later"]');
  await album.dialog('later');
  await page.fill(input, '');
  await page.click('.threads-button');
  await album.dialog('threads');
  await page.click('.thread-chip');
  await page.waitForSelector('.thread .message >> nth=2');
  await album.take('thread');
  await page.click('[title="Close the thread"]');
}

async function member_pictures(ann, ben, album) {
  const { page } = ann;
  await page.click('[title="Members"]');
  await page.waitForSelector('.members li:nth-child(3)');
  await album.take('members');
  const act_on_ben = (action) => {
    return page
      .click(`dialog [title="What to do about ${ben.name}"]`)
      .then(() => page.click(`.menu [data-action=${action}]`));
  };
  await page.click(`dialog [title="What to do about ${ben.name}"]`);
  await album.take('member-menu');
  await page.keyboard.press('Escape');
  await page.click('dialog button:text-is("Muted and banned")');
  await album.dialog('nobody-muted');
  await act_on_ben('mute');
  await album.take('mute');
  await page.fill('dialog [name=reason]', 'too loud, and much too often so');
  await page.click('dialog button:text-is("Mute")');
  await ben.page.waitForSelector('.barred:has-text("You are muted")');
  await act_on_ben('ban');
  await album.dialog('ban');
  await page.click('dialog button:text-is("Muted and banned")');
  await album.dialog('muted');
  await act_on_ben('transfer');
  await album.dialog('hand-over');
  await page.click('dialog button:text-is("Settings")');
  await page.waitForSelector('dialog [name=title]');
  await album.dialog('settings');
  await page.keyboard.press('Escape');
}

async function list_pictures(ann, album) {
  const { page } = ann;
  const narrow = album.look.startsWith('narrow');
  if (narrow) await page.click('[aria-label="Back to the list"]');
  const loner = await Person.arrive('dora');
  await loner.start('direct', { peer: ann.name });
  await loner.say('Could you call me? It is about the keys, and about the flowers in the garden');
  await ann.entry(loner.name).waitFor();
  await ann.choose(loner.name, 'folder');
  await page.fill('dialog [name=folder]', 'Friends');
  await album.take('folder');
  await page.click('dialog button[type=submit]');
  await page.waitForSelector('.folder');
  await ann.choose('Lobby', 'mute');
  await ann.choose('Weekend trip', 'pin');
  await ann.entry('Weekend trip').locator('.icon-pin').waitFor();
  await ann.entry('Lobby').locator('.icon-muted').waitFor();
  await loner.page.click('.me-line');
  await loner.page.click('[data-state=busy]');
  await loner.page.keyboard.press('Escape');
  await ann.entry(loner.name).locator('.dot.busy').waitFor();
  await album.take('list');
  await ann.entry(loner.name).click({ button: 'right' });
  await album.take('list-menu');
  await page.keyboard.press('Escape');
  await page.fill('.search input', 'nothing of that kind');
  await album.take('nothing-found');
  await page.fill('.search input', '');
  await page.click('.me-line');
  await page.waitForSelector('.devices li');
  await page.fill('[name=status]', 'On the road until Monday');
  await album.dialog('you');
  await page.click('[title="New conversation"]');
  for (const kind of ['direct', 'group', 'channel', 'join']) {
    await page.click(`dialog [data-kind=${kind}]`);
    await album.take(`new-${kind}`);
  }
  await page.keyboard.press('Escape');
  return loner;
}

async function album_of(look, options) {
  const ann = await Person.arrive('ann', options);
  const album = new Album(look, ann.page);
  await album.take('first-window');
  const others = await lively_group(ann);
  await conversation_pictures(ann, album);
  await poll_pictures(ann, others[0], album);
  await member_pictures(ann, others[0], album);
  const muted = new Album(`${look}-muted`, others[0].page);
  await muted.take('composer');
  others.push(await list_pictures(ann, album));
  await ann.open('Lobby');
  await ann.say(...numbered('A line in the Lobby', 3));
  await album.take('channel');
  await server.kill();
  await ann.page.waitForSelector('.banner:visible');
  await ann.say('Written without a connection');
  await album.take('no-connection');
  await server.start();
  await ann.page.waitForSelector('.banner', { state: 'hidden' });
  for (const person of [ann, ...others]) await person.leave();
  console.log(`${look}: ${album.count} pictures`);
}

const wanted = argument('look', '');
try {
  for (const [look, options] of Object.entries(looks))
    if (look.includes(wanted)) await album_of(look, options);
} catch (error) {
  console.error(error);
  for (const { name, page } of windows)
    await page.screenshot({ path: join(directory, `failed-${name}.png`) }).catch(() => undefined);
}
await browser.close();
await server.stop();
