// lies.mjs: proves that the loop can fail. After a truthful run each lie is told on the path that
// the truth takes (a line to the ledger, a frame from the server), and the audit must find what was
// planted: its class, and a line that names it. A lie makes what it needs by itself, whatever the
// traffic left behind; one that finds nothing to lie about is an error of this harness.
import { copyFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Ledger } from './ledger_process.mjs';
import { text_hash } from './random.mjs';
import { settle } from './traffic.mjs';

const patience_ms = 20_000;
const far = 100_000; // positions and seqs further than any run gets
const strange_nonce = 'f'.repeat(32);

/**
 * A line to the ledger that is not so. The stage: `first` and `second`, the acks of two messages
 * that one device sent one after the other; `receipt`, of a member who never leaves.
 */
const to_the_ledger = {
  'an ack that never was': {
    expect: 'C1',
    line: ({ second }) => ({ ...second, seq: second.seq + far, random: '1' }),
    says: ({ id, second }) => [`of ${id} as #${second.seq + far} (key 1)`],
  },
  'an ack with another seq': {
    expect: 'C1',
    line: ({ second }) => ({ ...second, seq: second.seq - 1 }),
    says: ({ id, second }) => [`of ${id} as #${second.seq - 1} (key ${second.random})`],
  },
  'an ack of another text': {
    expect: 'C1',
    line: ({ second }) => ({ ...second, hash: '0'.repeat(32) }),
    says: ({ id, second }) => [`of ${id} as #${second.seq} (key ${second.random})`],
  },
  'an ack before a later send of what stands behind it': {
    expect: 'C5',
    line: ({ second }) => ({ ...second, at: 0 }),
    says: ({ id, first }) => [`${id} #${first.seq} was sent after a later one was acked`],
  },
  'a receipt that was announced further on': {
    expect: 'C6',
    line: ({ receipt }) => ({ ...receipt, received: receipt.received + far }),
    says: ({ id, receipt: { user, received, read } }) => [
      `user ${user} of ${id} was announced at ${received + far}/${read}`,
    ],
  },
  'a removal that was answered': {
    expect: 'C1',
    line: ({ id, receipt: { user } }) => ({
      what: 'member',
      conversation: id,
      change: 'removed',
      user,
      done: true,
    }),
    says: ({ id, receipt: { user } }) => [`1 answered "removed" of user ${user} in ${id}`],
  },
  'a nonce that made another conversation': {
    expect: 'C3',
    line: ({ id }) => ({ what: 'created', nonce: strange_nonce, conversation: id }),
    says: ({ id }) => [`nonce ${strange_nonce} made ${id}`],
  },
};

// In what follows the tamper gets a frame and gives it back as it is, or a changed copy. The stage:
// `device`, whose user never left, was away while the owner sent three messages: `before`,
// `middle` and `after` are the events, the newest of conversation `id`; `item` stands in the
// owner's outbox for the middle one, `own` in the device's for its last; `read` is as far as the
// device has read.

/** Some events are told in another way: `retell` gives seqs, and what stands in their place. */
const told = (is_meant) => (retell) => (stage) => {
  const retold = new Map(retell(stage));
  return (frame, type, who) => {
    if (!is_meant(stage, frame, type, who)) return frame;
    if (!frame.events.some(({ seq }) => retold.has(seq))) return frame;
    return { ...frame, events: frame.events.flatMap((event) => retold.get(event.seq) ?? [event]) };
  };
};

/** In the history that the auditor reads, page by page. */
const history = told(
  ({ id }, frame, type, who) =>
    who === 'auditor' && type === 'history' && frame.conversation === id,
);

/** In what one device is pushed. */
const pushed = told(
  ({ id, device }, frame, type, who) =>
    who === device && frame.type === 'events' && frame.conversation === id,
);

/** One frame to the device is another: `change` gives undefined for those that stay. */
const frame_of = (type, change) => (stage) => (frame, asked, who) =>
  (who === stage.device && frame.type === type && change(structuredClone(frame), stage)) || frame;

/** The answer to the device's resume of the conversation is another. */
const resume = (change) =>
  frame_of('subscribed', (frame, { id }) => {
    const answer = frame.answers.find(({ conversation }) => conversation === id);
    if (answer?.answer !== 'range') return undefined;
    change(answer);
    return frame;
  });

const acked = ({ world, id, middle, item }) =>
  `${world.owner.id} was acked number ${item.number} of ${id} ` +
  `as #${middle.seq} (key ${item.random})`;
