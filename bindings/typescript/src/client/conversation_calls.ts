// conversation_calls.ts: the list, conversations that are made, joined and left, and what their
// members share.
import type { Asked, Told } from '../checks.js';
import type { ConversationView } from '../conversation.js';
import type { CallResult } from '../inputs.js';
import { random_hex128 } from '../random.js';
import type {
  ConversationId,
  ConversationInfo,
  JoinRule,
  ListSettings,
  Retention,
  SettingsUpdate,
} from '../types.js';
import { unexpected, type Driver } from './driver.js';

export abstract class ConversationCalls {
  constructor(protected readonly driver_: Driver) {}

  /** Most recent first; copies. */
  conversations(): ConversationView[] {
    return this.driver_.core.list();
  }

  conversation(id: ConversationId): ConversationView | null {
    return this.driver_.core.view(id);
  }

  /**
   * A page of the list from the engine, the last active first; `after`: the last one of the page
   * before. Its conversations are known and followed from then on.
   */
  async listPage(
    options: { after?: ConversationView; limit?: number } = {},
  ): Promise<{ conversations: ConversationView[]; more: boolean }> {
    const { after, limit = 100 } = options;
    const result = await this.call({
      type: 'page_list',
      afterActivity: after?.lastActivity ?? 0,
      after: after?.conversation ?? '',
      limit,
    });
    if (result.type !== 'list_page') throw unexpected(result);
    return { conversations: result.views, more: result.more };
  }

  /**
   * Pin, archive, hide, mute, mark unread, put into a folder, keep a draft: in this user's list, on
   * every device.
   */
  async setList(conversation: ConversationId, settings: ListSettings): Promise<void> {
    await this.call({ type: 'set_list', conversation, settings });
  }

  /**
   * A group, channel or space; the caller becomes its owner. `members` are subjects (names the host
   * knows). `space`: of a channel, the space it belongs to for ever; it is `join: 'open'` to all of
   * its members, or `'added'`. `nonce`: 32 hex digits, your own random ones: a create of the same
   * nonce finds what the first one made, also after a restart.
   */
  async create(options: {
    kind: 'group' | 'channel' | 'space';
    title?: string;
    members?: string[];
    nonce?: string;
    space?: ConversationId;
    join?: JoinRule;
  }): Promise<ConversationView> {
    const { kind, title = '', members = [], nonce = random_hex128(), space = '' } = options;
    const { join = '' } = options;
    return this.conversation_call({ type: 'create', kind, title, members, nonce, space, join });
  }

  /** Finds or creates the conversation with `peer` (a subject). */
  async direct(peer: string): Promise<ConversationView> {
    return this.conversation_call({ type: 'direct', peer });
  }

  /** Where `ConversationSettings.join` is open. */
  async join(conversation: ConversationId): Promise<ConversationView> {
    return this.conversation_call({ type: 'join', conversation });
  }

  /** With a link, which is all that one needs. */
  async joinInvite(token: string): Promise<ConversationView> {
    return this.conversation_call({ type: 'join_invite', token });
  }

  async leave(conversation: ConversationId): Promise<void> {
    await this.call({ type: 'leave', conversation });
  }

  /** Deletes it for good, for everybody: for owners of groups and channels. */
  async deleteConversation(conversation: ConversationId): Promise<void> {
    await this.call({ type: 'delete_conversation', conversation });
  }

  async setTitle(conversation: ConversationId, title: string): Promise<void> {
    await this.call({ type: 'set_title', conversation, title });
  }

  /** What is given changes, as one event. */
  async setSettings(conversation: ConversationId, settings: SettingsUpdate): Promise<void> {
    await this.call({ type: 'set_settings', conversation, settings });
  }

  async info(conversation: ConversationId): Promise<ConversationInfo> {
    const result = await this.call({ type: 'info', conversation });
    if (result.type !== 'info') throw unexpected(result);
    return result.info;
  }

  /** How much is kept from now on: for owners of groups and channels. */
  async setRetention(
    conversation: ConversationId,
    { keepFor = 0, keepEvents = 0 }: Partial<Retention>,
  ): Promise<void> {
    await this.call({ type: 'set_retention', conversation, keepFor, keepEvents });
  }

  async retention(conversation: ConversationId): Promise<Retention> {
    const result = await this.call({ type: 'get_retention', conversation });
    if (result.type !== 'retention') throw unexpected(result);
    return result.retention;
  }

  private async conversation_call(operation: Asked): Promise<ConversationView> {
    const result = await this.call(operation);
    if (result.type !== 'conversation') throw unexpected(result);
    return result.view;
  }

  // ---- For all calls ----

  protected call(operation: Asked): Promise<CallResult> {
    return this.driver_.call(operation);
  }

  protected tell(input: Exclude<Told, { type: 'send' }>): void {
    this.driver_.tell(input);
  }
}
