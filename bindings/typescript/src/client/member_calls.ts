// member_calls.ts: who is in a conversation, who is let in and how, and whom one keeps out.
import type {
  ConversationId,
  Invite,
  JoinRequestsPage,
  MembersPage,
  OwnRequest,
  RestrictionKind,
  RestrictionsPage,
  Role,
  UserId,
} from '../types.js';
import { ConversationCalls } from './conversation_calls.js';
import { unexpected } from './driver.js';

export abstract class MemberCalls extends ConversationCalls {
  /**
   * Members by pages: `after` is the last one of the page before. With `prefix` (at most 64 bytes)
   * only those whose subject begins so, whatever its case, in the order of their subjects.
   */
  async members(
    conversation: ConversationId,
    options: { after?: UserId; limit?: number; prefix?: string } = {},
  ): Promise<MembersPage> {
    const { after = '', limit = 100, prefix = '' } = options;
    const result = await this.call({ type: 'members', conversation, after, limit, prefix });
    if (result.type !== 'members') throw unexpected(result);
    return result.page;
  }

  async add(conversation: ConversationId, members: string[]): Promise<void> {
    await this.call({ type: 'add', conversation, members });
  }

  async remove(conversation: ConversationId, user: UserId): Promise<void> {
    await this.call({ type: 'remove', conversation, user });
  }

  async setRole(conversation: ConversationId, user: UserId, role: Role): Promise<void> {
    await this.call({ type: 'set_role', conversation, user, role });
  }

  /** An owner makes another member one and becomes an admin, in one step. */
  async transfer(conversation: ConversationId, user: UserId): Promise<void> {
    await this.call({ type: 'transfer', conversation, user });
  }

  /**
   * Makes a link that lets in whoever has it, into `role` ('member' by default), until `expires`
   * (milliseconds since 1970) or until `uses` joined with it.
   */
  async createInvite(
    conversation: ConversationId,
    options: { role?: Role; expires?: number; uses?: number } = {},
  ): Promise<Invite> {
    const { role = 'member', expires = 0, uses = 0 } = options;
    const result = await this.call({ type: 'create_invite', conversation, role, expires, uses });
    const made = result.type === 'invites' ? result.invites[0] : undefined;
    if (made === undefined) throw unexpected(result);
    return made;
  }

  /** The links that hold and that the caller could have made, the oldest first. */
  async invites(conversation: ConversationId): Promise<Invite[]> {
    const result = await this.call({ type: 'list_invites', conversation });
    if (result.type !== 'invites') throw unexpected(result);
    return result.invites;
  }

  /** Nobody joins with it any more. */
  async revokeInvite(token: string): Promise<void> {
    await this.call({ type: 'revoke_invite', token });
  }

  /**
   * Asks to be let in, where `ConversationSettings.join` is 'by_request'. `requests` and the event
   * `requests` tell how it stands, on every device; leave() takes it back.
   */
  async requestJoin(conversation: ConversationId, note = ''): Promise<void> {
    await this.call({ type: 'request_join', conversation, note });
  }

  /** What the user asked to be let into and is not: waiting, or denied. */
  get requests(): OwnRequest[] {
    return this.driver_.core.requests;
  }

  /** Who waits to be let in; for those with the right to invite. */
  async joinRequests(
    conversation: ConversationId,
    options: { after?: UserId; limit?: number } = {},
  ): Promise<JoinRequestsPage> {
    const { after = '', limit = 100 } = options;
    const result = await this.call({ type: 'join_requests', conversation, after, limit });
    if (result.type !== 'join_requests') throw unexpected(result);
    return result.page;
  }

  /** Lets in who asked, as a member, or says no. */
  async answerRequest(
    conversation: ConversationId,
    user: UserId,
    approve: boolean,
  ): Promise<void> {
    await this.call({ type: 'answer_request', conversation, user, approve });
  }

  /** Mutes or bans somebody of a lower role; again: until another time (0: without end). */
  async restrict(
    conversation: ConversationId,
    user: UserId,
    kind: RestrictionKind,
    options: { until?: number; reason?: string } = {},
  ): Promise<void> {
    const { until = 0, reason = '' } = options;
    await this.call({ type: 'restrict', conversation, kind, user, on: true, until, reason });
  }

  /** Ends that; nothing when there is none. */
  async lift(conversation: ConversationId, user: UserId, kind: RestrictionKind): Promise<void> {
    const off = { on: false, until: 0, reason: '' };
    await this.call({ type: 'restrict', conversation, kind, user, ...off });
  }

  /** Who is muted or banned; for those who may mute or ban. */
  async restrictions(
    conversation: ConversationId,
    kind: RestrictionKind,
    options: { after?: UserId; limit?: number } = {},
  ): Promise<RestrictionsPage> {
    const { after = '', limit = 100 } = options;
    const result = await this.call({ type: 'restrictions', conversation, kind, after, limit });
    if (result.type !== 'restrictions') throw unexpected(result);
    return result.page;
  }

  /**
   * Hears nothing of that user any more, who is not told: what they write in the direct
   * conversation is for themselves alone, they add this user nowhere and see it offline.
   */
  async block(user: UserId): Promise<void> {
    await this.call({ type: 'block', user, on: true });
  }

  /** What was written meanwhile stays hidden. */
  async unblock(user: UserId): Promise<void> {
    await this.call({ type: 'block', user, on: false });
  }

  /** All whom this user blocks. Event `blocked` tells changes, on every device. */
  async blocked(): Promise<UserId[]> {
    const result = await this.call({ type: 'list_blocked' });
    if (result.type !== 'blocked') throw unexpected(result);
    return result.users;
  }
}