const has_another = ({ device, id, middle }) => `${device.id} has another ${id} #${middle.seq} (`;

/** A frame from the server that is not so. */
const from_the_server = {
  'an acked message left out of history': {
    expect: 'C2',
    tamper: history(({ middle }) => [[middle.seq, []]]),
    says: ({ id, middle, after }) => [`${id} has #${after.seq} where #${middle.seq} belongs`],
  },
  'an acked message left out of history, and the seqs closed up': {
    expect: 'C1',
    tamper: history(({ middle, after }) => [
      [middle.seq, [{ ...after, seq: middle.seq }]],
      [after.seq, []],
    ]),
    says: (stage) => [acked(stage), `"echo":"${stage.after.echo}"`],
  },
  'a message stored twice': {
    expect: 'C3',
    tamper: history(({ middle, after }) => [
      [after.seq, [{ ...middle, seq: after.seq }, { ...after, seq: after.seq + 1 }]],
    ]),
    says: ({ id, middle, after, item }) => [
      `key ${item.random} of ${id} is stored as #${middle.seq} and #${after.seq}`,
    ],
  },
  'two messages of one device changed about': {
    expect: 'C5',
    tamper: history(({ before, middle }) => [
      [before.seq, [{ ...middle, seq: before.seq }]],
      [middle.seq, [{ ...before, seq: middle.seq }]],
    ]),
    says: ({ world, id, before, middle, item: { number } }) => [
      `${world.owner.id} sent ${number - 1} before ${number}, ` +
        `stored as #${middle.seq} and #${before.seq} of ${id}`,
    ],
  },
  'another text in history': {
    expect: 'C1',
    tamper: history(({ middle }) => [[middle.seq, [{ ...middle, text: `${middle.text}!` }]]]),
    says: (stage) => [acked(stage), `"hash":"${text_hash(`${stage.middle.text}!`)}"`],
  },
  'another sender in history': {
    expect: 'C1',
    tamper: history(({ middle }) => [[middle.seq, [{ ...middle, sender: '1' }]]]),
    says: (stage) => [acked(stage), '"sender":"1"'],
  },
  'another text pushed to one device': {
    expect: 'C4',
    tamper: pushed(({ middle }) => [[middle.seq, [{ ...middle, text: `${middle.text}!` }]]]),
    says: (stage) => [has_another(stage)],
  },
  'an event kept from one device, and another told twice': {
    expect: 'C4',
    tamper: pushed(({ before, middle }) => [[middle.seq, [{ ...before, seq: middle.seq }]]]),
    says: (stage) => [has_another(stage)],
  },
  'a resume answered forked': {
    expect: 'C4',
    tamper: resume((answer) => {
      answer.answer = 'forked';
    }),
    says: ({ device, id }) => [`${device.id}: resume of ${id} from`, 'was answered forked'],
  },
  'a resume answered ahead': {
    expect: 'C4',
    tamper: resume((answer) => {
      answer.answer = 'ahead';
    }),
    says: ({ device, id }) => [`${device.id}: resume of ${id} from`, 'was answered ahead'],
  },
  'a hole told to one who never left': {
    expect: 'C4',
    tamper: resume((answer) => {
      answer.answer = 'trimmed';
      answer.floor = answer.head.seq + 1;
      answer.floor_mark = answer.head.mark;
    }),
    says: ({ device, id, middle }) => [`${device.id} has no ${id} #${middle.seq} (`],
  },
  'a retry acked with another seq': {
    expect: 'C3',
    tamper: frame_of('ack', ({ seq, ...frame }, { id, own }) => {
      const { conversation, number, repeated } = frame;
      const meant = repeated && conversation === id && number === String(own.number);
      return meant ? { ...frame, seq: seq + 1 } : undefined;
    }),
    says: ({ device, id, own }) => [
      `${device.id}: number ${own.number} of ${id} was acked as {"seq":${own.ack.seq},`,
      `again as {"seq":${own.ack.seq + 1},`,
    ],
  },
  'a position that went back': {
    expect: 'C6',
    tamper: frame_of('welcome', (frame, { id }) => {
      const entry = frame.list.entries.find(({ conversation }) => conversation === id);
      if (entry) Object.assign(entry, { received: 0, read: 0 });
      return entry && frame;
    }),
    says: ({ device, id, read }) => [
      `${device.id}: the list says 0/0 of ${id} with head`,
      `announced was ${read}/${read}`,
    ],
  },
};

