// message_calls.ts: messages on their way, what is on screen, history, messages to be sent later.
import { MessageStream } from '../message_stream.js';
import { given } from '../sender.js';
import { no_extras } from '../types.js';
import type {
  Ack,
  ChatEvent,
  ConversationId,
  MessageDraft,
  OutboxItem,
  ScheduledMessage,
  SendOptions,
  Seq,
} from '../types.js';
import { unexpected } from './driver.js';
import { MemberCalls } from './member_calls.js';

/** A text alone is a draft, too; what is neither becomes a text that is refused. */
export function spelled(draft: string | MessageDraft): MessageDraft {
  return typeof draft === 'object' && draft !== null ? draft : { text: draft };
}

/** A stretch of a conversation, ascending and consecutive. */
export interface HistoryRange {
  events: ChatEvent[];
  /** There are further events in the asked direction. */
  more: boolean;
}

export abstract class MessageCalls extends MemberCalls {
  /**
   * Resolves once the message is committed, however many reconnects that takes; rejects when it
   * never will be. The message is stored on this device before it goes out and is sent at most once.
   */
  async send(
    conversation: ConversationId,
    text: string,
    options: SendOptions = {},
  ): Promise<Ack> {
    const { contentType = 'text/plain', replyTo = 0, ...others } = options;
    const { audience, expiresAfter, threadRoot, forward, poll, stream, ...some } = others;
    const extras = Object.keys(some).length === 0 ? undefined : { ...no_extras, ...some };
    const result = await this.driver_.send({
      type: 'send',
      conversation,
      text,
      contentType,
      replyTo,
      ...given({
        audience: audience || undefined,
        threadRoot,
        extras,
        forward,
        expiresAfter: expiresAfter || undefined,
        poll,
        stream,
      }),
    });
    if (result.type !== 'ack') throw unexpected(result);
    return result.ack;
  }

  /**
   * A message that others see grow while it is written: append to it, then finish, which sends it
   * with these options, or cancel. It ends by itself when this client is gone for a minute.
   */
  async stream(conversation: ConversationId, options: SendOptions = {}): Promise<MessageStream> {
    const { contentType = 'text/plain', replyTo = 0, threadRoot = 0 } = options;
    const started = await this.call({
      type: 'start_stream',
      conversation,
      contentType,
      replyTo,
      threadRoot,
    });
    if (started.type !== 'stream_started') throw unexpected(started);
    const { stream } = started;
    return new MessageStream(
      stream,
      {
        append: async (at, text) => {
          await this.call({ type: 'append_stream', conversation, stream, at, text });
        },
        cancel: async () => {
          await this.call({ type: 'cancel_stream', conversation, stream });
        },
        send: (text, sent) => this.send(conversation, text, sent),
      },
      options,
    );
  }

  /**
   * What is not acknowledged yet, in order; failed items stay until they are retried or discarded.
   */
  outbox(conversation: ConversationId): OutboxItem[] {
    return this.driver_.core.outbox(conversation);
  }

  /** Whether an item of the outbox survives a reload already. */
  isStored(item: OutboxItem): boolean {
    return this.driver_.core.is_stored(item);
  }

  /** Sends a failed item again, as a new message. */
  retry(conversation: ConversationId, local: string): void {
    this.tell({ type: 'retry', conversation, local });
  }

  discard(conversation: ConversationId, local: string): void {
    this.tell({ type: 'discard', conversation, local });
  }

  /** The conversation is on screen: its events are pushed in full. Each open wants one close. */
  open(conversation: ConversationId): void {
    this.tell({ type: 'open', conversation });
  }

  close(conversation: ConversationId): void {
    this.tell({ type: 'close', conversation });
  }

  /**
   * The last `limit` (1..256) events before seq `before` (0 = the end), or with `after` the first ones
   * after that seq; from this device where it has them, else from the engine.
   */
  async history(
    conversation: ConversationId,
    options: { before?: Seq; after?: Seq; limit?: number } = {},
  ): Promise<HistoryRange> {
    const { before = 0, after, limit = 50 } = options;
    const from = after === undefined ? before : after + 1;
    const backward = after === undefined;
    this.driver_.check({ type: 'history', conversation, from, backward, limit });
    const local =
      after === undefined
        ? await this.stored_before(conversation, before, limit)
        : await this.stored_after(conversation, after, limit);
    if (local) return local;
    const result = await this.call({ type: 'history', conversation, from, backward, limit });
    if (result.type !== 'history') throw unexpected(result);
    return { events: result.page.events, more: result.page.more };
  }

  private async stored_before(
    id: ConversationId,
    before: Seq,
    limit: number,
  ): Promise<HistoryRange | null> {
    const run = this.driver_.core.stored_run(id);
    if (!run) return null;
    const end = before === 0 ? run.until : before;
    if (end > run.until) return null;
    const reaches_floor = run.from <= run.visibleFrom;
    if (end - limit < run.from && !(reaches_floor && end > run.from)) return null;
    const events = await this.driver_.stored_events(id, run.from, end, limit);
    const first = events[0]?.seq ?? end;
    const whole = events.length === Math.min(limit, end - run.from);
    return whole ? { events, more: first > run.visibleFrom } : null;
  }

  private async stored_after(
    id: ConversationId,
    after: Seq,
    limit: number,
  ): Promise<HistoryRange | null> {
    const run = this.driver_.core.stored_run(id);
    const from = after + 1;
    if (!run || from < run.from || from + limit > run.until) return null;
    const events = await this.driver_.stored_events(id, from, from + limit, limit);
    return events.length === limit ? { events, more: from + limit < run.until } : null;
  }

  // ---- Messages to be sent later ----

  /**
   * The engine sends it at that time (milliseconds since 1970, at most 366 days ahead), if the user
   * may do so then. `replaces`: the id of a scheduled message, in whose place.
   */
  async schedule(
    conversation: ConversationId,
    draft: string | MessageDraft,
    at: number,
    options: { replyTo?: Seq; replaces?: string } = {},
  ): Promise<ScheduledMessage> {
    const { text, contentType = 'text/plain' } = spelled(draft);
    const { replyTo = 0, replaces: id = '' } = options;
    const result = await this.call({
      type: 'schedule',
      id,
      conversation,
      at,
      contentType,
      text,
      replyTo,
    });
    const [message] = result.type === 'scheduled' ? result.change.messages : [];
    if (message === undefined) throw unexpected(result);
    return message;
  }

  /** Drops one that was not sent yet. */
  async unschedule(id: string): Promise<void> {
    await this.call({ type: 'unschedule', id });
  }

  /** All of this user's, by id. The event `scheduled` tells what changes. */
  async scheduled(): Promise<ScheduledMessage[]> {
    const result = await this.call({ type: 'list_scheduled' });
    if (result.type !== 'scheduled') throw unexpected(result);
    return result.change.messages;
  }
}
