// page.ts: the demo page: sign in, then the panes below a banner that says when there is no link.
import { IndexedDbStorage, MemoryStorage, ParleyClient, type ClientStorage } from '@parley/client';
import {
  database_name,
  forget_device,
  forget_name,
  forget_old_devices,
  remember_name,
  signed_in_name,
  stored_presence,
} from './device.js';
import { el, icon } from './dom.js';
import { Panes } from './panes.js';
import { toast_error } from './toasts.js';
import { in_words } from './words.js';

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
  const sign_out = (): void => {
    forget_name();
    void client.stop().finally(() => {
      history.replaceState(null, '', location.pathname);
      location.reload();
    });
  };
  const panes = new Panes(client, name, sign_out);
  app.replaceChildren(banner(client), panes.element);
  panes.listen();
  client.on('state', ({ state, error }) => {
    if (state !== 'stopped' || error === null) return;
    panes.end();
    if (error.code === 'device_revoked') forget_device();
    forget_name();
    show_sign_in(in_words(error));
  });
  client.on('problem', (error) => toast_error('Something went wrong', error));
  if (stored_presence() !== 'online') client.setPresence(stored_presence());
  await client.start();
  panes.route();
}

forget_old_devices();
const name = signed_in_name();
if (name === null) show_sign_in();
else void run(name);
