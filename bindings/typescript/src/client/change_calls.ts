// change_calls.ts: what is done to messages that are there: edits, deletions, reactions, polls, pins,
// threads.
import type { Asked } from '../checks.js';
import type {
  Ballot,
  ChatEvent,
  ConversationId,
  MessageDraft,
  ReactorsPage,
  Seq,
  ThreadPage,
  ThreadState,
  ThreadsPage,
  UserId,
  VotersPage,
} from '../types.js';
import { unexpected } from './driver.js';
import { MessageCalls, spelled } from './message_calls.js';

export abstract class ChangeCalls extends MessageCalls {
  // By their seq. They reach everybody, this client too, as events; `MessageFold` makes messages of
  // them. They wait for a link, not for a restart; what is so already is answered and changes nothing.

  /** One's own message gets another content. */
  async edit(conversation: ConversationId, seq: Seq, draft: string | MessageDraft): Promise<void> {
    const { text, contentType = 'text/plain' } = spelled(draft);
    await this.call({ type: 'edit', conversation, seq, contentType, text });
  }

  /** For everybody; a tombstone stays. One's own, or anybody's for admins and owners. */
  async deleteMessage(conversation: ConversationId, seq: Seq): Promise<void> {
    await this.call({ type: 'delete', conversation, seq });
  }

  /**
   * For this user alone, on all its devices and for ever; nobody else learns of it. 1 to 100 messages
   * that the user sees: all of them, or with an error none. `on('deletedForMe')` tells every device.
   */
  async deleteForMe(conversation: ConversationId, seqs: readonly Seq[]): Promise<void> {
    await this.call({ type: 'delete_for_me', conversation, seqs: [...seqs] });
  }

  /** Puts a reaction on, or takes it off: any short string (32 bytes), an emoji mostly. */
  async react(conversation: ConversationId, seq: Seq, key: string, on = true): Promise<void> {
    await this.call({ type: 'react', conversation, seq, key, on });
  }

  /** Who put `key` on the message, by ascending id; `after`: the last one of the page before. */
  async reactors(
    conversation: ConversationId,
    seq: Seq,
    key: string,
    options: { after?: UserId; limit?: number } = {},
  ): Promise<ReactorsPage> {
    const { after = '', limit = 100 } = options;
    const result = await this.call({ type: 'reactors', conversation, seq, key, after, limit });
    if (result.type !== 'reactors') throw unexpected(result);
    return result.page;
  }

  /** Chooses, by the numbers of the options from 0, in place of what was chosen; none: no vote. */
  async vote(conversation: ConversationId, seq: Seq, options: number[]): Promise<void> {
    const result = await this.call({ type: 'vote', conversation, seq, options });
    if (result.type !== 'ballot') throw unexpected(result);
  }

  /** No vote is taken any more. For who asked, and who may delete what others write. */
  async closePoll(conversation: ConversationId, seq: Seq): Promise<void> {
    await this.call({ type: 'close_poll', conversation, seq });
  }

  /** What this user has chosen; `on('ballot')` tells of votes on other devices. */
  async ballot(conversation: ConversationId, seq: Seq): Promise<Ballot> {
    const result = await this.call({ type: 'get_ballot', conversation, seq });
    if (result.type !== 'ballot') throw unexpected(result);
    return result.ballot;
  }

  /** Who chose that option, by ascending id; not of an anonymous poll. */
  async voters(
    conversation: ConversationId,
    seq: Seq,
    option: number,
    options: { after?: UserId; limit?: number } = {},
  ): Promise<VotersPage> {
    const { after = '', limit = 100 } = options;
    const result = await this.call({ type: 'voters', conversation, seq, option, after, limit });
    if (result.type !== 'voters') throw unexpected(result);
    return result.page;
  }

  /** For everybody; in a channel for admins and owners. */
  async pin(conversation: ConversationId, seq: Seq, on = true): Promise<void> {
    await this.call({ type: 'pin', conversation, seq, on });
  }

  /** The pinned messages as they stand, by ascending seq. */
  async pins(conversation: ConversationId): Promise<ChatEvent[]> {
    const result = await this.call({ type: 'pins', conversation });
    if (result.type !== 'messages') throw unexpected(result);
    return result.messages;
  }

  // ---- Threads, by the seq of their root; their replies are events of the conversation ----

  /** The last `limit` (1..100) replies before seq `from` (0 = the end), or forward from it on. */
  async thread(
    conversation: ConversationId,
    root: Seq,
    options: { from?: Seq; backward?: boolean; limit?: number } = {},
  ): Promise<ThreadPage> {
    const { from = 0, backward = true, limit = 50 } = options;
    const result = await this.call({ type: 'thread', conversation, root, from, backward, limit });
    if (result.type !== 'thread') throw unexpected(result);
    return result.page;
  }

  /** The threads that this user follows, the newest root first; `next` is `before` of the next. */
  async threads(
    conversation: ConversationId,
    options: { before?: Seq; limit?: number } = {},
  ): Promise<ThreadsPage> {
    const { before = 0, limit = 20 } = options;
    const result = await this.call({ type: 'threads', conversation, before, limit });
    if (result.type !== 'threads') throw unexpected(result);
    return result.page;
  }

  /** Replying and being mentioned follows by itself; false ends it until the next own reply. */
  followThread(conversation: ConversationId, root: Seq, on = true): Promise<ThreadState> {
    return this.thread_state({ type: 'follow_thread', conversation, root, on });
  }

  readThread(conversation: ConversationId, root: Seq, seq: Seq): Promise<ThreadState> {
    return this.thread_state({ type: 'read_thread', conversation, root, seq });
  }

  private async thread_state(operation: Asked): Promise<ThreadState> {
    const result = await this.call(operation);
    if (result.type !== 'thread_state') throw unexpected(result);
    return result.thread;
  }
}
