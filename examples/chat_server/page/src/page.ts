// page.ts: the demo page: sign in, then list and conversation side by side (on a phone: one at a
// time).
import {
  IndexedDbStorage,
  MemoryStorage,
  ParleyClient,
  type ClientStorage,
  type ConversationId,
  type ConversationView,
} from '@parley/client';
import { Blocks } from './blocks.js';
import { ChatView } from './chat_view.js';
import {
  database_name,
  forget_device,
  forget_name,
  forget_old_devices,
  left_channels,
  remember_left,
  remember_name,
  signed_in_name,
  store_presence,
  stored_presence,
} from './device.js';
import { details_dialog } from './details_dialog.js';
import { name_device } from './device_name.js';
import { el, icon } from './dom.js';
import { conversation_title } from './format.js';
import { OwnRequests } from './join_requests.js';
import { is_link, named_in_address, share_conversation } from './links.js';
import { ListView } from './list_view.js';
import { closed_dialog, start_dialog } from './start_dialog.js';
import { clear_offline, toast, toast_error } from './toasts.js';
import { Typing } from './typing.js';
import { in_words } from './words.js';
import { you_dialog } from './you_dialog.js';

const app = document.getElementById('app')!;

function server_url(): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/chat`;
}

// ---- Sign in ----

function show_sign_in(problem = ''): void {
  const input = el('input', {
    type: 'text',
    name: 'name',
    required: true,
    maxlength: '64',
    placeholder: 'alice',
    autocomplete: 'off',
    autocapitalize: 'none',
    spellcheck: 'false',
    'aria-describedby': 'warning',
  });
  const card = el(
    'form',
    { class: 'card' },
    el('div', { class: 'logo' }, icon('chat')),
    el('h1', {}, 'Parley'),
    el('p', { class: 'lead' }, 'Choose a name and start to chat.'),
    problem === '' ? null : el('p', { class: 'problem', role: 'alert' }, problem),
    el('label', { class: 'field' }, el('span', {}, 'Your name'), input),
    el('button', { type: 'submit', class: 'button' }, 'Sign in'),
    el(
      'p',
      { class: 'warning', id: 'warning' },
      icon('alert'),
      el(
        'span',
        {},
        el('strong', {}, 'Names are not checked. '),
        'This is a development server: anybody can sign in as anybody and read what they read. Keep it off the internet.',
      ),
    ),
  );
  card.addEventListener('submit', (event) => {
    event.preventDefault();
    const name = input.value.trim();
    if (name === '') return;
    remember_name(name);
    void run(name);
  });
  app.replaceChildren(el('main', { class: 'sign-in' }, card));
  input.focus();
}

// ---- The banner ----

function banner(client: ParleyClient): HTMLElement {
  const text = el('span', {});
  const again = el(
    'button',
    { type: 'button', class: 'link', on: { click: () => client.reconnect() } },
    'Try now',
  );
  const element = el(
    'div',
    { class: 'banner', role: 'status', hidden: true },
    el('span', { class: 'spinner small' }),
    text,
    again,
  );
  let retry_at = 0;
  let shown_after = 0;
  const draw = (): void => {
    const { state } = client;
    // A short blink at start or between two links is not worth a word.
    element.hidden =
      state === 'ready' || state === 'stopped' || state === 'idle' || Date.now() < shown_after;
    const seconds = Math.max(0, Math.ceil((retry_at - Date.now()) / 1000));
    text.textContent =
      state === 'waiting' && seconds > 0
        ? `Offline. Next try in ${seconds}\u00a0s.`
        : 'Reconnecting…';
    again.hidden = state !== 'waiting' || seconds < 2;
  };
  client.on('state', ({ state, retryAt }) => {
    if (state === 'ready') shown_after = 0;
    else if (shown_after === 0) shown_after = Date.now() + 400;
    retry_at = retryAt;
    draw();
  });
  setInterval(draw, 250);
  return element;
}

// ---- The chat ----

async function open_storage(name: string): Promise<ClientStorage> {
  try {
    return await IndexedDbStorage.open(await database_name(name));
  } catch (error) {
    toast_error('This browser keeps nothing, so a reload loses what is not sent yet', error);
    return new MemoryStorage();
  }
}

async function run(name: string): Promise<void> {
  const client = new ParleyClient({
    url: server_url(),
    token: name,
    storage: await open_storage(name),
  });
  const open = (id: ConversationId): void => {
    if (client.conversation(id)?.markedUnread)
      client.setList(id, { markedUnread: false }).catch(() => undefined);
    if (named_in_address('c') === id) route();
    else location.hash = `c=${id}`;
  };
  const sign_out = (): void => {
    forget_name();
    void client.stop().finally(() => {
      history.replaceState(null, '', location.pathname);
      location.reload();
    });
  };
  const back = (): void => {
    location.hash = '';
  };
  const blocks = new Blocks(client);
  const start = (): void => start_dialog(client, open);
  const you = (): void =>
    you_dialog(client, blocks, stored_presence(), (state) => {
      store_presence(state);
      client.setPresence(state);
      list.render();
    });
  const join = (id: ConversationId): void => {
    client
      .join(id)
      .then((view) => open(view.conversation))
      .catch((error: unknown) => {
        if ((error as { code?: string }).code === 'denied') closed_dialog(client, id, open);
        else toast_error('The channel could not be joined', error);
      });
  };
  const enter = (token: string): void => {
    client
      .joinInvite(token)
      .then((view) => open(view.conversation))
      .catch((error: unknown) => toast_error('The link does not lead in any more', error));
  };
  /** At once: what the list says of it next is no surprise. */
  const away = (): void => {
    clear_hash();
    route();
  };
  const left = (view: ConversationView): void => {
    leaving = '';
    const title = conversation_title(client, view);
    if (view.kind === 'channel') remember_left({ id: view.conversation, title });
    away();
  };
  const typing = new Typing(client);
  const list = new ListView(
    client,
    typing,
    {
      open,
      start,
      sign_out,
      left: left_channels,
      asked: new OwnRequests(client, open),
      blocks,
      join,
      you,
      presence: stored_presence,
    },
    name,
  );
  const chat = new ChatView(client, typing, {
    back,
    details: (id) =>
      details_dialog(client, id, blocks, {
        leaving: () => {
          leaving = id;
        },
        left,
        deleted: away,
      }),
    share: (id) => void share_conversation(id),
    open,
  });
  const nothing = el(
    'section',
    { class: 'nothing' },
    el('div', { class: 'logo' }, icon('chat')),
    el('p', {}, 'Choose a conversation, or start one.'),
    el('button', { type: 'button', class: 'button', on: { click: start } }, 'New conversation'),
  );
  const main = el('main', { class: 'main' }, nothing);
  const panes = el('div', { class: 'panes' }, list.element, main);
  app.replaceChildren(banner(client), panes);

  let listed = false;
  /** The conversation that is being left from here. */
  let leaving: ConversationId = '';
  /** Those whose deletion was told. */
  const ended = new Set<ConversationId>();
  client.on('events', ({ conversation, events }) => {
    if (events.some(({ kind }) => kind === 'ended')) ended.add(conversation);
  });
  const why_gone = (id: ConversationId, missing: readonly ConversationId[]): string => {
    if (missing.includes(id)) return 'The server does not know this conversation any more.';
    if (ended.has(id)) return 'This conversation was deleted.';
    return 'You are no longer in this conversation.';
  };
  const clear_hash = (): void => history.replaceState(null, '', location.pathname);
  const route = (): void => {
    const to_join = named_in_address('join');
    if (to_join !== null) {
      clear_hash();
      return join(to_join);
    }
    const invited = named_in_address('invite');
    if (invited !== null) {
      clear_hash();
      return enter(invited);
    }
    lost_link();
    const wanted = named_in_address('c');
    const id = wanted !== null && client.conversation(wanted) ? wanted : null;
    const shown = id === null ? nothing : chat.element;
    if (main.firstElementChild !== shown) main.replaceChildren(shown);
    panes.classList.toggle('in-chat', id !== null);
    if (id === null) chat.hide();
    else chat.show(id);
    list.selected = id;
    list.render();
  };
  /** An address that leads nowhere says so, once the list is known. */
  const lost_link = (): void => {
    if (!is_link()) return;
    const wanted = named_in_address('c');
    if (wanted === null) {
      clear_hash();
      toast('This link leads nowhere: a part of it is missing.', 'error');
    } else if (listed && !client.conversation(wanted)) {
      clear_hash();
      closed_dialog(client, wanted, open);
    }
  };
  addEventListener('hashchange', route);
  client.on('list', ({ changed, removed, missing }) => {
    const wanted = named_in_address('c');
    if (chat.id === null && wanted !== null && changed.includes(wanted)) route();
    if (chat.id !== null && removed.includes(chat.id)) {
      if (chat.id !== leaving) toast(why_gone(chat.id, missing));
      back();
    }
  });
  client.on('state', ({ state }) => {
    if (state !== 'ready') return;
    clear_offline();
    if (listed) return;
    listed = true;
    route();
    name_device(client).catch(() => undefined); // it has its number
  });
  client.on('state', ({ state, error }) => {
    if (state !== 'stopped' || error === null) return;
    removeEventListener('hashchange', route);
    chat.hide();
    if (error.code === 'device_revoked') forget_device();
    forget_name();
    show_sign_in(in_words(error));
  });
  client.on('problem', (error) => toast_error('Something went wrong', error));
  if (stored_presence() !== 'online') client.setPresence(stored_presence());
  await client.start();
  route();
}

forget_old_devices();
const name = signed_in_name();
if (name === null) show_sign_in();
else void run(name);
