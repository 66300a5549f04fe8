// messages.ts: messages as they stand: folds pages of history, pushes and replays, in any order, into
// what each message says now.
import type { ChatEvent, PollResults, Reaction, Seq, Tally, UserId } from './types.js';

/** One sort of reaction on a message. */
export interface MessageReaction extends Reaction {
  /** Whether this user is among them; null: nobody is named (too many); ask `reactors`. */
  mine: boolean | null;
}

/** A message as it stands, with everything applied that was told. */
export interface Message extends ChatEvent {
  reactions: MessageReaction[];
  /** What its poll has come to; null: it has none. */
  results: PollResults | null;
}

const changes: ReadonlySet<string> = new Set([
  'edited',
  'deleted',
  'reactions',
  'pinned',
  'unpinned',
  'hidden',
]);

/** Whether the event has no row of its own: it says something about other messages, or is hidden. */
export function isChange(event: ChatEvent): boolean {
  return changes.has(event.kind);
}

/** What is left of a message that was deleted by the event `changed`. */
export function tombstone(event: ChatEvent, changed: Seq): ChatEvent {
  return {
    ...event,
    echo: '',
    child: '',
    contentType: 'text/plain',
    text: '',
    data: '',
    replyTo: 0,
    mentions: [],
    mentionScope: 'none',
    attachments: [],
    headers: [],
    origin: null,
    expires: 0,
    importId: '',
    stream: '',
    poll: null,
    changed: Math.max(changed, event.changed ?? 0),
    edited: 0,
    deleted: true,
    pinned: false,
    tallies: [],
  };
}

/**
 * What a storage keeps of `event` once the event `changed` deleted the message `seq`: of the message a
 * tombstone, of its edits no content.
 */
export function redact(event: ChatEvent, seq: Seq, changed: Seq): ChatEvent {
  if (event.seq === seq) return tombstone(event, changed);
  if (event.kind !== 'edited' || event.about !== seq) return event;
  return { ...event, contentType: 'text/plain', text: '', data: '', deleted: true };
}

/**
 * What a storage keeps of `event` once this user deleted the messages `gone` for itself alone: of
 * those, and of what is about them, a stand-in that keeps the place.
 */
export function forget(event: ChatEvent, gone: ReadonlySet<Seq>): ChatEvent {
  if (event.kind === 'hidden' || !(gone.has(event.seq) || gone.has(event.about))) return event;
  return {
    ...tombstone(event, 0),
    kind: 'hidden',
    id: '0',
    time: 0,
    sender: '',
    threadRoot: 0,
    threadOrdinal: 0,
    replies: 0,
    lastReply: 0,
    target: '',
    about: 0,
    aboutOrdinal: 0,
    changed: 0,
    deleted: false,
  };
}

/** Each part of a message has the seq up to which it is known; a later one replaces it. */
interface Known {
  event: ChatEvent | null;
  content: { at: Seq; contentType: string; text: string; data: string; edited: number } | null;
  pin: { at: Seq; pinned: boolean } | null;
  deleted: boolean;
  tally: Tally | null;
  /** Of a root: what it told, replies seen, and events that deleted such. */
  thread: { at: Seq; replies: number; last: Seq; seen: Set<Seq>; gone: Set<Seq> };
  changed: Seq;
}

/**
 * Give it every event you see, a page of history or a push, in whatever order and as often as you
 * like: the result is the same. Changes of messages that it has not seen yet wait for them.
 */
export class MessageFold {
  private readonly known_ = new Map<Seq, Known>();
  private readonly messages_ = new Map<Seq, Message>();
  private readonly gone_ = new Set<Seq>();

  private self_: UserId;

  /** `self`: whose reactions are `mine`; '' as long as that is not known. */
  constructor(self: UserId) {
    this.self_ = self;
  }

  get self(): UserId {
    return this.self_;
  }

  set self(user: UserId) {
    if (user === this.self_) return;
    this.self_ = user;
    this.messages_.clear();
  }

  /** Returns the seqs of the messages that are new or have changed. */
  take(events: readonly ChatEvent[]): Seq[] {
    const touched = new Set<Seq>();
    for (const event of events) for (const seq of this.apply(event)) touched.add(seq);
    for (const seq of touched) this.messages_.delete(seq); // built again when asked for
    return [...touched].filter((seq) => this.known_.get(seq)?.event && !this.gone_.has(seq));
  }

  /** Deleted for this user alone: not shown any more, whatever is told of them. */
  forget(seqs: readonly Seq[]): void {
    for (const seq of seqs) {
      this.gone_.add(seq);
      this.messages_.delete(seq);
    }
  }

  /** The message as it stands; null: it was not told, or the event is no message. */
  get(seq: Seq): Message | null {
    if (this.gone_.has(seq)) return null;
    const built = this.messages_.get(seq);
    if (built) return built;
    const known = this.known_.get(seq);
    const message = known ? this.build(known) : null;
    if (message) this.messages_.set(seq, message);
    return message;
  }

  /** Ascending. */
  all(): Message[] {
    const seqs = [...this.known_.keys()].sort((a, b) => a - b);
    return seqs.flatMap((seq) => this.get(seq) ?? []);
  }

