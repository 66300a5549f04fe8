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
const day_s = 86_400;
/** Seconds after which messages are deleted. */
const lives: readonly [number, string][] = [
  [0, 'Never'],
  [3_600, 'After an hour'],
  [day_s, 'After a day'],
  [7 * day_s, 'After a week'],
];
/** How much is kept, in milliseconds. */
const kept: readonly [number, string][] = [
  [0, 'For ever'],
  [7 * day_s * 1_000, 'A week'],
  [30 * day_s * 1_000, '30 days'],
  [365 * day_s * 1_000, 'A year'],
];
/** How many events are kept. */
const kept_events: readonly [number, string][] = [
  [0, 'Any number'],
  [1_000, 'The newest 1,000'],
  [10_000, 'The newest 10,000'],
  [100_000, 'The newest 100,000'],
];

/** What is set stands among the options, whoever has set it. */
function with_value(
  options: readonly [number, string][],
  value: number,
): readonly [number, string][] {
  if (options.some(([one]) => one === value)) return options;
  return [...options, [value, 'As it is set now']];
}

export async function settings_dialog(client: ParleyClient, id: ConversationId): Promise<void> {
  const info = await client.info(id).catch((error: unknown) => {
    toast_error('The settings could not be loaded', error);
    return null;
  });
  if (!info) return;
  const { settings, kind } = info;
  const retention = info.role === 'owner' ? await client.retention(id).catch(() => null) : null;
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
  const life = select(
    'expiresAfter',
    with_value(lives, settings.expiresAfter),
    settings.expiresAfter,
  );
  const keep_for = retention?.keepFor ?? 0;
  const keep = select('keepFor', with_value(kept, keep_for), keep_for);
  const keep_events = retention?.keepEvents ?? 0;
  const keep_newest = select('keepEvents', with_value(kept_events, keep_events), keep_events);
  const archived = el('input', { type: 'checkbox', role: 'switch', name: 'archived' });
  archived.checked = settings.archived;
  const wanted = (): SettingsUpdate => ({
    title: title.value.trim(),
    description: description.value.trim(),
    whoSends: sends.value as Role,
    slowMode: Number(pause.value),
    expiresAfter: Number(life.value),
    join: joins.value,
    archived: archived.checked,
  });
  const store = async (): Promise<void> => {
    const changed = Object.entries(wanted()).filter(
      ([name, value]) => settings[name as keyof SettingsUpdate] !== value,
    );
    if (changed.length > 0) await client.setSettings(id, Object.fromEntries(changed));
    const [keepFor, keepEvents] = [Number(keep.value), Number(keep_newest.value)];
    if (retention && (keepFor !== keep_for || keepEvents !== keep_events))
      await client.setRetention(id, { keepFor, keepEvents });
  };
  const off = el('small', {}, 'Everything stays readable.');
  const fields = [
    field(`Name of the ${kind}`, title),
    field('What it is about', description),
    field('Who writes', sends),
    field('Between two messages of a member', pause),
    field('Who comes in', joins),
    field('New messages disappear', life, 'They are deleted for everybody.'),
    ...(retention
      ? [
          field(
            'How long messages are kept',
            keep,
            retention.hold
              ? 'The host keeps all of them for now.'
              : 'What is older is gone for everybody, within a minute.',
          ),
          field('How many are kept', keep_newest),
        ]
      : []),
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
