// timeline.ts: turns events, outbox and receipts into the rows of the message view; pure, no DOM.
import type { ChatEvent, Extras, OutboxItem, PollDraft, Seq, UserId } from '@parley/client';
import { day_name, file_size, same_day } from './format.js';
import type { GrowingText } from './growing.js';
import type { PollRow } from './polls.js';
import type { ReactionChip } from './reactions.js';
import type { ThreadNote } from './threads.js';
import { in_words } from './words.js';

export type Tick = 'none' | 'pending' | 'sent' | 'delivered' | 'read' | 'failed';

/** The message that one answers. */
export interface Quote {
  seq: Seq;
  name: string;
  text: string;
}

export interface AttachedFile {
  name: string;
  detail: string;
}

export interface MessageRow {
  kind: 'message';
  key: string;
  seq: Seq;
  own: boolean;
  sender: UserId;
  name: string;
  text: string;
  /** Characters that are not shown before somebody asks for them. */
  folded: number;
  time: number;
  /** First and last of a run by one sender. */
  first: boolean;
  last: boolean;
  tick: Tick;
  /** The outbox item's local name and why it failed; '' otherwise. */
  local: string;
  problem: string;
  renumbered: boolean;
  /** When; 0 = never. */
  edited: number;
  deleted: boolean;
  pinned: boolean;
  quote: Quote | null;
  reactions: ReactionChip[];
  /** Who is named in it, as "@name" stands in the text; and whether this user is. */
  named: string[];
  names_me: boolean;
  /** "alice" wrote what was forwarded; '' for what was not. */
  forwarded_from: string;
  attachments: AttachedFile[];
  /** Replies in its thread; null: there is none. */
  thread: ThreadNote | null;
  poll: PollRow | null;
  /** When it will be deleted; 0 = never. */
  expires: number;
  /** It is still being written. */
  growing: boolean;
}

export type Row =
  | { kind: 'day' | 'system' | 'new'; key: string; text: string }
  | { kind: 'typing'; key: string; text: string }
  | MessageRow;

/** A message of this window that is committed but whose event has not come yet. */
export interface AckedItem {
  item: OutboxItem;
  seq: Seq;
  time: number;
}

export interface TimelineInput {
  /** Messages as they stand. */
  events: readonly ChatEvent[];
  outbox: readonly OutboxItem[];
  /** Whether an item of the outbox survives a reload; only then it has the clock. */
  is_stored?: (item: OutboxItem) => boolean;
  acked: readonly AckedItem[];
  self: UserId;
  /** Up to where all others have received and read; null: nobody else counts (channels). */
  others: { received: Seq; read: Seq } | null;
  /** The "new messages" line stands before the first message above it; null = no line. */
  read_line: Seq | null;
  show_names: boolean;
  name: (user: UserId) => string;
  /** What events of one kind in a row say; '' = nothing. */
  sentence: (events: readonly ChatEvent[]) => string;
  quote: (seq: Seq) => Quote | null;
  reactions: (message: ChatEvent) => ReactionChip[];
  thread: (message: ChatEvent) => ThreadNote | null;
  poll: (message: ChatEvent) => PollRow | null;
  /** What is still being written. */
  growing: readonly GrowingText[];
  typing: readonly string[];
  /** The keys of long messages that are shown in full. */
  unfolded: ReadonlySet<string>;
}

const group_gap_ms = 5 * 60_000;
const folded_length = 1_500;
const folded_lines = 24;
/** Of so little more it is not worth a click. */
const unfolded_rest = 300;

function tick(input: TimelineInput, seq: Seq): Tick {
  if (input.others === null) return 'sent';
  if (seq <= input.others.read) return 'read';
  return seq <= input.others.received ? 'delivered' : 'sent';
}

/** A text of thousands of characters is not drawn in full before somebody asks for it. */
function fold(input: TimelineInput, key: string, text: string): { text: string; folded: number } {
  const lines = text.split('\n', folded_lines + 1);
  const end = Math.min(folded_length, lines.slice(0, folded_lines).join('\n').length);
  if (text.length <= end + unfolded_rest || input.unfolded.has(key)) return { text, folded: 0 };
  return { text: `${text.slice(0, end).trimEnd()}…`, folded: text.length - end };
}

