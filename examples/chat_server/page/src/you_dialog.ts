// you_dialog.ts: how others see this user, what they may know, and the user's devices.
import type { Device, ParleyClient, PresenceState, UserSettings } from '@parley/client';
import type { Blocks } from './blocks.js';
import { confirm_dialog, dialog, field, form, text_input } from './dialog.js';
import { is_default_name } from './device_name.js';
import { el, icon_button, reconcile } from './dom.js';
import { last_seen, until_time } from './format.js';
import { toast_error } from './toasts.js';

type Shown = Exclude<PresenceState, 'offline'>;

const hour_ms = 3_600_000;
const status_length = 80;
/** The engine tells a change of one's own within a second. */
const told_within_ms = 2_000;
const words: Record<Shown, string> = {
  online: 'Online',
  away: 'Away',
  busy: 'Busy',
  invisible: 'Invisible',
};
const durations = [
  ['Until I change it', 0],
  ['For an hour', hour_ms],
  ['For eight hours', 8 * hour_ms],
] as const;

function presence_buttons(now: Shown, choose: (state: Shown) => void): HTMLElement {
  const group = el('div', { class: 'tabs', role: 'radiogroup', 'aria-label': 'You are' });
  for (const state of ['online', 'away', 'busy', 'invisible'] as const) {
    const button = el(
      'button',
      {
        type: 'button',
        role: 'radio',
        'aria-checked': String(state === now),
        'data-state': state,
        on: {
          click: () => {
            choose(state);
            for (const one of group.children)
              one.setAttribute('aria-checked', String(one === button));
          },
        },
      },
      el('span', { class: `dot ${state}` }),
      words[state],
    );
    group.append(button);
  }
  return group;
}

/** Says when another window of this user makes others see something else than this one says. */
function seen_note(client: ParleyClient, own: () => Shown, seen: () => PresenceState) {
  const element = el('p', { class: 'subtitle wrap seen-as', hidden: true });
  const draw = (): void => {
    const state = seen();
    element.hidden = state === own() || state === 'offline';
    const shown = state === 'invisible' ? 'offline' : state;
    element.textContent = `Others see you ${shown}: another window of yours says ${state}.`;
  };
  draw();
  return { element, draw, off: client.on('presence', draw) };
}

function status_form(client: ParleyClient, settings: UserSettings): HTMLElement {
  const status = text_input('status', 'In a meeting', false);
  status.value = settings.status;
  status.maxLength = status_length;
  const until = el('select', { name: 'until', 'aria-label': 'For how long' });
  for (const [label, ms] of durations) until.append(el('option', { value: String(ms) }, label));
  const hint = settings.statusUntil > 0 ? `It is shown ${until_time(settings.statusUntil)}.` : '';
  const store = (): Promise<UserSettings> => {
    const ms = Number(until.value);
    return client.setUser({
      status: status.value.trim(),
      statusUntil: ms === 0 ? 0 : Date.now() + ms,
    });
  };
  const element = form(
    client,
    'Set',
    [field('Status', status, hint), until],
    store,
    () => undefined,
  );
  element.classList.add('status-form');
  return element;
}

function switch_line(
  name: string,
  label: string,
  hint: string,
  on: boolean,
  set: (on: boolean) => Promise<unknown>,
): HTMLElement {
  const input = el('input', { type: 'checkbox', role: 'switch', checked: on, name });
  input.addEventListener('change', () => {
    set(input.checked).catch((error: unknown) => {
      input.checked = !input.checked;
      toast_error('Not changed', error);
    });
  });
  return el(
    'label',
    { class: 'switch' },
    input,
    el('span', { class: 'lines' }, el('span', {}, label), el('small', {}, hint)),
  );
}

/** Watches them until the window closes. */
function device_list(client: ParleyClient): { element: HTMLElement; off: () => void } {
  const element = el('ul', { class: 'members devices', 'aria-label': 'Your devices' });
  const line = (device: Device): HTMLElement => {
    const name = is_default_name(device.name) ? 'A window without a name' : device.name;
    const state = device.current
      ? 'this window'
      : device.online
        ? 'online'
        : last_seen(device.lastSeen);
    const revoke = (): void =>
      confirm_dialog(
        'Sign this device out?',
        `${name} is refused from now on.`,
        'Sign it out',
        () => {
          client
            .revokeDevice(device.id)
            .catch((error: unknown) => toast_error('The device stays', error));
        },
        'danger',
      );
    return el(
      'li',
      {},
      el(
        'span',
        { class: 'lines' },
        el('span', { class: 'title' }, name),
        el('span', { class: 'subtitle' }, state),
      ),
      device.current || device.id === '' ? null : icon_button('leave', `Sign out: ${name}`, revoke),
    );
  };
  const draw = (devices: readonly Device[]): void => {
    const sorted = [...devices].sort(
      (a, b) => Number(b.current) - Number(a.current) || b.lastSeen - a.lastSeen,
    );
    reconcile(
      element,
      sorted.map((device, at) => ({
        key: device.id || `ephemeral ${at}`,
        signature: JSON.stringify(device),
        build: () => line(device),
      })),
    );
  };
  client
    .devices()
    .then(draw)
    .catch((error: unknown) => toast_error('The devices could not be loaded', error));
  return { element, off: client.on('devices', draw) };
}

export function you_dialog(
  client: ParleyClient,
  blocks: Blocks,
  now: Shown,
  /** What all windows together make others see. */
  seen: () => PresenceState,
  choose: (state: Shown) => void,
): void {
  const settings = client.settings;
  if (!settings) return;
  let own = now;
  const note = seen_note(client, () => own, seen);
  const chosen = (state: Shown): void => {
    own = state;
    choose(state);
    note.element.hidden = true;
    setTimeout(note.draw, told_within_ms);
  };
  const devices = device_list(client);
  const blocked = el('div', { class: 'blocked' });
  const draw_blocked = (): void => {
    const list = blocks.list();
    blocked.replaceChildren(...(list ? [el('h3', {}, 'Whom you block'), list] : []));
    blocked.hidden = list === null;
  };
  draw_blocked();
  const window_ = dialog(
    'You',
    presence_buttons(now, chosen),
    note.element,
    status_form(client, settings),
    switch_line(
      'hideReads',
      'Hide what I read',
      'Then you do not see either what others have read.',
      settings.hideReads,
      (hideReads) => client.setUser({ hideReads }),
    ),
    switch_line(
      'hideLastSeen',
      'Hide when I was last here',
      '',
      settings.hideLastSeen,
      (hideLastSeen) => client.setUser({ hideLastSeen }),
    ),
    blocked,
    el('h3', {}, 'Your devices'),
    devices.element,
  );
  window_.classList.add('about-you');
  const offs = [note.off, devices.off, blocks.on_change(draw_blocked), client.on('names', draw_blocked)];
  window_.addEventListener('close', () => offs.forEach((off) => off()));
}
