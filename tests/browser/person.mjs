// person.mjs: the server, the browser, and people at windows of it.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { RawClient } from './raw_client.mjs';
import { ServerProcess, argument } from './server_process.mjs';

const page_directory = argument(
  'page',
  fileURLToPath(new URL('../../examples/chat_server/page/dist', import.meta.url)),
);
const patience_ms = 20_000;

if (!existsSync(join(page_directory, 'page.js'))) {
  console.error(
    `no page in ${page_directory}; run: npm --prefix bindings/typescript run build:page`,
  );
  process.exit(1);
}
export const server = new ServerProcess(argument('server'), page_directory);
await server.start();
export const browser = await chromium.launch({
  executablePath: argument('chromium', '/usr/bin/chromium'),
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-dev-shm-usage',
  ],
});

// ---- A person at a window ----

/** Where one writes; the composer of a thread is another. */
export const input = '.chat .composer textarea';

let people = 0;
export const windows = [];
export const wide = { viewport: { width: 1100, height: 720 } };

/**
 * A window that nobody has signed in to: a browser context of its own, since Chromium draws one frame a second
 * in tabs behind another one.
 */
export async function new_window(options = wide) {
  const context = await browser.newContext({ ...options, locale: 'en-GB' });
  const page = await context.newPage();
  await page.goto(`${server.origin}/`);
  return page;
}

export class Person {
  /** Opens a window of its own and signs in. */
  static arrive(role, options = wide) {
    return Person.sign_in(`${role}-${(people += 1)}`, options);
  }

  /** Another device of the same person. */
  again(options = wide) {
    return Person.sign_in(this.name, options);
  }

  static async sign_in(name, options) {
    const person = new Person();
    person.name = name;
    person.page = await new_window(options);
    person.page.setDefaultTimeout(patience_ms);
    person.bugs = [];
    person.page.on('pageerror', (error) => person.bugs.push(error.stack ?? error.message));
    windows.push(person);
    await person.page.fill('input[name=name]', person.name);
    await person.page.click('button[type=submit]');
    await person.page.waitForSelector(`.me-line .subtitle:text-is("online")`);
    return person;
  }

  entry(title) {
    return this.page.locator('.conversation', {
      has: this.page.locator(`.title:text-is("${title}")`),
    });
  }

  async open(title) {
    await this.entry(title).click();
    await this.page.waitForSelector(`.chat-header .title:text-is("${title}")`);
  }

  /** Fills the window for a new conversation in, and submits it. */
  async ask_for(kind, fields) {
    await this.page.click('[title="New conversation"]');
    await this.page.click(`dialog [data-kind=${kind}]`);
    for (const [name, value] of Object.entries(fields))
      await this.page.fill(`dialog input[name=${name}]`, value);
    await this.page.click('dialog button[type=submit]');
  }

  async start(kind, fields) {
    await this.ask_for(kind, fields);
    await this.page.waitForSelector('dialog', { state: 'detached' });
    await this.page.waitForSelector(input);
  }

  async say(...texts) {
    for (const text of texts) {
      await this.page.fill(input, text);
      await this.page.press(input, 'Enter');
    }
  }

  message(text) {
    return this.page.locator('.chat .message', {
      has: this.page.locator(`.text:text-is("${text}")`),
    });
  }

  /** What the bar beside a message offers, and its menu. */
  async act(text, action) {
    await this.message(text).first().hover();
    await this.page.locator('.actions').waitFor();
    const button = this.page.locator(`.actions [data-action=${action}]`);
    if ((await button.count()) > 0) return button.click();
    await this.page.click('.actions [data-action=more]');
    return this.page.click(`.menu [data-action=${action}]`);
  }

  /** What may be done with a message, as the names of the actions. */
  async offers(text) {
    await this.message(text).first().hover();
    await this.page.click('.actions [data-action=more]');
    const names = await this.page
      .locator('.actions [data-action], .menu [data-action]')
      .evaluateAll((items) => items.map((item) => item.dataset.action));
    await this.page.keyboard.press('Escape');
    return names.filter((name) => name !== 'more');
  }