/** What there is of no message that nobody has seen yet. */
const empty_row: MessageRow = {
  kind: 'message',
  key: '',
  seq: 0,
  own: false,
  sender: '',
  name: '',
  text: '',
  folded: 0,
  time: 0,
  first: true,
  last: true,
  tick: 'none',
  local: '',
  problem: '',
  renumbered: false,
  edited: 0,
  deleted: false,
  pinned: false,
  quote: null,
  reactions: [],
  named: [],
  attachments: [],
  names_me: false,
  forwarded_from: '',
  thread: null,
  poll: null,
  expires: 0,
  growing: false,
};

/** The same while it is pending, acked and committed, or while it grows: the row stays in place. */
function key_of({ seq, echo, stream }: ChatEvent, own: boolean): string {
  if (own && echo !== '') return `e${echo}`;
  return stream ? `g${stream}` : `m${seq}`;
}

function message_row(input: TimelineInput, event: ChatEvent): MessageRow {
  const own = event.sender === input.self;
  const key = key_of(event, own);
  return {
    kind: 'message',
    key,
    seq: event.seq,
    own,
    sender: event.sender,
    name: input.show_names && !own ? input.name(event.sender) : '',
    ...fold(
      input,
      key,
      event.text === '' && event.data !== ''
        ? 'This kind of message cannot be shown here.'
        : event.text,
    ),
    time: event.time,
    first: true,
    last: true,
    tick: own ? tick(input, event.seq) : 'none',
    local: '',
    problem: '',
    renumbered: false,
    edited: event.edited,
    deleted: event.deleted,
    pinned: event.pinned,
    quote: event.replyTo > 0 ? input.quote(event.replyTo) : null,
    reactions: input.reactions(event),
    ...extras_of(input, event),
    names_me: names_user(event, input.self),
    forwarded_from: event.origin ? input.name(event.origin.sender) : '',
    thread: input.thread(event),
    poll: event.deleted ? null : input.poll(event),
    expires: event.deleted ? 0 : event.expires,
    growing: false,
  };
}

function growing_row(input: TimelineInput, message: GrowingText): MessageRow {
  const own = message.sender === input.self;
  return {
    ...empty_row,
    key: `g${message.stream}`,
    own,
    sender: message.sender,
    name: input.show_names && !own ? input.name(message.sender) : '',
    text: message.text,
    time: message.since,
    quote: message.replyTo > 0 ? input.quote(message.replyTo) : null,
    growing: true,
  };
}

/** What a message carries beside its text. */
function extras_of(
  input: TimelineInput,
  { mentions = [], mentionScope = 'none', attachments = [] }: Partial<Extras>,
): Pick<MessageRow, 'named' | 'attachments'> {
  const named = mentions.map((user) => input.name(user));
  if (mentionScope !== 'none') named.push(mentionScope);
  return {
    named,
    attachments: attachments.map(({ name, handle, contentType, size }) => ({
      name: name || handle,
      detail: [contentType, size > 0 ? file_size(size) : '']
        .filter((part) => part !== '')
        .join(', '),
    })),
  };
}

function names_user({ mentions, mentionScope, sender }: ChatEvent, self: UserId): boolean {
  return sender !== self && (mentionScope !== 'none' || mentions.includes(self));
}

function refusal({ error }: OutboxItem): string {
  if (error?.code === 'denied') return 'You may not write here.';
  return error ? in_words(error) : 'It was refused.';
}

function outbox_row(input: TimelineInput, item: OutboxItem, seq: Seq, time: number): MessageRow {
  const failed = item.state === 'failed';
  const kept = input.is_stored?.(item) ?? true;
  const key = `e${item.random}`;
  return {
    ...empty_row,
    key,
    seq,
    own: true,
    sender: input.self,
    ...fold(input, key, item.text),
    time,
    tick: seq > 0 ? tick(input, seq) : failed ? 'failed' : kept ? 'pending' : 'none',
    local: failed ? item.local : '',
    problem: failed ? refusal(item) : '',
    renumbered: item.renumbered,
    quote: item.replyTo > 0 ? input.quote(item.replyTo) : null,
    ...extras_of(input, item.extras ?? {}),
    forwarded_from: item.forward ? '…' : '',
    poll: item.poll ? unsent_poll(item.poll) : null,
  };
}

