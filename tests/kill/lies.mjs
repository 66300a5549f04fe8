// lies.mjs: proves that the loop can fail. After a truthful run each lie is told on the path that
// the truth takes (a line to the ledger, a frame from the server), and the audit must name its
// class.
import { copyFileSync } from 'node:fs';
import { Ledger } from './ledger_process.mjs';
import { settle } from './traffic.mjs';

/** A line to the ledger that is not so. */
const to_the_ledger = {
  'an ack that never was': {
    expect: 'C1',
    lie: (world, { acks }) => {
      const [ack] = acks;
      return [{ ...ack, seq: ack.seq + 1_000_000, random: '1' }];
    },
  },
  'an ack with another seq': {
    expect: 'C1',
    lie: (world, { acks }) => [{ ...acks.at(-1), seq: acks.at(-1).seq - 1 }],
  },
  'an ack of another text': {
    expect: 'C1',
    lie: (world, { acks }) => [{ ...acks.at(-1), hash: '0'.repeat(32) }],
  },
  'an ack before a later send of what stands behind it': {
    expect: 'C5',
    lie: (world, { acks }) => [{ ...acks.at(-1), at: 0 }],
  },
  'a receipt that was announced further on': {
    expect: 'C6',
    lie: (world, { receipts }) => [
      { ...receipts.at(-1), received: receipts.at(-1).received + 100_000 },
    ],
  },
  'a removal that was answered': {
    expect: 'C1',
    lie: (world) => [
      {
        what: 'member',
        conversation: world.conversations[0].id,
        change: 'removed',
        user: world.users.get('u1'),
        done: true,
      },
    ],
  },
  'a nonce that made another conversation': {
    expect: 'C3',
    lie: (world) => [
      { what: 'created', nonce: 'f'.repeat(32), conversation: world.conversations[0].id },
    ],
  },
};

/** Changes the history that the auditor reads: `change` gets one page's events. */
function history(change) {
  return (world, victim) => (frame, type, who) => {
    if (who !== 'auditor' || type !== 'history' || frame.conversation !== victim.conversation) {
      return frame;
    }
    const at = frame.events.findIndex((event) => event.seq === victim.seq);
    if (at < 0) return frame;
    const events = frame.events.map((event) => ({ ...event }));
    change(events, at);
    return { ...frame, events };
  };
}

function renumber(events, first) {
  for (const [index, event] of events.entries()) event.seq = first + index;
}

/** Changes what one device is told: `change` gets the frame, or gives undefined to lose it. */
function pushed(matches, change) {
  return (world, victim, device) => (frame, type, who) =>
    who === device && matches(frame, victim) ? change(structuredClone(frame), device) : frame;
}

const is_events = (frame, { conversation }) =>
  frame.type === 'events' && frame.conversation === conversation;

/** A frame from the server that is not so. */
const from_the_server = {
  'an acked message left out of history': {
    expect: 'C2',
    tamper: history((events, at) => events.splice(at, 1)),
  },
  'an acked message left out of history, and the seqs closed up': {
    expect: 'C1',
    tamper: history((events, at) => {
      const [{ seq: first }] = events;
      events.splice(at, 1);
      renumber(events, first);
    }),
  },
  'a message stored twice': {
    expect: 'C3',
    tamper: history((events, at) => {
      const [{ seq: first }] = events;
      events.splice(at, 0, { ...events[at] });
      renumber(events, first);
    }),
  },
  'two messages of one device changed about': {
    expect: 'C5',
    tamper: history((events, at) => {
      const [{ seq: first }] = events;
      events.splice(at - 1, 2, events[at], events[at - 1]);
      renumber(events, first);
    }),
  },
  'another text in history': {
    expect: 'C1',
    tamper: history((events, at) => {
      events[at].text += '!';
    }),
  },
  'another sender in history': {
    expect: 'C1',
    tamper: history((events, at) => {
      events[at].sender = '1';
    }),
  },
  'another text pushed to one device': {
    expect: 'C4',
    tamper: pushed(is_events, (frame) => {
      frame.events.at(-1).text += '!';
      return frame;
    }),
  },
  'an event kept from one device, and another told twice': {
    expect: 'C4',
    tamper: pushed(is_events, (frame) => {
      const [{ seq: first }] = frame.events;
      frame.events.splice(0, 1);
      frame.events.push({ ...frame.events.at(-1) });
      renumber(frame.events, first);
      return frame;
    }),
  },
  'a resume answered forked': {
    expect: 'C4',
    tamper: pushed(
      (frame) => frame.type === 'subscribed',
      (frame) => {
        frame.answers[0].answer = 'forked';
        return frame;
      },
    ),
  },
  'a resume answered ahead': {
    expect: 'C4',
    tamper: pushed(
      (frame) => frame.type === 'subscribed',
      (frame) => {
        frame.answers[0].answer = 'ahead';
        return frame;
      },
    ),
  },
  'a hole told to one who never left': {
    expect: 'C4',
    tamper: pushed(
      (frame, { conversation }) =>
        frame.type === 'subscribed' &&
        frame.answers.some((one) => one.conversation === conversation),
      (frame) => {
        for (const answer of frame.answers) {
          if (answer.answer !== 'range') continue;
          answer.answer = 'trimmed';
          answer.floor = answer.head.seq + 1;
          answer.floor_mark = answer.head.mark;
        }
        return frame;
      },
    ),
  },
  'a retry acked with another seq': {
    expect: 'C3',
    tamper: pushed(
      (frame) => frame.type === 'ack' && frame.repeated,
      (frame) => ({ ...frame, seq: frame.seq + 1 }),
    ),
  },
  'a position that went back': {
    expect: 'C6',
    tamper: pushed(
      (frame) => frame.type === 'welcome',
      (frame) => {
        for (const entry of frame.list.entries) {
          entry.read = 0;
          entry.received = 0;
        }
        return frame;
      },
    ),
  },
};

