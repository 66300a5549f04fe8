// audit.mjs: reads what the server has stored and holds it against the ledger and against what the
// devices have applied. C1: acked is stored. C2: dense seqs. C3: one commit a key. C4: what a
// device applied is what is stored. C5: order. C6: receipts. C7: who may see.
import { Link } from './device.mjs';
import { event_digest, text_hash } from './random.mjs';

const page_events = 256;
const read_again = 300; // events before the known head that every audit reads a second time

/** What the store says of one conversation; kept from audit to audit, since events never change. */
class Stored {
  constructor() {
    this.events = []; // [seq - 1]
    this.by_echo = new Map();
  }

  get head() {
    return this.events.length;
  }
}

export class Auditor {
  constructor(world, subject) {
    Object.assign(this, { world, subject });
    this.stored = new Map();
  }

  /** One audit: whole, or the end of each conversation only. */
  async audit(devices, { whole = false } = {}) {
    const lines = index(await this.world.ledger.read());
    const applied_before = devices.map((device) =>
      [...device.streams].map(([id, { cursor }]) => [id, cursor.seq]),
    );
    if (whole) this.stored.clear();
    const link = new Link(this.world.url(), {
      tamper: (frame, type) => this.world.tamper(frame, type, 'auditor'),
    });
    await link.opened;
    const welcome = await link.ask('hello', {
      min_version: 1,
      max_version: 1,
      token: this.subject,
    });
    if (welcome.type !== 'welcome') throw new Error(`auditor: ${JSON.stringify(welcome)}`);
    for (const { id, kind } of this.world.conversations) {
      await this.read(link, id);
      await this.check_members(link, id, kind, lines);
    }
    await this.check_created(link, lines);
    link.close();
    for (const { id, kind } of this.world.conversations) {
      this.check_acks(id, lines);
      this.check_order(id, lines);
      this.check_visible(id, kind, devices, lines);
      for (const device of devices) this.check_applied(id, kind, device);
    }
    for (const [at, device] of devices.entries()) {
      for (const [id, seq] of applied_before[at]) {
        const head = this.stored.get(id)?.head;
        if (head !== undefined && seq > head) {
          this.violation(
            'C4',
            `${device.id} has applied ${id} up to ${seq}, the store ends at ${head}`,
          );
        }
      }
    }
    return lines.acks.length;
  }

  violation(label, text) {
    this.world.violation(label, text);
  }

  // ---- Reading: C2, C3 ----

  async read(link, id) {
    if (!this.stored.has(id)) this.stored.set(id, new Stored());
    const stored = this.stored.get(id);
    let from = Math.max(1, stored.head - read_again);
    for (let more = true; more;) {
      const page = await link.ask('history', {
        conversation: id,
        from,
        backward: false,
        limit: page_events,
      });
      if (page.type !== 'history_page') {
        return this.violation('C1', `history of ${id}: ${JSON.stringify(page)}`);
      }
      if (page.floor !== 1) this.violation('C2', `${id} begins at ${page.floor}`);
      for (const event of page.events) {
        if (event.seq !== from) {
          return this.violation('C2', `${id} has #${event.seq} where #${from} belongs`);
        }
        this.take(stored, id, event);
        from += 1;
      }
      if (page.events.length > 0) this.world.mark(id, from - 1, page.mark, 'auditor');
      more = page.more;
      if (more && page.events.length === 0) return this.violation('C2', `${id} stops at #${from}`);
    }
    if (from <= stored.head)
      this.violation('C2', `${id} ended at ${stored.head}, now at ${from - 1}`);
    return undefined;
  }

  take(stored, id, event) {
    const { seq, kind, sender, echo, target, time } = event;
    const digest = event_digest(event);
    const known = stored.events[seq - 1];
    if (known) {
      if (known.digest !== digest) {
        this.violation('C2', `${id} #${seq} has changed: ${JSON.stringify(event)}`);
      }
      return;
    }
    const hash = event.text === undefined ? undefined : text_hash(event.text);
    stored.events.push({ seq, kind, sender, echo, target, time, digest, hash });
    if (kind !== 'message') return;
    const twin = stored.by_echo.get(echo);
    if (twin) this.violation('C3', `key ${echo} of ${id} is stored as #${twin.seq} and #${seq}`);
    stored.by_echo.set(echo, stored.events.at(-1));
  }

  // ---- Acks and order: C1, C3, C5 ----