  clear(): void {
    this.known_.clear();
    this.messages_.clear();
    this.gone_.clear();
  }

  private apply(event: ChatEvent): Seq[] {
    switch (event.kind) {
      case 'message':
        this.apply_message(event);
        return this.apply_reply(event) ? [event.seq, event.threadRoot] : [event.seq];
      case 'edited': {
        const known = this.about(event.about, event.seq);
        if (event.deleted) known.deleted = true; // without content: the message is gone
        if (!known.content || event.seq > known.content.at) {
          const { contentType, text, data, time: edited } = event;
          known.content = { at: event.seq, contentType, text, data, edited };
        }
        return [event.about];
      }
      case 'deleted':
        this.about(event.about, event.seq).deleted = true;
        if (event.threadRoot === 0) return [event.about];
        this.about(event.threadRoot, event.seq).thread.gone.add(event.seq);
        return [event.about, event.threadRoot];
      case 'pinned':
      case 'unpinned': {
        const known = this.about(event.about, event.seq);
        if (!known.pin || event.seq > known.pin.at)
          known.pin = { at: event.seq, pinned: event.kind === 'pinned' };
        return [event.about];
      }
      case 'reactions':
        for (const tally of event.tallies) this.apply_tally(tally, event.seq);
        return event.tallies.map((tally) => tally.seq);
      default:
        return [];
    }
  }

  /** As it stood when `changed` was the last change: that is what each part is known up to. */
  private apply_message(event: ChatEvent): void {
    const at = event.changed ?? 0;
    const known = this.about(event.seq, at);
    if (!known.event || at > (known.event.changed ?? 0)) known.event = event;
    if (event.deleted) known.deleted = true;
    if (!known.content || at > known.content.at) {
      const { contentType, text, data, edited = 0 } = event;
      known.content = { at, contentType, text, data, edited };
    }
    if (!known.pin || at > known.pin.at) known.pin = { at, pinned: event.pinned ?? false };
    for (const tally of event.tallies ?? []) this.apply_tally(tally, at);
    if (at >= known.thread.at)
      Object.assign(known.thread, { at, replies: event.replies ?? 0, last: event.lastReply ?? 0 });
  }

  /** A reply tells its root that it is there; a tombstone, which event deleted it. */
  private apply_reply(event: ChatEvent): boolean {
    if (!event.threadRoot) return false;
    const { thread } = this.about(event.threadRoot, event.seq);
    thread.seen.add(event.seq);
    if (event.deleted) thread.gone.add(event.changed);
    return true;
  }

  private apply_tally(tally: Tally, at: Seq): void {
    const known = this.about(tally.seq, at);
    if (!known.tally || tally.revision > known.tally.revision) known.tally = tally;
  }

  private about(seq: Seq, at: Seq): Known {
    let known = this.known_.get(seq);
    if (!known) {
      const thread = { at: 0, replies: 0, last: 0, seen: new Set<Seq>(), gone: new Set<Seq>() };
      known = { event: null, content: null, pin: null, deleted: false, tally: null, thread, changed: 0 };
      this.known_.set(seq, known);
    }
    known.changed = Math.max(known.changed, at);
    return known;
  }

  private build(known: Known): Message | null {
    const { event, content, pin, tally, changed } = known;
    if (!event || !content) return null;
    if (known.deleted) return { ...tombstone(event, changed), ...told(known), reactions: [], results: null };
    const reactions = tally?.reactions ?? [];
    return {
      ...event,
      contentType: content.contentType,
      text: content.text,
      data: content.data,
      edited: content.edited,
      changed,
      deleted: false,
      ...told(known),
      pinned: pin?.pinned ?? false,
      tallies: tally ? [tally] : [],
      reactions: reactions.map((one) => ({ ...one, mine: this.is_mine(one) })),
      results: results_of(event, tally),
    };
  }

  private is_mine({ count, users }: Reaction): boolean | null {
    return users.length === 0 && count > 0 ? null : users.includes(this.self_);
  }
}

/** Of a poll that nobody has voted in: no votes. */
function results_of({ poll }: ChatEvent, tally: Tally | null): PollResults | null {
  if (!poll) return null;
  return tally?.poll ?? { votes: poll.options.map(() => 0), voters: 0, closed: false };
}

/** What a thread has come to: what its root told, and what was seen after that. */
function told({ thread }: Known): { replies: number; lastReply: Seq } {
  const after = (seqs: Set<Seq>): Seq[] => [...seqs].filter((seq) => seq > thread.at);
  const seen = after(thread.seen);
  return {
    replies: Math.max(0, thread.replies + seen.length - after(thread.gone).length),
    lastReply: Math.max(thread.last, ...seen),
  };
}

/** `message` after `change`, which may be about another one: then it is unchanged. */
export function after_change(message: ChatEvent, change: ChatEvent): ChatEvent {
  const fold = new MessageFold('');
  fold.take([message, change]);
  const now = fold.get(message.seq);
  if (!now) return message;
  const { reactions: _, results: __, ...event } = now;
  return event;
}
