// harness.ts: drives the core with inputs and renders its actions as short lines, so that a test
// reads as a table.
import { ClientCore } from '../src/core.js';
import type { Action, Input } from '../src/inputs.js';
import type { Answer, Operation, SubscribeItem } from '../src/operations.js';
import type { StorageBatch, StoredState } from '../src/storage.js';
import { MemoryStorage } from '../src/memory_storage.js';
import type {
  ChatEvent,
  ConversationKind,
  ListChange,
  ListEntry,
  ResumeAnswer,
} from '../src/types.js';

export const epoch = 'e'.repeat(32);
export const me = '41';
export const bob = '42';

export function id(n: number): string {
  return n.toString(16).padStart(32, '0');
}

export function entry(n: number, fields: Partial<ListEntry> = {}): ListEntry {
  return {
    conversation: id(n),
    kind: 'group' as ConversationKind,
    title: `c${n}`,
    peer: '',
    space: '',
    children: [],
    role: 'member',
    visibleFrom: 1,
    head: { epoch, seq: 0, mark: 0 },
    headOrdinal: 0,
    received: 0,
    read: 0,
    unread: 0,
    mentions: 0,
    lastActivity: 1000 - n,
    pinned: false,
    archived: false,
    markedUnread: false,
    mutedUntil: 0,
    draft: '',
    drafted: 0,
    avatar: '',
    archivedForAll: false,
    folder: '',
    hiddenUntil: 0,
    lastEvent: null,
    ...fields,
  };
}

export function message(seq: number, fields: Partial<ChatEvent> = {}): ChatEvent {
  return {
    seq,
    ordinal: seq,
    id: String(seq),
    time: seq * 1000,
    sender: bob,
    kind: 'message',
    audience: 0,
    echo: '',
    child: '',
    contentType: 'text/plain',
    text: `m${seq}`,
    data: '',
    replyTo: 0,
    threadRoot: 0,
    threadOrdinal: 0,
    replies: 0,
    lastReply: 0,
    mentions: [],
    mentionScope: 'none',
    attachments: [],
    headers: [],
    origin: null,
    expires: 0,
    written: 0,
    importId: '',
    poll: null,
    stream: '',
    target: '',
    role: 'none',
    title: '',
    settings: {},
    until: 0,
    reason: '',
    about: 0,
    aboutOrdinal: 0,
    tallies: [],
    changed: 0,
    edited: 0,
    deleted: false,
    pinned: false,
    ...fields,
  };
}

export function events(
  n: number,
  first: number,
  last: number,
  fields: Partial<ChatEvent> = {},
): Answer {
  const all: ChatEvent[] = [];
  for (let seq = first; seq <= last; seq += 1) all.push(message(seq, fields));
  return { type: 'events', conversation: id(n), epoch, first, events: all, mark: last * 10 };
}

export function resume(
  n: number,
  answer: ResumeAnswer['answer'],
  seq: number,
  fields: Partial<ResumeAnswer> = {},
): ResumeAnswer {
  return {
    conversation: id(n),
    answer,
    level: 'full',
    head: { epoch, seq, mark: seq * 10 },
    headOrdinal: seq,
    floor: 1,
    floorMark: 0,
    lastVisible: 0,
    ...fields,
  };
}

function short(conversation: string): string {
  return conversation.replace(/^0+/, 'c');
}

function render_item(item: SubscribeItem): string {
  return `${short(item.conversation)}:${item.level}@${item.cursor ? item.cursor.seq : 'head'}`;
}

function render_operation(operation: Operation): string {
  if (operation.type === 'subscribe')
    return `subscribe ${operation.items.map(render_item).join(' ')}`;
  const fields = Object.entries(operation)
    .filter(([key]) => key !== 'type')
    .map(
      ([key, value]) => `${key}=${key === 'conversation' ? short(String(value)) : String(value)}`,
    );
  return [operation.type, ...fields].join(' ');
}

function render_batch(batch: StorageBatch): string {
  const parts: string[] = [];
  if (batch.meta) parts.push(`meta(${batch.meta.subject},${batch.meta.syncToken})`);
  for (const one of batch.removedConversations ?? []) parts.push(`-${short(one)}`);
  for (const row of batch.conversations ?? []) {
    parts.push(
      `${short(row.conversation)}(cursor=${row.cursor?.seq ?? 'none'},from=${row.from},next=${row.nextNumber})`,
    );
  }
  for (const drop of batch.dropEvents ?? []) parts.push(`drop(${short(drop.conversation)})`);
  for (const run of batch.events ?? []) {
    parts.push(
      `events(${short(run.conversation)}:${run.events.map((event) => event.seq).join(',')})`,
    );
  }
  for (const { conversation, seq } of batch.deletedMessages ?? [])
    parts.push(`deleted(${short(conversation)}:${seq})`);
  for (const { conversation, seqs } of batch.deletedForMe ?? [])
    parts.push(`forgotten(${short(conversation)}:${seqs.join(',')})`);
  for (const item of batch.outbox ?? [])
    parts.push(`out(${item.number},${item.random},${item.state})`);
  for (const item of batch.removedOutbox ?? []) parts.push(`-out(${item.local})`);
  return parts.join(' ');
}