  check_acks(id, { acks, issued }) {
    const stored = this.stored.get(id);
    for (const ack of acks) {
      if (ack.conversation !== id) continue;
      const event = stored.events[ack.seq - 1];
      const found =
        event?.echo === ack.random &&
        event.hash === ack.hash &&
        event.sender === ack.user &&
        event.time === ack.time;
      if (!found) {
        this.violation(
          'C1',
          `${ack.device} was acked number ${ack.number} of ${id} as #${ack.seq} ` +
            `(key ${ack.random}); there stands ${JSON.stringify(event)}`,
        );
      }
    }
    for (const event of stored.by_echo.values()) {
      const sent = issued.get(event.echo);
      if (!sent || sent.hash !== event.hash || sent.user !== event.sender) {
        this.violation('C1', `${id} #${event.seq} was sent by nobody: ${JSON.stringify(event)}`);
      }
    }
  }

  /** One device's messages stand in the order of its numbers, and acked before is before. */
  check_order(id, { issued, acked_at, refused }) {
    const stored = this.stored.get(id);
    const last = new Map();
    let first_ack = Infinity; // of what stands further on
    for (let at = stored.events.length - 1; at >= 0; at -= 1) {
      const event = stored.events[at];
      const sent = event.kind === 'message' ? issued.get(event.echo) : undefined;
      if (!sent) continue;
      if (first_ack < sent.at) {
        this.violation('C5', `${id} #${event.seq} was sent after a later one was acked`);
      }
      first_ack = Math.min(first_ack, acked_at.get(event.echo) ?? Infinity);
      if (refused.has(event.echo)) continue;
      const later = last.get(sent.device);
      if (later && later.number < sent.number) {
        this.violation(
          'C5',
          `${sent.device} sent ${later.number} before ${sent.number}, stored as ` +
            `#${later.seq} and #${event.seq} of ${id}`,
        );
      }
      last.set(sent.device, { number: sent.number, seq: event.seq });
    }
  }

  // ---- What the devices have: C4 ----

  check_applied(id, kind, device) {
    const stream = device.streams.get(id);
    if (!stream) return;
    const { events } = this.stored.get(id);
    const may = kind === 'channel' ? undefined : visible(events, device.user);
    const absent = (seq) =>
      stream.holes.some(({ from, to }) => from <= seq && seq <= to) &&
      (may === undefined || !may(seq) || seq < last_entry(events, device.user));
    for (let seq = 1; seq <= Math.min(stream.cursor.seq, events.length); seq += 1) {
      const applied = stream.applied.get(seq);
      if (applied === undefined && absent(seq)) continue;
      if (applied !== events[seq - 1].digest) {
        const what = applied === undefined ? 'has no' : 'has another';
        this.violation('C4', `${device.id} ${what} ${id} #${seq} (cursor ${stream.cursor.seq})`);
      }
    }
    for (const [seq, digest] of stream.seen) {
      if (seq <= events.length && events[seq - 1].digest !== digest) {
        this.violation('C4', `${device.id} was shown another ${id} #${seq}`);
      }
    }
  }

  // ---- Members and receipts: C6, C7 ----

  async check_members(link, id, kind, { receipts, members }) {
    const page = await link.ask('members', { conversation: id, limit: 500 });
    if (page.type !== 'members_page') {
      return this.violation('C1', `members of ${id}: ${JSON.stringify(page)}`);
    }
    const now = new Set(page.members.map(({ user }) => user));
    const { events } = this.stored.get(id);
    for (const user of this.world.users.values()) {
      const expected =
        kind === 'group' ? visible(events, user)(Infinity) : members.state(id, user)?.inside;
      if (expected !== undefined && expected !== now.has(user)) {
        this.violation('C7', `user ${user} is ${expected ? 'not ' : ''}among the members of ${id}`);
      }
    }
    const shown = new Map((page.receipts ?? []).map((receipt) => [receipt.user, receipt]));
    for (const { user, received, read } of receipts.values(id)) {
      if (kind === 'channel' || !now.has(user)) continue;
      const is = shown.get(user) ?? { received: 0, read: 0 };
      if (is.received < received || is.read < read) {
        this.violation(
          'C6',
          `user ${user} of ${id} was announced at ${received}/${read}, ` +
            `now stands at ${is.received}/${is.read}`,
        );
      }
    }
    for (const { user, received, read } of shown.values()) {
      if (read > received || received > this.stored.get(id).head) {
        this.violation('C6', `user ${user} of ${id} stands at ${received}/${read}`);
      }
    }
    return undefined;
  }

