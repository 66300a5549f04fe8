// settings_dialog.ts: what those who manage a conversation may set of it.
import type { ConversationId, ParleyClient, Role, SettingsUpdate } from '@parley/client';
import { dialog, field, form, select, text_input } from './dialog.js';
import { el } from './dom.js';
import { toast_error } from './toasts.js';

const description_length = 500;
const writers: readonly [Role, string][] = [
  ['none', 'Everybody but readers'],
  ['moderator', 'Moderators and above'],
  ['admin', 'Admins and owners'],
];
const pauses: readonly [number, string][] = [
  [0, 'No pause'],
  [10, '10 seconds'],
  [30, '30 seconds'],
  [60, 'a minute'],
  [300, '5 minutes'],
  [3_600, 'an hour'],
];

export async function settings_dialog(client: ParleyClient, id: ConversationId): Promise<void> {
  const info = await client.info(id).catch((error: unknown) => {
    toast_error('The settings could not be loaded', error);
    return null;
  });
  if (!info) return;
  const { settings, kind } = info;
  const title = text_input('title', 'Weekend trip');
  title.value = settings.title;
  const description = el('textarea', { name: 'description', rows: '3' });
  description.value = settings.description;
  description.maxLength = description_length;
  const sends = select('whoSends', writers, settings.whoSends);
  const pause = select('slowMode', pauses, settings.slowMode);
  const joins = select(
    'join',
    [
      ['added', 'Who is added'],
      ['by_request', 'Who asks, and is let in'],
      ['open', 'Who has the link'],
    ],
    settings.join,
  );
  const archived = el('input', { type: 'checkbox', role: 'switch', name: 'archived' });
  archived.checked = settings.archived;
  const wanted = (): SettingsUpdate => ({
    title: title.value.trim(),
    description: description.value.trim(),
    whoSends: sends.value as Role,
    slowMode: Number(pause.value),
    join: joins.value,
    archived: archived.checked,
  });
  const store = async (): Promise<void> => {
    const changed = Object.entries(wanted()).filter(
      ([name, value]) => settings[name as keyof SettingsUpdate] !== value,
    );
    if (changed.length > 0) await client.setSettings(id, Object.fromEntries(changed));
  };
  const off = el('small', {}, 'Everything stays readable.');
  const fields = [
    field(`Name of the ${kind}`, title),
    field('What it is about', description),
    field('Who writes', sends),
    field('Between two messages of a member', pause),
    field('Who comes in', joins),
    el(
      'label',
      { class: 'switch' },
      archived,
      el('span', { class: 'lines' }, el('span', {}, 'Closed: nobody writes any more'), off),
    ),
  ];
  const window_ = dialog(
    'Settings',
    form(client, 'Save', fields, store, (_, one) => one.close()),
  );
  window_.classList.add('tall');
  title.select();
}