function render(action: Action): string {
  switch (action.type) {
    case 'connect':
      return 'connect';
    case 'disconnect':
      return `disconnect ${action.reason}`;
    case 'write':
      return `#${action.request.request} ${render_operation(action.request.operation)}`;
    case 'store':
      return `store ${render_batch(action.batch)}`;
    case 'resolve':
      return `resolve ${action.call} ${action.result.type}`;
    case 'reject':
      return `reject ${action.call} ${action.error.code}`;
    case 'emit': {
      const { name, value } = action.event;
      if (name === 'state')
        return `state ${value.state}${value.error ? ` ${value.error.code}` : ''}`;
      if (name === 'reset')
        return `reset ${short(value.conversation)} ${value.answer} lost=${value.lost}`;
      if (name === 'resume') return `resume ${value.answer}`;
      if (name === 'events') return `events ${value.events.map((event) => event.seq).join(',')}`;
      if (name === 'problem') return `problem ${value.code}`;
      return name;
    }
  }
}

export const empty: StoredState = { meta: null, conversations: [], outbox: [], names: [] };

export class Harness {
  now = 1_000_000;
  random = 0.5;
  readonly core: ClientCore;
  readonly storage = new MemoryStorage();
  /** Storing takes until `settle`; false: every batch is durable at once. */
  slow_storage = false;
  private next_random_: number;
  private unsettled_: { id: number; batch: StorageBatch }[] = [];
  private last_request_ = 0;

  /** A second life needs other random bits than the first. */
  constructor(first_random = 100) {
    this.next_random_ = first_random;
    this.core = new ClientCore({
      random: () => this.random,
      random64: () => String(this.next_random_++),
    });
  }

  /**
   * The lines of what the core did with `input`; without list emissions, which most tables do not
   * ask about.
   */
  feed(input: Input): string[] {
    const lines: string[] = [];
    const queue: Input[] = [input];
    for (let next = queue.shift(); next; next = queue.shift()) {
      for (const action of this.core.handle(this.now, next)) {
        if (action.type === 'write') this.last_request_ = action.request.request;
        const is_list =
          action.type === 'emit' && (action.event.name === 'list' || action.event.name === 'names');
        if (!is_list) lines.push(render(action));
        if (action.type !== 'store') continue;
        void this.storage.commit(action.batch);
        if (this.slow_storage) this.unsettled_.push(action);
        else queue.push({ type: 'stored', id: action.id });
      }
    }
    return lines;
  }

  settle(failure?: string): string[] {
    const all = this.unsettled_;
    this.unsettled_ = [];
    return all.flatMap(({ id: store }) =>
      this.feed(
        failure === undefined
          ? { type: 'stored', id: store }
          : { type: 'store_failed', id: store, message: failure },
      ),
    );
  }

  after(milliseconds: number): string[] {
    this.now += milliseconds;
    return this.feed({ type: 'tick' });
  }

  /** Runs to the core's own next deadline. */
  next_tick(): string[] {
    const at = this.core.next_deadline();
    if (at === null) return [];
    this.now = Math.max(this.now, at);
    return this.feed({ type: 'tick' });
  }

  /** Runs until the core dials again. */
  redial(): void {
    for (let turn = 0; turn < 10 && this.core.state !== 'connecting'; turn += 1) this.next_tick();
  }

  push(answer: Answer): string[] {
    return this.feed({ type: 'received', replies: [{ request: 0, answer }] });
  }

  answer(request: number, answer: Answer): string[] {
    return this.feed({ type: 'received', replies: [{ request, answer }] });
  }

  get last_request(): number {
    return this.last_request_;
  }

  start(stored: StoredState = empty): string[] {
    return this.feed({ type: 'start', stored, device: 'dev' });
  }

  welcome(entries: ListEntry[], change: Partial<ListChange> = {}): string[] {
    this.feed({ type: 'opened', token: 'alice' });
    return this.answer(this.last_request_, {
      type: 'welcome',
      version: 1,
      self: { user: me, subject: 'alice', device: '7', session: '1', maxBody: 100 },
      heartbeatMs: 20_000,
      ticket: 'ticket',
      list: { whole: true, entries, removed: [], token: 't1', ...change },
    });
  }

  /** A ready core with the conversations subscribed from the head of each. */
  static ready(...entries: ListEntry[]): Harness {
    const harness = new Harness();
    harness.start();
    harness.welcome(entries);
    const answers = entries.map((one, index) =>
      resume(index + 1, 'snapshot', one.head.seq, {
        conversation: one.conversation,
        headOrdinal: one.headOrdinal,
      }),
    );
    harness.answer(harness.last_request, { type: 'subscribed', answers });
    return harness;
  }
}

export function only(lines: string[], prefix: string): string[] {
  return lines.filter((line) => line.startsWith(prefix));
}

/** A list's line whose stream stands at `seq`. */
export const at = (seq: number): Partial<ListEntry> => ({
  head: { epoch, seq, mark: seq * 10 },
  headOrdinal: seq,
});

export const subscribes = (lines: string[]): string[] =>
  lines.filter((line) => line.includes(' subscribe ')).map((line) => line.replace(/^#\d+ /, ''));

/** A ready core whose conversation 1 stands at seq 5, stored 5 .. 5. */
export function at_five(): Harness {
  const harness = Harness.ready(entry(1, at(4)));
  harness.push(events(1, 5, 5));
  return harness;
}