/** Nobody votes before it is stored. */
function unsent_poll({ options, multiple = false, anonymous = false }: PollDraft): PollRow {
  return {
    options: options.map((text) => ({ text, votes: 0, mine: false })),
    multiple,
    anonymous,
    voters: 0,
    closed: true,
    words: '',
  };
}

/** Neighbours by one sender within five minutes become one run. */
function join_runs(rows: Row[]): void {
  let before: Row | undefined;
  for (const row of rows) {
    const joins =
      row.kind === 'message' &&
      before?.kind === 'message' &&
      before.sender === row.sender &&
      row.time - before.time < group_gap_ms;
    if (joins && row.kind === 'message' && before?.kind === 'message') {
      row.first = false;
      before.last = false;
    }
    before = row;
  }
}

/** Kinds of which many come at once: they are told in one line. */
const folded: ReadonlySet<string> = new Set(['added', 'removed', 'joined', 'left']);

/** The events after `at` that say the same of others. */
function run_of(events: readonly ChatEvent[], at: number): ChatEvent[] {
  const first = events[at]!;
  const run = [first];
  if (!folded.has(first.kind)) return run;
  const by_one = first.kind === 'added' || first.kind === 'removed';
  for (const event of events.slice(at + 1)) {
    const joins = event.kind === first.kind && (!by_one || event.sender === first.sender);
    if (!joins || !same_day(event.time, first.time)) break;
    run.push(event);
  }
  return run;
}

export function build_rows(input: TimelineInput): Row[] {
  const rows: Row[] = [];
  let day = 0;
  const read_line = input.read_line ?? Number.POSITIVE_INFINITY;
  let line_drawn = false;
  const start_day = (time: number): void => {
    if (day !== 0 && same_day(day, time)) return;
    day = time;
    rows.push({ kind: 'day', key: `d${new Date(time).toDateString()}`, text: day_name(time) });
  };
  const echoes = new Set<string>();
  for (let at = 0; at < input.events.length; at += 1) {
    const event = input.events[at]!;
    if (event.sender === input.self && event.echo !== '') echoes.add(event.echo);
    const run = event.kind === 'message' ? [] : run_of(input.events, at);
    const sentence = event.kind === 'message' ? '' : input.sentence(run);
    at += Math.max(0, run.length - 1);
    if (event.kind !== 'message' && sentence === '') continue;
    start_day(event.time);
    if (
      !line_drawn &&
      event.seq > read_line &&
      event.kind === 'message' &&
      event.sender !== input.self
    ) {
      line_drawn = true;
      rows.push({ kind: 'new', key: 'new', text: 'New messages' });
    }
    if (event.kind === 'message') rows.push(message_row(input, event));
    else rows.push({ kind: 'system', key: `s${event.seq}`, text: sentence });
  }
  for (const { item, seq, time } of input.acked) {
    if (echoes.has(item.random)) continue;
    echoes.add(item.random);
    start_day(time);
    rows.push(outbox_row(input, item, seq, time));
  }
  for (const item of input.outbox) {
    if (echoes.has(item.random)) continue;
    start_day(item.createdAt);
    rows.push(outbox_row(input, item, 0, item.createdAt));
  }
  for (const message of input.growing) {
    start_day(message.since);
    rows.push(growing_row(input, message));
  }
  join_runs(rows);
  if (input.typing.length > 0)
    rows.push({ kind: 'typing', key: 'typing', text: typing_text(input.typing) });
  return rows;
}

export function typing_text(names: readonly string[]): string {
  if (names.length === 0) return '';
  if (names.length === 1) return `${names[0]} is typing`;
  if (names.length === 2) return `${names[0]} and ${names[1]} are typing`;
  return `${names[0]} and ${names.length - 1} others are typing`;
}