  async react(text, key) {
    await this.message(text).first().hover();
    await this.page.click('.actions [title=React]');
    await this.page.click(`.picker [aria-label="React with ${key}"]`);
  }

  /** The reactions under a message: "👍2* ❤️1", the star where it is one's own. */
  async sees_reactions(text, expected) {
    await this.until(`reactions ${expected} on ${text}`, async () => {
      const saw = await this.message(text)
        .first()
        .locator('.reaction')
        .evaluateAll((chips) =>
          chips
            .map((chip) => chip.textContent + (chip.ariaPressed === 'true' ? '*' : ''))
            .join(' '),
        );
      return { ok: saw === expected, saw };
    });
  }

  /** Chooses from the menu of a line of the list. */
  async choose(title, action) {
    await this.entry(title).click({ button: 'right' });
    await this.page.click(`.menu [data-action=${action}]`);
  }

  /** The titles of the list, in order. */
  lists(...titles) {
    return this.until(`the list ${titles}`, async () => {
      const saw = await this.page.locator('.conversation .title').allTextContents();
      return { ok: saw.join() === titles.join(), saw };
    });
  }

  /** The second line of a conversation in the list. */
  previews(title, text) {
    return this.entry(title).locator(`.preview:text-is("${text}")`).waitFor();
  }

  sees(text) {
    return this.message(text).first().waitFor();
  }

  tick(text, state) {
    return this.message(text).locator(`.tick-${state}`).waitFor();
  }

  /** The texts on screen, in order. */
  texts() {
    return this.page.locator('.chat .message .text').allTextContents();
  }

  async until(what, condition) {
    const give_up = Date.now() + patience_ms;
    let last;
    while (!(last = await condition()).ok) {
      if (Date.now() > give_up)
        throw new Error(
          `${this.name}: not within 20 s: ${what}; last: ${JSON.stringify(last.saw)}`,
        );
      await pause(60);
    }
  }

  async sees_exactly(expected) {
    await this.until(`exactly ${expected.length} messages`, async () => {
      const saw = (await this.texts()).filter((text) => expected.includes(text));
      return {
        ok: saw.length === expected.length && saw.every((text, at) => text === expected[at]),
        saw,
      };
    });
  }

  async leave() {
    await this.page.context().close();
    windows.splice(windows.indexOf(this), 1);
    assert.deepEqual(this.bugs, [], 'errors in the page');
  }
}

/** All of them go, and had no errors in the page. */
export async function part(...persons) {
  for (const person of persons) await person.leave();
}

export const numbered = (prefix, count) =>
  Array.from({ length: count }, (_, index) => `${prefix} ${index + 1}`);

export async function direct_chat() {
  const [alice, bob] = [await Person.arrive('alice'), await Person.arrive('bob')];
  await alice.start('direct', { peer: bob.name });
  await bob.entry(alice.name).waitFor();
  return [alice, bob];
}

/** An owner and somebody else, both with the group open. */
export async function group_of_two(title) {
  const [owner, bob] = await Promise.all(['owner', 'bob'].map((role) => Person.arrive(role)));
  await owner.start('group', { title, members: bob.name });
  await bob.open(title);
  return [owner, bob];
}

/** The id of what `person` shows. */
export function conversation_of(person) {
  return /c=([0-9a-f]{32})/.exec(person.page.url())[1];
}

/** Sends in `person`'s name what the page has no button for, into the conversation it shows. */
export async function send_raw(person, fields) {
  const raw = new RawClient(server.url);
  await raw.hello(person.name, { device: 'raw' });
  const conversation = conversation_of(person);
  const key = { number: '1', random: '1', settled: '1' };
  const ack = await raw.ask('send', { conversation, ...key, ...fields });
  assert.equal(ack.type, 'ack', JSON.stringify(ack));
  raw.close();
}
