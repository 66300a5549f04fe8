// device.mjs: a client as docs/design/wire_format.md describes it: an outbox with keys, a cursor
// for each conversation, the gap rule. It tells the ledger what it was told, and notes what may
// not be.
import { setTimeout as pause } from 'node:timers/promises';
import { RawClient } from '../browser/raw_client.mjs';
import { event_digest, text_hash } from './random.mjs';

const patience_ms = 20_000;
const in_flight_most = 40; // the server allows 64 requests
const open_most = 32;
const items_kept = 64; // of an outbox: the settled ones that too_old is tried on

export class LinkLost extends Error {}

/** A link whose answers are handled in the order of arrival, before the next frame is looked at. */
export class Link extends RawClient {
  constructor(url, { tamper = (frame) => frame, pushed = () => undefined } = {}) {
    super(url);
    this.tamper = tamper;
    this.pushed = pushed;
    this.asked = new Map();
    this.lost = false;
    void this.closed.then(() => {
      this.lost = true;
      for (const { reject } of this.asked.values()) reject(new LinkLost('the link closed'));
      this.asked.clear();
    });
  }

  arrived(raw) {
    const request = this.asked.get(raw.request);
    const frame = this.tamper(raw, request?.type);
    if (frame === undefined) return;
    if (!frame.request) return this.pushed(frame);
    if (!request) throw new Error(`an answer nobody asked for: ${JSON.stringify(frame)}`);
    this.asked.delete(frame.request);
    request.resolve(frame);
  }

  ask(type, fields = {}, handle = () => undefined) {
    const request = this.next++;
    return new Promise((resolve, reject) => {
      if (this.lost) return reject(new LinkLost('the link is closed'));
      const timer = setTimeout(
        () => reject(new Error(`no answer to ${type} within ${patience_ms} ms`)),
        patience_ms,
      );
      const settle = (how) => (value) => {
        clearTimeout(timer);
        how(value);
      };
      this.asked.set(request, {
        type,
        resolve: settle((frame) => {
          handle(frame);
          resolve(frame);
        }),
        reject: settle(reject),
      });
      this.write(JSON.stringify({ type, request, ...fields }));
    });
  }
}

export class Device {
  constructor(world, subject, name, lag) {
    Object.assign(this, { world, subject, name, lag });
    this.id = `${subject}/${name}`;
    this.user = undefined; // the id the server gave
    this.streams = new Map(); // conversation -> Stream
    this.outboxes = new Map();
    this.entries = new Map(); // the conversation list
    this.positions = new Map(); // conversation/user -> the receipt last announced to this device
    this.queue = []; // sends that wait for room
    this.in_flight = 0;
    this.marked_at = 0;
    this.stop = false;
  }

  violation(label, text) {
    this.world.violation(label, `${this.id}: ${text}`);
  }

  tell(what, fields) {
    this.world.ledger.tell({ what, at: (this.world.clock += 1), device: this.id, ...fields });
  }

  get connected() {
    return this.link !== undefined && !this.link.lost;
  }

  /** Dials, says hello, subscribes with the cursors and sends again what is open. */
  async connect() {
    const link = new Link(this.world.url(), {
      tamper: (frame, type) => this.world.tamper(frame, type, this),
      pushed: (frame) => {
        if (this.link === link) this.pushed(frame);
      },
    });
    this.link = link;
    this.queue = [];
    this.in_flight = 0;
    for (const stream of this.streams.values()) stream.live = false;
    await link.opened.catch((error) => {
      throw new LinkLost(error.message);
    });
    const fields = { min_version: 1, max_version: 1, token: this.subject, device: this.name };
    if (this.sync_token) fields.sync_token = this.sync_token;
    if (this.ticket) fields.ticket = this.ticket;
    const welcome = await link.ask('hello', fields, (frame) => {
      if (frame.type !== 'welcome') return;
      this.user ??= frame.user;
      if (this.user !== frame.user) this.violation('C1', `is user ${frame.user}, was ${this.user}`);
      this.ticket = frame.ticket;
      this.list(frame.list, new Map(this.positions));
    });
    if (welcome.type !== 'welcome') throw new Error(`hello: ${JSON.stringify(welcome)}`);
    this.retry_open();
  }

  disconnect() {
    this.link?.close();
  }

  // ---- The list ----

