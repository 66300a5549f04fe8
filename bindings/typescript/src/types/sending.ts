// sending.ts: a message before it is committed: what a send takes, the outbox, scheduled and growing
// ones, the ack.
import type { ConversationId, Seq, UserId } from './ids.js';
import type { Audience, Extras, ForwardOf, PollDraft } from './message.js';

/** What a message is to say. */
export interface MessageDraft {
  text: string;
  /** Default: text/plain. */
  contentType?: string;
}

/** What is not given: plain text that carries nothing else. */
export interface SendOptions extends Partial<Extras> {
  contentType?: string;
  replyTo?: Seq;
  audience?: Audience;
  /** The message in whose thread it goes. */
  threadRoot?: Seq;
  /** Then the text must be '' and there are no attachments: those of that message are taken. */
  forward?: ForwardOf;
  /** Milliseconds, a second at least: then it is deleted for everybody. */
  expiresAfter?: number;
  /** With the text as its question. */
  poll?: PollDraft;
  /** It takes the place of this growing text: `MessageStream.finish` says so. */
  stream?: string;
}

/** The engine's answer to a send: the message is committed at the declared durability. */
export interface Ack {
  conversation: ConversationId;
  seq: Seq;
  time: number;
  number: number;
  /** The key was known: this is the first answer again. */
  repeated: boolean;
}

/** One message on its way: kept until the engine has acknowledged it. */
export interface OutboxItem {
  conversation: ConversationId;
  /** Names the item within this storage; the idempotency key changes when a send is renumbered. */
  local: string;
  /** Outbox number in (conversation, device). */
  number: number;
  /**
   * 64 random bits that belong to the number, decimal; the committed event carries them as echo.
   */
  random: string;
  contentType: string;
  text: string;
  replyTo: Seq;
  audience?: Audience;
  /** Absent in rows of earlier builds: nothing. */
  threadRoot?: Seq;
  extras?: Extras;
  forward?: ForwardOf;
  /** Milliseconds; it is deleted so long after it was stored. */
  expiresAfter?: number;
  poll?: PollDraft;
  stream?: string;
  createdAt: number;
  state: 'pending' | 'failed';
  /**
   * The number had been used in a life this device forgot: the message may have been posted then.
   */
  renumbered: boolean;
  /** state failed: why. */
  error?: { code: string; message: string };
}

/** A message that the engine will send in this user's name: the same on every device. */
export interface ScheduledMessage {
  id: string;
  conversation: ConversationId;
  /** Milliseconds since 1970. */
  at: number;
  contentType: string;
  text: string;
  /** A body that is not UTF-8, in base64. */
  data: string;
  replyTo: Seq;
  /** The code of its refusal when it was due: it stays until replaced or dropped; 0: it waits. */
  failed: number;
  /** The refusal in words. */
  why: string;
}

export interface ScheduledChange {
  /** Replaces what the client has. */
  whole: boolean;
  messages: ScheduledMessage[];
  /** Sent, or dropped. */
  removed: string[];
}

/** A message that grows while its sender writes it: nothing of it is stored yet. */
export interface GrowingMessage {
  conversation: ConversationId;
  stream: string;
  sender: UserId;
  contentType: string;
  replyTo: Seq;
  threadRoot: Seq;
  /** All of it so far. */
  text: string;
  /** It is stored as a message (`ChatEvent.stream`), or was taken back: show it no more. */
  ended: boolean;
}

/** What the engine tells of one: `text` goes behind the first `at` bytes. */
export interface StreamPiece extends GrowingMessage {
  at: number;
}
