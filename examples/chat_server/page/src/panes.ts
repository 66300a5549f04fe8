// panes.ts: the list and the conversation side by side (on a phone: one at a time); the address says
// which conversation.
import type { ConversationId, ConversationView, ParleyClient, PresenceState } from '@parley/client';
import { Blocks } from './blocks.js';
import { ChatView } from './chat_view.js';
import { details_dialog } from './details_dialog.js';
import { left_channels, remember_left, store_presence, stored_presence } from './device.js';
import { name_device } from './device_name.js';
import { el, icon } from './dom.js';
import { conversation_title } from './format.js';
import { OwnRequests } from './join_requests.js';
import { is_link, named_in_address, share_conversation } from './links.js';
import { ListView } from './list_view.js';
import { closed_dialog, start_dialog } from './start_dialog.js';
import { clear_offline, toast, toast_error } from './toasts.js';
import { Typing } from './typing.js';
import { Watches } from './watches.js';
import { you_dialog } from './you_dialog.js';

function clear_hash(): void {
  history.replaceState(null, '', location.pathname);
}

export class Panes {
  readonly element: HTMLElement;
  private readonly blocks_: Blocks;
  private readonly watches_: Watches;
  private readonly list_: ListView;
  private readonly chat_: ChatView;
  private readonly nothing_: HTMLElement;
  private readonly main_: HTMLElement;
  private readonly route_ = (): void => this.route();
  private listed_ = false;
  /** The conversation that is being left from here. */
  private leaving_: ConversationId = '';
  /** Those whose deletion was told. */
  private readonly ended_ = new Set<ConversationId>();

  constructor(
    private readonly client_: ParleyClient,
    name: string,
    sign_out: () => void,
  ) {
    const open = (id: ConversationId): void => this.open(id);
    const start = (): void => start_dialog(client_, open);
    const typing = new Typing(client_);
    this.blocks_ = new Blocks(client_);
    this.watches_ = new Watches(client_);
    this.list_ = new ListView(
      client_,
      typing,
      {
        open,
        start,
        sign_out,
        left: left_channels,
        asked: new OwnRequests(client_, open),
        blocks: this.blocks_,
        join: (id) => this.join(id),
        you: () => this.you(),
        presence: stored_presence,
        watches: this.watches_,
      },
      name,
    );
    this.chat_ = new ChatView(client_, typing, this.watches_, {
      back: () => this.back(),
      details: (id) => this.details(id),
      share: (id) => void share_conversation(id),
      open,
      join: (id) => this.join(id),
      start_channel: (space) => start_dialog(client_, open, space),
    });
    this.nothing_ = el(
      'section',
      { class: 'nothing' },
      el('div', { class: 'logo' }, icon('chat')),
      el('p', {}, 'Choose a conversation, or start one.'),
      el('button', { type: 'button', class: 'button', on: { click: start } }, 'New conversation'),
    );
    this.main_ = el('main', { class: 'main' }, this.nothing_);
    this.element = el('div', { class: 'panes' }, this.list_.element, this.main_);
  }

  /** Follows the address and the client from here on. */
  listen(): void {
    this.client_.on('events', ({ conversation, events }) => {
      if (events.some(({ kind }) => kind === 'ended')) this.ended_.add(conversation);
    });
    addEventListener('hashchange', this.route_);
    this.client_.on('list', ({ changed, removed, missing }) => {
      const wanted = named_in_address('c');
      if (this.chat_.id === null && wanted !== null && changed.includes(wanted)) this.route();
      if (this.chat_.id !== null && removed.includes(this.chat_.id)) {
        if (this.chat_.id !== this.leaving_) toast(this.why_gone(this.chat_.id, missing));
        this.back();
      }
    });
    this.client_.on('state', ({ state }) => {
      if (state !== 'ready') return;
      clear_offline();
      if (this.listed_) return;
      this.listed_ = true;
      this.route();
      name_device(this.client_).catch(() => undefined); // it has its number
    });
  }

  /** The client has stopped. */
  end(): void {
    removeEventListener('hashchange', this.route_);
    this.chat_.hide();
  }

  /** Shows what the address names. */
  route(): void {
    const to_join = named_in_address('join');
    if (to_join !== null) {
      clear_hash();
      return this.join(to_join);
    }
    const invited = named_in_address('invite');
    if (invited !== null) {
      clear_hash();
      return this.enter(invited);
    }
    this.lost_link();
    const wanted = named_in_address('c');
    const id = wanted !== null && this.client_.conversation(wanted) ? wanted : null;
    const shown = id === null ? this.nothing_ : this.chat_.element;
    if (this.main_.firstElementChild !== shown) this.main_.replaceChildren(shown);
    this.element.classList.toggle('in-chat', id !== null);
    if (id === null) this.chat_.hide();
    else this.chat_.show(id);
    this.list_.selected = id;
    this.list_.render();
  }

  private open(id: ConversationId): void {
    if (this.client_.conversation(id)?.markedUnread)
      this.client_.setList(id, { markedUnread: false }).catch(() => undefined);
    if (named_in_address('c') === id) this.route();
    else location.hash = `c=${id}`;
  }

  private back(): void {
    location.hash = '';
  }

  private join(id: ConversationId): void {
    const open = (joined: ConversationId): void => this.open(joined);
    this.client_
      .join(id)
      .then((view) => open(view.conversation))
      .catch((error: unknown) => {
        if ((error as { code?: string }).code === 'denied') closed_dialog(this.client_, id, open);
        else toast_error('The channel could not be joined', error);
      });
  }

  private enter(token: string): void {
    this.client_
      .joinInvite(token)
      .then((view) => this.open(view.conversation))
      .catch((error: unknown) => toast_error('The link does not lead in any more', error));
  }

  private you(): void {
    const seen = (): PresenceState => this.watches_.self_state(stored_presence());
    you_dialog(this.client_, this.blocks_, stored_presence(), seen, (state) => {
      store_presence(state);
      this.client_.setPresence(state);
      this.list_.render();
    });
  }

  private details(id: ConversationId): void {
    details_dialog(this.client_, id, this.blocks_, {
      leaving: () => {
        this.leaving_ = id;
      },
      left: (view) => this.left(view),
      deleted: () => this.away(id),
    });
  }

  private left(view: ConversationView): void {
    this.leaving_ = '';
    const title = conversation_title(this.client_, view);
    if (view.kind === 'channel') remember_left({ id: view.conversation, title });
    this.away(view.conversation);
  }

  /** At once: what the list says of it next is no surprise. */
  private away(id: ConversationId): void {
    this.watches_.left(id);
    clear_hash();
    this.route();
  }

  private why_gone(id: ConversationId, missing: readonly ConversationId[]): string {
    if (missing.includes(id)) return 'The server does not know this conversation any more.';
    if (this.ended_.has(id)) return 'This conversation was deleted.';
    return 'You are no longer in this conversation.';
  }

  /** An address that leads nowhere says so, once the list is known. */
  private lost_link(): void {
    if (!is_link()) return;
    const wanted = named_in_address('c');
    if (wanted === null) {
      clear_hash();
      toast('This is not a link of this chat: a part of it is missing.', 'error');
    } else if (this.listed_ && !this.client_.conversation(wanted)) {
      clear_hash();
      closed_dialog(this.client_, wanted, (id) => this.open(id));
    }
  }
}