  /**
   * A list is read while receipts are pushed and may come after newer ones; but what was announced
   * before it was asked for (`known`) it must know. A welcome comes before every push.
   */
  list({ whole, entries = [], removed = [], token }, known = new Map()) {
    this.sync_token = token;
    if (whole) {
      for (const id of this.entries.keys()) {
        if (!entries.some((entry) => entry.conversation === id)) this.left(id);
      }
    }
    for (const id of removed) this.left(id);
    for (const entry of entries) this.listed(entry, known);
    this.subscribe(
      [...this.entries.keys()].filter((id) => this.world.follows(id) && !this.stream(id).live),
    );
  }

  left(id) {
    this.entries.delete(id);
    if (this.streams.has(id)) this.streams.get(id).live = false;
  }

  listed(entry, known) {
    const id = entry.conversation;
    this.entries.set(id, entry);
    const key = `${id}/${this.user}`;
    const { received, read } = entry;
    const before = known.get(key) ?? { received: 0, read: 0 };
    if (received < before.received || read < before.read || received > entry.head.seq) {
      this.violation(
        'C6',
        `the list says ${received}/${read} of ${id} with head ${entry.head.seq}, ` +
          `announced was ${before.received}/${before.read}`,
      );
    }
    const last = this.positions.get(key) ?? { received: 0, read: 0 };
    if (received < last.received || read < last.read) this.world.count('older list');
    this.position(id, this.user, Math.max(received, last.received), Math.max(read, last.read));
    this.sees_mark(id, entry.head.seq, entry.head.mark);
    if (entry.last)
      this.stream(id, entry.head.epoch).seen.set(entry.last.seq, event_digest(entry.last));
  }

  // ---- Streams ----

  stream(id, epoch) {
    let stream = this.streams.get(id);
    if (!stream) {
      const cursor = { epoch: epoch ?? this.entries.get(id).head.epoch, seq: 0, mark: 0 };
      stream = { cursor, applied: new Map(), seen: new Map(), holes: [], head: 0, live: false };
      this.streams.set(id, stream);
    }
    return stream;
  }

  subscribe(ids) {
    if (ids.length === 0 || !this.connected) return;
    const items = ids.map((conversation) => {
      const stream = this.stream(conversation);
      stream.live = true;
      stream.waiting = true; // an earlier subscription's pushes do not count any more
      return { conversation, level: 'full', cursor: { ...stream.cursor } };
    });
    this.background(
      this.link.ask('subscribe', { items }, (frame) => {
        if (frame.type !== 'subscribed') {
          return this.violation('C4', `subscribe was answered ${JSON.stringify(frame)}`);
        }
        for (const [at, answer] of frame.answers.entries()) this.subscribed(items[at], answer);
      }),
    );
  }

  subscribed({ conversation, cursor }, answer) {
    const stream = this.stream(conversation);
    stream.waiting = false;
    this.world.count(answer.answer);
    switch (answer.answer) {
      case 'caught_up':
        if (answer.head.seq !== cursor.seq) this.violation('C4', `caught_up at another seq`);
        break;
      case 'range':
        if (answer.head.seq <= cursor.seq) this.violation('C4', `a range that is empty`);
        break;
      case 'trimmed': // only a member who was away has a hole, and it ends where this one entered
        stream.holes.push({ from: cursor.seq + 1, to: answer.floor - 1 });
        stream.cursor = {
          epoch: answer.head.epoch,
          seq: answer.floor - 1,
          mark: answer.floor_mark ?? 0,
        };
        break;
      case 'not_member':
        stream.live = false;
        this.tell('not_member', { conversation, user: this.user, last: answer.last_visible });
        return;
      default:
        this.violation(
          'C4',
          `resume of ${conversation} from ${JSON.stringify(cursor)} was answered ` +
            `${answer.answer}, head ${JSON.stringify(answer.head)}`,
        );
        stream.live = false;
        return;
    }
    stream.head = Math.max(stream.head, answer.head.seq);
    this.sees_mark(conversation, answer.head.seq, answer.head.mark);
  }

  pushed(frame) {
    switch (frame.type) {
      case 'events':
        return this.events(frame);
      case 'list':
        return this.list(frame);
      case 'receipts':
        for (const { user, received, read } of frame.receipts) {
          this.position(frame.conversation, user, received, read);
        }
        return undefined;
      case 'goodbye':
        return this.violation('liveness', `the server said goodbye: ${frame.reason}`);
      default:
        return undefined;
    }
  }