export async function tell_lies(world, devices, auditor) {
  const telling = new Lies(world, devices, auditor);
  for (const [name, { expect, lie }] of Object.entries(to_the_ledger)) {
    await telling.to_the_ledger(name, expect, lie);
  }
  for (const [name, { expect, tamper }] of Object.entries(from_the_server)) {
    await telling.from_the_server(name, expect, tamper);
  }
  await telling.to_a_removed_member();
  return { lies: telling.lies, missed: telling.missed };
}

class Lies {
  constructor(world, devices, auditor) {
    Object.assign(this, { world, devices, auditor, lies: 0, missed: 0 });
  }

  verdict(name, expect) {
    const found = this.world.violations.splice(0);
    const caught = found.find((line) => line.startsWith(`${expect}: `));
    this.lies += 1;
    if (!caught) this.missed += 1;
    console.log(
      caught
        ? `caught: ${name} -- ${caught.slice(0, 100)}`
        : `NOT CAUGHT: ${name}, wanted ${expect}, found ${JSON.stringify(found.slice(0, 3))}`,
    );
  }

  /** What is told from here on goes to a copy of the ledger; gives the way back. */
  other_ledger() {
    const { world } = this;
    const truth = world.ledger;
    const file = `${truth.file}.lie`;
    copyFileSync(truth.file, file);
    world.ledger = new Ledger(file);
    return async () => {
      await world.ledger.close();
      world.ledger = truth;
    };
  }

  async to_the_ledger(name, expect, lie) {
    const { world, devices, auditor } = this;
    const lines = await world.ledger.read();
    const of = (what) => lines.filter((line) => line.what === what);
    const direct_or_group = new Set(
      world.conversations.filter(({ kind }) => kind !== 'channel').map(({ id }) => id),
    );
    const known = {
      acks: of('ack'),
      receipts: of('receipt').filter(({ conversation }) => direct_or_group.has(conversation)),
    };
    const back = this.other_ledger();
    for (const line of lie(world, known)) world.ledger.tell(line);
    await auditor.audit(devices);
    await back();
    this.verdict(name, expect);
  }

  /** A device that never left goes away, a message is sent meanwhile, and then the lie is told. */
  async from_the_server(name, expect, tamper) {
    const { world, devices, auditor } = this;
    const device = devices.find(({ subject, name: which }) => subject === 'u1' && which === 'd0');
    const { id } = world.conversations[0];
    const kept = save(device);
    device.lag = 16;
    for (let count = 0; count < 2; count += 1) device.compose(id);
    await settle(world, devices, (of) => world.owner.streams.get(of)?.cursor.seq ?? 0);
    device.disconnect();
    await device.link.closed;
    for (let count = 0; count < 3; count += 1) world.owner.compose(id);
    await settle(world, [world.owner]);
    const item = world.owner.outbox(id).items.at(-2);
    await world.ledger.read();
    const back = this.other_ledger();
    const before = save(device);
    const tell = tamper(world, { conversation: id, seq: item.ack.seq }, device);
    world.tamper = tell;
    world.random.chance = () => true; // everything that may be retried is
    auditor.stored.clear();
    await device.connect();
    await settle(world, [device]);
    await auditor.audit(devices, { whole: true });
    delete world.random.chance;
    world.tamper = (frame) => frame;
    this.verdict(name, expect);
    device.disconnect();
    await device.link.closed;
    await back();
    restore(device, before);
    device.lag = kept.lag;
    world.marks.clear();
    auditor.stored.clear();
    await device.connect();
    await settle(world, devices);
    await this.must_be_clean(name);
  }

  /** Somebody is removed and is shown the next event all the same. */
  async to_a_removed_member() {
    const { world, devices, auditor } = this;
    const { id } = world.conversations[0];
    const inside = (one) => world.membership.get(`${id}/${world.users.get(one)}`);
    if (!world.comers.some(inside)) {
      const [one] = world.comers; // the traffic ended with everybody outside
      world.owner.membership('add', 'added', id, world.users.get(one), { members: [one] });
      await settle(world, devices);
    }
    const subject = world.comers.find(inside);
    const device = devices.find((one) => one.subject === subject);
    const user = device.user;
    world.owner.membership('remove', 'removed', id, user, { user });
    await settle(world, devices);
    world.owner.compose(id);
    await settle(world, devices, (of) => (of === id ? world.owner.streams.get(id).cursor.seq : 0));
    const { events } = await world.owner.link.ask('history', {
      conversation: id,
      from: 0,
      backward: true,
      limit: 1,
    });
    await this.must_be_clean('a removal');
    const { epoch } = device.streams.get(id).cursor;
    const [{ seq: first }] = events;
    device.pushed({ type: 'events', conversation: id, epoch, first, events, mark: 0 });
    await auditor.audit(devices, { whole: true });
    this.verdict('an event after the removal shown to the removed', 'C7');
  }

  async must_be_clean(after) {
    await this.auditor.audit(this.devices, { whole: true });
    if (this.world.violations.length === 0) return;
    throw new Error(`not clean after "${after}": ${this.world.violations.join('\n')}`);
  }
}

const remembered = ['streams', 'positions', 'entries', 'outboxes', 'sync_token', 'lag'];

function save(device) {
  return structuredClone(Object.fromEntries(remembered.map((name) => [name, device[name]])));
}

function restore(device, saved) {
  Object.assign(device, structuredClone(saved));
}
