// growing.ts: messages of others that grow while they are written: what is known of each, made whole
// again when a piece was missed.
import type { CoreOwner } from './owner.js';
import type { ChatEvent, ConversationId, GrowingMessage, StreamPiece } from './types.js';

/** Not told of for so long: it is over. */
const lost_after_ms = 30_000;
const timer = 'growing';

interface Known {
  message: GrowingMessage;
  bytes: number;
  heard: number;
  /** All of it was asked for. */
  asked: boolean;
}

const encoder = new TextEncoder();

export class Growing {
  private readonly known_ = new Map<string, Known>();

  constructor(private readonly owner_: CoreOwner) {}

  take(piece: StreamPiece): void {
    if (piece.ended) return this.end(piece.stream);
    const { at, text, ended: _, ...rest } = piece;
    const known = this.known_.get(piece.stream) ?? {
      message: { ...rest, text: '', ended: false },
      bytes: 0,
      heard: 0,
      asked: false,
    };
    known.heard = this.owner_.now;
    this.known_.set(piece.stream, known);
    this.owner_.timers.set_earlier(timer, this.owner_.now + lost_after_ms);
    if (at > known.bytes) return this.ask(known);
    const end = at + encoder.encode(text).length;
    if (end < known.bytes || (end === known.bytes && end > 0)) return; // an older piece, or a beat
    if (at < known.bytes && at > 0) return this.ask(known);
    known.message = { ...known.message, text: at === 0 ? text : known.message.text + text };
    known.bytes = end;
    this.show(known.message);
  }

  /** What was stored stands in the place of what grew. */
  stored(event: ChatEvent): void {
    if (event.stream !== '' && this.known_.get(event.stream)?.message.sender === event.sender)
      this.end(event.stream);
  }

  /** Without a link nothing is heard of them. */
  link_lost(): void {
    for (const stream of [...this.known_.keys()]) this.end(stream);
  }

  conversation_gone(id: ConversationId): void {
    for (const [stream, { message }] of [...this.known_])
      if (message.conversation === id) this.end(stream);
  }

  expire(): void {
    for (const [stream, { heard }] of [...this.known_]) {
      if (this.owner_.now - heard >= lost_after_ms) this.end(stream);
      else this.owner_.timers.set_earlier(timer, heard + lost_after_ms);
    }
  }

  private ask(known: Known): void {
    if (known.asked) return;
    known.asked = true;
    const { conversation, stream } = known.message;
    this.owner_.ask({ type: 'get_stream', conversation, stream }, (answer) => {
      known.asked = false;
      if (answer.type === 'streamed' && this.known_.has(stream)) this.take(answer.piece);
      if (answer.type === 'error' && answer.error.code === 'denied') this.end(stream);
    });
  }

  private end(stream: string): void {
    const known = this.known_.get(stream);
    if (!known) return;
    this.known_.delete(stream);
    this.show({ ...known.message, ended: true });
  }

  private show(message: GrowingMessage): void {
    this.owner_.emit({ name: 'stream', value: message });
  }
}