  /** The gap rule. */
  events({ conversation, epoch, first, events, mark }) {
    const stream = this.stream(conversation, epoch);
    if (stream.waiting) return;
    if (events.some((event, index) => event.seq !== first + index)) {
      return this.violation('C2', `a push of ${conversation} from ${first} is not dense`);
    }
    if (epoch !== stream.cursor.epoch) {
      return this.violation('C4', `${conversation} has epoch ${epoch}, had ${stream.cursor.epoch}`);
    }
    if (first > stream.cursor.seq + 1) {
      this.world.count('gap');
      return this.subscribe([conversation]);
    }
    for (const event of events) {
      if (event.seq <= stream.cursor.seq) this.matches(conversation, event);
      else stream.applied.set(event.seq, event_digest(event));
    }
    const last = first + events.length - 1;
    this.sees_mark(conversation, last, mark);
    if (last > stream.cursor.seq) stream.cursor = { epoch, seq: last, mark };
    for (const event of events) {
      if (event.kind !== 'removed' || event.target !== this.user) continue;
      stream.live = false;
      const entry = this.entries.get(conversation);
      if (entry && entry.visible_from > event.seq) this.subscribe([conversation]);
    }
  }

  /** What is read a second time says the same. */
  matches(conversation, event) {
    const { applied, seen } = this.stream(conversation);
    const digest = event_digest(event);
    const known = applied.get(event.seq) ?? seen.get(event.seq);
    if (known !== undefined && known !== digest) {
      this.violation('C4', `${conversation} #${event.seq} changed: ${JSON.stringify(event)}`);
    }
    seen.set(event.seq, digest);
  }

  sees_mark(conversation, seq, mark) {
    this.world.mark(conversation, seq, mark, this.id);
  }

  position(conversation, user, received, read) {
    const key = `${conversation}/${user}`;
    const known = this.positions.get(key) ?? { received: 0, read: 0 };
    if (received < known.received || read < known.read || read > received) {
      this.violation(
        'C6',
        `receipt of user ${user} in ${conversation} is ${received}/${read}, ` +
          `was ${known.received}/${known.read}`,
      );
    }
    this.positions.set(key, { received, read });
    if (received !== known.received || read !== known.read) {
      this.world.count('receipts');
      this.tell('receipt', { conversation, user, received, read });
    }
  }

  // ---- The outbox ----

  outbox(conversation) {
    let outbox = this.outboxes.get(conversation);
    if (!outbox) {
      outbox = { next: 1, settled: 1, told: 1, items: [] };
      this.outboxes.set(conversation, outbox);
    }
    return outbox;
  }

  has_open() {
    return [...this.outboxes.values()].some(({ items }) => items.some((item) => item.open));
  }

  /** Queues one new message; false when 32 are open. */
  compose(conversation) {
    const outbox = this.outbox(conversation);
    this.settle(outbox);
    if (outbox.next >= outbox.settled + open_most) return false;
    const number = outbox.next++;
    const random = this.world.random.bits();
    const filler = 'x'.repeat(this.world.random.chance(0.05) ? 3_000 : number % 40);
    const text = `${this.id} says ${number} ${random} ${filler}`;
    const item = { conversation, number, random, text, hash: text_hash(text), open: true };
    outbox.items.push(item);
    this.tell('issued', { conversation, number, random, hash: item.hash, user: this.user });
    this.queue.push(item);
    this.pump();
    return true;
  }

  /** `lag` answered numbers stay open to a retry, so that answers can be asked for again. */
  settle(outbox) {
    const open = outbox.items.find((item) => item.open || item.again)?.number ?? outbox.next;
    outbox.settled = Math.max(outbox.settled, Math.min(open, outbox.next - this.lag), 1);
    while (outbox.items.length > items_kept && outbox.items[0].number < outbox.settled) {
      outbox.items.shift();
    }
  }

  retry_open() {
    for (const outbox of this.outboxes.values()) {
      for (const item of outbox.items) {
        const answered = item.ack && item.number >= outbox.settled;
        item.again = answered && this.world.random.chance(0.5);
        if (item.open || item.again) this.queue.push(item);
      }
      const old = outbox.items.find((item) => item.ack && item.number < outbox.told);
      if (old && this.world.random.chance(0.2)) this.queue.push({ ...old, expect: 'too_old' });
    }
    this.pump();
  }

