// message_stream.ts: a message that this client writes while others watch it grow.
import { ParleyError } from './errors.js';
import type { Ack, SendOptions } from './types.js';

const piece_most = 16 * 1024; // bytes in one append
const encoder = new TextEncoder();

export interface StreamCalls {
  append(at: number, text: string): Promise<void>;
  cancel(): Promise<void>;
  send(text: string, options: SendOptions): Promise<Ack>;
}

/**
 * Begun by `ParleyClient.stream`. What is appended is shown as soon as the link allows, and is in the
 * message in any case. End it with `finish` or `cancel`.
 */
export class MessageStream {
  private text_ = '';
  private told_ = 0; // of the text, in code units
  private told_bytes_ = 0;
  private telling_ = false;
  private over_ = false;

  constructor(
    readonly id: string,
    private readonly calls_: StreamCalls,
    private readonly options_: SendOptions,
  ) {}

  /** All that was appended. */
  get text(): string {
    return this.text_;
  }

  append(text: string): void {
    if (this.over_) throw new ParleyError('invalid_argument', 'the stream has ended');
    this.text_ += text;
    void this.tell();
  }

  /** Stores the message: the whole text. Resolves and rejects as `send`. */
  async finish(): Promise<Ack> {
    this.over_ = true;
    try {
      return await this.calls_.send(this.text_, { ...this.options_, stream: this.id });
    } catch (error) {
      await this.calls_.cancel().catch(() => undefined); // nobody is to see it grow any more
      throw error;
    }
  }

  /** Nothing is stored; what grew disappears. */
  async cancel(): Promise<void> {
    this.over_ = true;
    await this.calls_.cancel();
  }

  /** One append at a time; what comes meanwhile goes with the next. */
  private async tell(): Promise<void> {
    if (this.telling_) return;
    this.telling_ = true;
    try {
      while (!this.over_ && this.told_ < this.text_.length) {
        const piece = this.next();
        if (piece === '') break;
        await this.calls_.append(this.told_bytes_, piece);
        this.told_ += piece.length;
        this.told_bytes_ += encoder.encode(piece).length;
      }
    } catch {
      // Not shown now: the next append tries again, and the message has it.
    } finally {
      this.telling_ = false;
    }
  }

  /** No character is cut. */
  private next(): string {
    let end = Math.min(this.text_.length, this.told_ + piece_most / 4);
    const last = this.text_.charCodeAt(end - 1);
    if (last >= 0xd800 && last < 0xdc00) end -= 1;
    return this.text_.slice(this.told_, end);
  }
}