  /** An answered change is an event; an event that nobody may see was seen by nobody. */
  check_visible(id, kind, devices, { members, not_member }) {
    if (kind !== 'group') return;
    const { events } = this.stored.get(id);
    for (const change of ['added', 'removed']) {
      const counts = new Map();
      for (const event of events) {
        if (event.kind === change) counts.set(event.target, (counts.get(event.target) ?? 0) + 1);
      }
      for (const [user, done] of members.done(id, change)) {
        if ((counts.get(user) ?? 0) < done) {
          this.violation(
            'C1',
            `${done} answered "${change}" of user ${user} in ${id} are not stored`,
          );
        }
      }
    }
    const members_at = new Map();
    for (const { seq, kind: what, sender } of events) {
      if (what !== 'message') continue;
      if (!members_at.has(sender)) members_at.set(sender, visible(events, sender));
      if (!members_at.get(sender)(seq)) {
        this.violation('C7', `${id} #${seq} was sent by ${sender}, who was no member`);
      }
    }
    for (const device of devices) {
      const stream = device.streams.get(id);
      if (!stream) continue;
      const may = visible(events, device.user);
      for (const seq of [...stream.applied.keys(), ...stream.seen.keys()]) {
        if (seq <= events.length && !may(seq)) {
          this.violation('C7', `${device.id} was shown ${id} #${seq} and was no member`);
        }
      }
    }
    for (const { conversation, user, last } of not_member) {
      if (conversation !== id || last > events.length) continue;
      const event = events[last - 1];
      if (event?.kind !== 'removed' || event.target !== user) {
        this.violation('C7', `user ${user} was told to have left ${id} at #${last}`);
      }
    }
  }

  // ---- Conversations made under a nonce: C1, C3 ----

  async check_created(link, { created }) {
    for (const [nonce, conversation] of [...created].slice(-3)) {
      const again = await link.ask('create', { kind: 'group', title: nonce.slice(0, 8), nonce });
      if (again.type !== 'opened' || again.entry.conversation !== conversation) {
        this.violation('C3', `nonce ${nonce} made ${conversation}, now ${JSON.stringify(again)}`);
      }
    }
  }
}

/** May the user see a seq? At Infinity: is the user a member now? */
function visible(events, user) {
  const spans = [];
  for (const { seq, kind, sender, target } of events) {
    const enters = (kind === 'added' && target === user) || (kind === 'created' && sender === user);
    if (enters && spans.at(-1)?.to !== Infinity) spans.push({ from: seq, to: Infinity });
    if (kind === 'removed' && target === user && spans.length > 0) spans.at(-1).to = seq;
  }
  return (seq) => spans.some(({ from, to }) => from <= seq && seq <= to);
}

function last_entry(events, user) {
  return events.findLast(({ kind, target }) => kind === 'added' && target === user)?.seq ?? 0;
}

/** The ledger's lines by what they are about. */
function index(lines) {
  const acks = [];
  const not_member = [];
  const issued = new Map(); // by the random bits, which no two sends share
  const acked_at = new Map();
  const refused = new Set();
  const created = new Map();
  const receipts = new Map();
  const done = [];
  const state = new Map(); // conversation/user -> inside; undefined while a change is in doubt
  for (const line of lines) {
    const whose = `${line.conversation}/${line.user}`;
    if (line.what === 'issued') issued.set(line.random, line);
    if (line.what === 'refused') refused.add(line.random);
    if (line.what === 'not_member') not_member.push(line);
    if (line.what === 'created') created.set(line.nonce, line.conversation);
    if (line.what === 'asked') state.set(whose, undefined);
    if (line.what === 'ack') {
      acks.push(line);
      acked_at.set(line.random, Math.min(line.at, acked_at.get(line.random) ?? Infinity));
    }
    if (line.what === 'receipt') {
      const known = receipts.get(whose) ?? { ...line };
      known.received = Math.max(known.received, line.received);
      known.read = Math.max(known.read, line.read);
      receipts.set(whose, known);
    }
    if (line.what === 'member') {
      const inside = line.change === 'added' || line.change === 'joined';
      if (line.done) {
        done.push(line);
        state.set(whose, { inside });
      }
    }
  }
  return {
    acks,
    not_member,
    issued,
    acked_at,
    refused,
    created,
    receipts: {
      values: (id) => [...receipts.values()].filter(({ conversation }) => conversation === id),
    },
    members: {
      state: (id, user) => state.get(`${id}/${user}`),
      done: (id, change) => {
        const counts = new Map();
        for (const line of done) {
          if (line.conversation !== id || line.change !== change || line.already) continue;
          counts.set(line.user, (counts.get(line.user) ?? 0) + 1);
        }
        return counts;
      },
    },
  };
}