  pump() {
    while (this.connected && this.in_flight < in_flight_most && this.queue.length > 0) {
      const item = this.queue.shift();
      const outbox = this.outbox(item.conversation);
      this.settle(outbox);
      const settled = item.expect === 'too_old' ? item.number : outbox.settled;
      this.in_flight += 1;
      const fields = { number: String(item.number), random: item.random, text: item.text };
      const link = this.link;
      this.background(
        link.ask(
          'send',
          { conversation: item.conversation, ...fields, settled: String(settled) },
          (answer) => {
            if (this.link !== link) return;
            this.in_flight -= 1;
            item.again = false;
            if (item.expect === 'too_old') this.refused_as_old(item, answer);
            else if (answer.type === 'ack') this.acked(item, outbox, settled, answer);
            else this.refused(item, answer);
            this.pump();
          },
        ),
      );
    }
  }

  acked(item, outbox, settled, { conversation, number, seq, time, repeated = false }) {
    if (conversation !== item.conversation || number !== String(item.number)) {
      this.violation('C1', `an ack of ${conversation} ${number} answers number ${item.number}`);
    }
    if (item.ack) {
      this.world.count('retried');
      if (item.ack.seq !== seq || item.ack.time !== time || !repeated) {
        this.violation(
          'C3',
          `number ${number} of ${conversation} was acked as ${JSON.stringify(item.ack)}, ` +
            `again as ${JSON.stringify({ seq, time, repeated })}`,
        );
      }
    } else if (repeated) {
      this.world.count('found'); // stored before the kill, the ack was lost
    }
    item.ack ??= { seq, time };
    item.open = false;
    outbox.told = Math.max(outbox.told, repeated ? 0 : settled);
    const { random, hash } = item;
    const user = this.user;
    this.tell('ack', {
      conversation,
      number: item.number,
      random,
      seq,
      time,
      hash,
      repeated,
      user,
    });
  }

  refused(item, answer) {
    const { conversation, number, random } = item;
    this.tell('refused', { conversation, number, random, code: answer.code });
    if (answer.type === 'error' && (answer.retryable || answer.code === 'engine_closed')) {
      this.world.count('put off');
      void pause(answer.retry_after_ms ?? 20).then(() => {
        if (item.open && !this.queue.includes(item)) this.queue.push(item);
        this.pump();
      });
      return;
    }
    if (answer.code === 'denied') {
      this.world.count('denied');
      item.open = false; // removed from the conversation: given up
      return;
    }
    this.violation('C3', `number ${number} of ${conversation}: ${JSON.stringify(answer)}`);
  }

  refused_as_old(item, answer) {
    if (answer.code === 'too_old') return this.world.count('too_old');
    if (answer.code === 'denied') return undefined;
    return this.violation('C3', `a settled number was answered ${JSON.stringify(answer)}`);
  }

  /** Runs on its own; a lost link is no failure, anything else is. */
  background(promise) {
    promise.catch((error) => {
      if (!(error instanceof LinkLost)) this.violation('liveness', error.message);
    });
  }

  // ---- What it does besides ----

  sync() {
    const known = new Map(this.positions);
    const asked = this.link.ask('sync', { token: this.sync_token }, (list) =>
      this.list(list, known),
    );
    this.background(asked);
  }

  mark_read(conversation) {
    if (Date.now() - this.marked_at < 100) return;
    this.marked_at = Date.now();
    const received = this.stream(conversation).cursor.seq;
    const read = this.world.random.between(0, received);
    this.background(this.link.ask('mark_read', { conversation, received, read }));
  }

  history(conversation) {
    const stream = this.stream(conversation);
    const from = this.world.random.between(0, stream.cursor.seq);
    const backward = from === 0 || this.world.random.chance(0.5);
    this.background(
      this.link.ask('history', { conversation, from, backward, limit: 30 }, (page) => {
        if (page.type !== 'history_page') return;
        for (const [index, event] of page.events.entries()) {
          if (event.seq !== page.first + index) this.violation('C2', 'a history page is not dense');
          this.matches(conversation, event);
        }
        if (page.events.length > 0) {
          this.sees_mark(conversation, page.events.at(-1).seq, page.mark);
        }
      }),
    );
  }

  /** A request about members; what was answered goes to the ledger, what was not is in doubt. */
  membership(type, what, conversation, user, fields) {
    this.tell('asked', { conversation, change: what, user });
    this.background(
      this.link.ask(type, { conversation, ...fields }, (answer) => {
        const done = answer.type === 'done' || answer.type === 'opened';
        this.world.count(`${what}${done ? '' : ` (${answer.code})`}`);
        this.tell('member', { conversation, change: what, user, done, code: answer.code });
      }),
    );
  }
}