export class Lies {
  constructor(world, devices, auditor) {
    Object.assign(this, { world, devices, auditor, caught: 0 });
    this.planned = Object.keys({ ...to_the_ledger, ...from_the_server }).length + 1;
    this.device = devices.find(({ subject, name }) => subject === 'u1' && name === 'd0');
    this.id = world.conversations[0].id; // u1 is in it and is never removed
  }

  /** Throws when a lie cannot be told; `caught` falls short of `planned` when one is believed. */
  async tell_all() {
    await this.must_be_clean('the run');
    const stage = await this.set_the_ledgers_stage();
    await this.must_be_clean('the messages that the lies are about');
    for (const [name, lie] of Object.entries(to_the_ledger)) {
      await this.to_the_ledger(name, lie, stage);
      await this.must_be_clean(name);
    }
    for (const [name, lie] of Object.entries(from_the_server)) {
      await this.from_the_server(name, lie);
      await this.must_be_clean(name);
    }
    await this.to_a_removed_member();
    await this.must_be_clean('the event after the removal');
  }

  /** The audit must have found one line of the class that has all the `parts`. */
  verdict(name, expect, parts) {
    const found = this.world.violations.splice(0);
    const named = found.find(
      (line) => line.startsWith(`${expect}: `) && parts.every((part) => line.includes(part)),
    );
    if (named) this.caught += 1;
    console.log(
      named
        ? `caught: ${name} -- ${named.slice(0, 100)}`
        : `NOT CAUGHT: ${name}, wanted ${expect} with ${JSON.stringify(parts)}, ` +
            `found ${JSON.stringify(found.slice(0, 3))}`,
    );
  }

  /** What is told from here on goes to a copy of the ledger; gives the way back. */
  async other_ledger() {
    const { world } = this;
    const truth = world.ledger;
    await truth.read(); // all that was told is in the file
    const file = `${truth.file}.lie`;
    copyFileSync(truth.file, file);
    world.ledger = new Ledger(file);
    return async () => {
      const lies = world.ledger;
      world.ledger = truth; // what arrives from here on is told where it belongs
      await lies.close();
    };
  }

  // ---- What the lies are about ----

  /** Sends one message, which must be acked; gives its outbox item. */
  async say(device) {
    must(device.compose(this.id), `${device.id} has no room in its outbox`);
    const item = device.outbox(this.id).items.at(-1);
    await settle(this.world, [device]);
    must(item.ack, `number ${item.number} of ${device.id} was not acked`);
    return item;
  }

  /** Everybody who is there has the conversation up to a seq. */
  async all_have(seq) {
    await settle(this.world, this.devices, (of) => (of === this.id ? seq : 0));
  }

  /** The device reads all that it has, and is told so. */
  async read_all(device) {
    const { id } = this;
    const { seq } = device.streams.get(id).cursor;
    const fields = { conversation: id, received: seq, read: seq };
    const answer = await device.link.ask('mark_read', fields);
    must(answer.type !== 'error', `mark_read was answered ${JSON.stringify(answer)}`);
    device.sync(); // its own position comes with the list
    const own = () => device.positions.get(`${id}/${device.user}`);
    await until(`${device.id} is told that it has read ${id}`, () => own()?.read === seq);
    return seq;
  }

  async set_the_ledgers_stage() {
    const { world, id, device } = this;
    const [first, second] = [await this.say(world.owner), await this.say(world.owner)];
    await this.all_have(second.ack.seq);
    const read = await this.read_all(device);
    const lines = await world.ledger.read();
    const of = (what, fits) => {
      const line = lines.find((one) => one.what === what && one.conversation === id && fits(one));
      return must(line, `the ledger has no such ${what}`);
    };
    return {
      id,
      first: of('ack', ({ random }) => random === first.random),
      second: of('ack', ({ random }) => random === second.random),
      receipt: of('receipt', (one) => one.user === device.user && one.received === read),
    };
  }

  /** The device goes away, and the owner sends three messages meanwhile. */
  async set_the_servers_stage() {
    const { world, id, device } = this;
    const own = await this.say(device);
    await this.all_have(own.ack.seq);
    const read = await this.read_all(device);
    device.disconnect();
    await device.link.closed;
    const items = [];
    for (let count = 0; count < 3; count += 1) items.push(await this.say(world.owner));
    const [before, middle, after] = await this.stored(items);
    return { world, id, device, own, read, item: items[1], before, middle, after };
  }

  /** The events of some items, which stand one behind the other at the end. */
  async stored(items) {
    const from = items[0].ack.seq;
    const fields = { conversation: this.id, from, backward: false, limit: items.length };
    const { events, more, mark } = await this.world.owner.link.ask('history', fields);
    const fits = (item, at) => events?.[at]?.echo === item.random && events[at].seq === from + at;
    must(more === false && items.every(fits), `${this.id} does not end with what was sent`);
    this.mark = mark;
    return events;
  }

