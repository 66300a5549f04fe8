// stream_cases.mjs: a message that grows before one's eyes while a program writes it.
import assert from 'node:assert/strict';
import { check } from './checks.mjs';
import { conversation_of, group_of_two, part, server } from './person.mjs';
import { RawClient } from './raw_client.mjs';

/** A program that writes in `person`'s name into the conversation that `person` shows. */
class Writer {
  static async begin(person, fields = {}) {
    const writer = new Writer();
    writer.raw = new RawClient(server.url);
    await writer.raw.hello(person.name, { device: 'writer' });
    writer.conversation = conversation_of(person);
    writer.text = '';
    writer.stream = (await writer.ask('start_stream', fields)).stream;
    return writer;
  }

  async ask(type, fields) {
    const answer = await this.raw.ask(type, { conversation: this.conversation, ...fields });
    assert.notEqual(answer.type, 'error', JSON.stringify(answer));
    return answer;
  }

  async append(text) {
    const at = Buffer.byteLength(this.text);
    this.text += text;
    await this.ask('append_stream', { stream: this.stream, at, text });
  }

  async finish() {
    const key = { number: '1', random: '1', settled: '1' };
    await this.ask('send', { ...key, text: this.text, stream: this.stream });
    this.raw.close();
  }

  async cancel() {
    await this.ask('cancel_stream', { stream: this.stream });
    this.raw.close();
  }
}

const growing = (person, text) =>
  person.page.locator('.chat .message.growing', { hasText: text }).waitFor();

check('a message grows while it is written, for those who come midway too, and is stored', async () => {
  const [owner, bob] = await group_of_two('Answers');
  const writer = await Writer.begin(owner);
  await writer.append('Once upon');
  await growing(bob, 'Once upon');
  await writer.append(' a time, far behind the wörd mountains,');
  await growing(bob, 'Once upon a time, far behind the wörd mountains,');
  const late = await bob.again();
  await late.open('Answers');
  await writer.append(' there lived');
  for (const person of [bob, late])
    await growing(person, 'Once upon a time, far behind the wörd mountains, there lived');
  assert.equal(await bob.page.locator('.chat .message').count(), 1);
  await writer.append(' a list.');
  await writer.finish();
  for (const person of [owner, bob, late]) {
    await person.sees(writer.text);
    await person.page.waitForSelector('.growing', { state: 'detached' });
    assert.deepEqual(await person.texts(), [writer.text]);
  }
  await part(owner, bob, late);
});

check('what was begun and taken back leaves nothing', async () => {
  const [owner, bob] = await group_of_two('Doubts');
  const writer = await Writer.begin(owner);
  await writer.append('Perhaps');
  await growing(bob, 'Perhaps');
  await writer.cancel();
  await bob.page.waitForSelector('.growing', { state: 'detached' });
  assert.deepEqual(await bob.texts(), []);
  await part(owner, bob);
});
