// growing.ts: messages that somebody is still writing, as far as they have come.
import type { ConversationId, GrowingMessage, ParleyClient, Seq } from '@parley/client';

/** One of them, and when it was first seen. */
export interface GrowingText extends GrowingMessage {
  since: number;
}

export class Growing {
  private readonly texts_ = new Map<string, GrowingText>();

  constructor(client: ParleyClient, changed: (message: GrowingMessage) => void) {
    client.on('stream', (message) => {
      const since = this.texts_.get(message.stream)?.since ?? Date.now();
      if (message.ended) this.texts_.delete(message.stream);
      else this.texts_.set(message.stream, { ...message, since });
      changed(message);
    });
  }

  /** Those of a thread, or with `root` 0 of the conversation itself; the oldest first. */
  of(id: ConversationId, root: Seq): GrowingText[] {
    return [...this.texts_.values()].filter(
      ({ conversation, threadRoot, text }) =>
        conversation === id && threadRoot === root && text !== '',
    );
  }
}