  // ---- The lies ----

  async to_the_ledger(name, { expect, line, says }, stage) {
    const { world, devices, auditor } = this;
    const back = await this.other_ledger();
    world.ledger.tell(line(stage));
    await auditor.audit(devices, { whole: true });
    await back();
    this.verdict(name, expect, says(stage));
  }

  /** The device comes back and is told the lie, or the auditor is. */
  async from_the_server(name, { expect, tamper, says }) {
    const { world, devices, auditor, device } = this;
    const { lag } = device;
    device.lag = 16; // its last messages stay open to a retry
    const stage = await this.set_the_servers_stage();
    must(world.violations.length === 0, `before "${name}": ${world.violations.join('\n')}`);
    const back = await this.other_ledger();
    const kept = save(device);
    const tell = tamper(stage);
    let lies = 0;
    world.tamper = (frame, type, who) => {
      const lie = tell(frame, type, who);
      if (lie !== frame) lies += 1;
      return lie;
    };
    world.random.chance = () => true; // everything that may be retried is
    await device.connect();
    await settle(world, [device]);
    await auditor.audit(devices, { whole: true });
    delete world.random.chance;
    world.tamper = (frame) => frame;
    must(lies > 0, `no frame for "${name}" to change`);
    this.verdict(name, expect, says(stage));
    device.disconnect();
    await device.link.closed;
    await back();
    restore(device, kept);
    device.lag = lag;
    world.marks.clear();
    await device.connect();
    await settle(world, devices);
  }

  /** Somebody is removed and is shown the next event all the same. */
  async to_a_removed_member() {
    const { world, devices, auditor, id } = this;
    const [subject] = world.comers;
    const device = devices.find((one) => one.subject === subject);
    const { user } = device;
    await this.make_member(subject, user, true);
    const inside = await this.say(world.owner);
    await until(`${device.id} follows ${id}`, () => {
      const stream = device.streams.get(id);
      return stream?.live && !stream.waiting && stream.cursor.seq >= inside.ack.seq;
    });
    await this.make_member(subject, user, false);
    const outside = await this.say(world.owner);
    const { seq } = outside.ack;
    const cursor = () => device.streams.get(id).cursor;
    await until(`${device.id} is told of its removal`, () => cursor().seq >= seq - 1);
    await this.must_be_clean('a removal');
    must(cursor().seq === seq - 1, `${device.id} stands elsewhere`);
    const events = await this.stored([outside]);
    const kept = save(device);
    const { epoch } = cursor();
    const frame = { type: 'events', conversation: id, epoch, first: seq, events, mark: this.mark };
    device.link.arrived(frame);
    await auditor.audit(devices, { whole: true });
    this.verdict('an event after the removal shown to the removed', 'C7', [
      `${device.id} was shown ${id} #${seq} and was no member`,
    ]);
    restore(device, kept);
  }

  async make_member(subject, user, wanted) {
    const { world, id } = this;
    const is = async () => {
      await world.learn_members();
      return world.membership.get(`${id}/${user}`);
    };
    if ((await is()) === wanted) return;
    if (wanted) world.owner.membership('add', 'added', id, user, { members: [subject] });
    else world.owner.membership('remove', 'removed', id, user, { user });
    await settle(world, [world.owner]);
    must((await is()) === wanted, `${subject} could not be ${wanted ? 'added' : 'removed'}`);
  }

  async must_be_clean(after) {
    await this.auditor.audit(this.devices, { whole: true });
    must(
      this.world.violations.length === 0,
      `not clean after "${after}": ${this.world.violations.join('\n')}`,
    );
  }
}

/** What a lie cannot do without. */
function must(there, what) {
  if (!there) throw new Error(`the lies: ${what}`);
  return there;
}

async function until(what, ready) {
  const give_up = Date.now() + patience_ms;
  while (!ready()) {
    must(Date.now() < give_up, `waited in vain until ${what}`);
    await pause(5);
  }
}

// What a lie may spoil. Not the outboxes: the server has been told what is settled in them, and
// that cannot be taken back.
const remembered = ['streams', 'positions', 'entries', 'sync_token'];

function save(device) {
  return structuredClone(Object.fromEntries(remembered.map((name) => [name, device[name]])));
}

function restore(device, saved) {
  Object.assign(device, structuredClone(saved));
}
