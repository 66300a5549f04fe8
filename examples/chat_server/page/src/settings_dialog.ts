// settings_dialog.ts: what those who manage a conversation may set of it.
import type {
  ConversationId,
  ConversationSettings,
  JoinRule,
  ParleyClient,
  Retention,
  Role,
  SettingsUpdate,
} from '@parley/client';
import { dialog, field, form, select, text_input } from './dialog.js';
import { el } from './dom.js';
import { toast_error } from './toasts.js';

const description_length = 500;
const writers: readonly [Role, string][] = [
  ['none', 'Everybody but readers'],
  ['moderator', 'Moderators and above'],
  ['admin', 'Admins and owners'],
];
const ways_in: readonly [JoinRule, string][] = [
  ['added', 'Who is added'],
  ['by_request', 'Who asks, and is let in'],
  ['open', 'Who has the link'],
];
const pauses: readonly [number, string][] = [
  [0, 'No pause'],
  [10, '10 seconds'],
  [30, '30 seconds'],
  [60, 'A minute'],
  [300, '5 minutes'],
  [3_600, 'An hour'],
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

interface Inputs {
  title: HTMLInputElement;
  description: HTMLTextAreaElement;
  sends: HTMLSelectElement;
  pause: HTMLSelectElement;
  joins: HTMLSelectElement;
  life: HTMLSelectElement;
  archived: HTMLInputElement;
}

function inputs_of(settings: ConversationSettings): Inputs {
  const title = text_input('title', 'Weekend trip');
  title.value = settings.title;
  const description = el('textarea', { name: 'description', rows: '3' });
  description.value = settings.description;
  description.maxLength = description_length;
  const sends = select('whoSends', writers, settings.whoSends);
  const pause = select('slowMode', pauses, settings.slowMode);
  const joins = select('join', ways_in, settings.join);
  const life = select(
    'expiresAfter',
    with_value(lives, settings.expiresAfter),
    settings.expiresAfter,
  );
  const archived = el('input', { type: 'checkbox', role: 'switch', name: 'archived' });
  archived.checked = settings.archived;
  return { title, description, sends, pause, joins, life, archived };
}

function wanted(inputs: Inputs): SettingsUpdate {
  return {
    title: inputs.title.value.trim(),
    description: inputs.description.value.trim(),
    whoSends: inputs.sends.value as Role,
    slowMode: Number(inputs.pause.value),
    expiresAfter: Number(inputs.life.value),
    join: inputs.joins.value,
    archived: inputs.archived.checked,
  };
}

function closed_field(archived: HTMLInputElement): HTMLElement {
  const off = el('small', {}, 'Everything stays readable.');
  return el(
    'label',
    { class: 'switch' },
    archived,
    el('span', { class: 'lines' }, el('span', {}, 'Closed: nobody writes any more'), off),
  );
}

/** How much is kept, for those who may say so. */
function retention_part(
  client: ParleyClient,
  id: ConversationId,
  { keepFor, keepEvents, hold }: Retention,
): { fields: HTMLElement[]; store: () => Promise<void> } {
  const keep = select('keepFor', with_value(kept, keepFor), keepFor);
  const newest = select('keepEvents', with_value(kept_events, keepEvents), keepEvents);
  const hint = hold
    ? 'The host keeps all of them for now.'
    : 'What is older is gone for everybody, within a minute.';
  return {
    fields: [field('How long messages are kept', keep, hint), field('How many are kept', newest)],
    store: async () => {
      const chosen = { keepFor: Number(keep.value), keepEvents: Number(newest.value) };
      if (chosen.keepFor !== keepFor || chosen.keepEvents !== keepEvents)
        await client.setRetention(id, chosen);
    },
  };
}

export async function settings_dialog(client: ParleyClient, id: ConversationId): Promise<void> {
  const info = await client.info(id).catch((error: unknown) => {
    toast_error('The settings could not be loaded', error);
    return null;
  });
  if (!info) return;
  const { settings, kind } = info;
  const retention = info.role === 'owner' ? await client.retention(id).catch(() => null) : null;
  const keeping = retention ? retention_part(client, id, retention) : null;
  const inputs = inputs_of(settings);
  const store = async (): Promise<void> => {
    const changed = Object.entries(wanted(inputs)).filter(
      ([name, value]) => settings[name as keyof SettingsUpdate] !== value,
    );
    if (changed.length > 0) await client.setSettings(id, Object.fromEntries(changed));
    await keeping?.store();
  };
  const fields = [
    field(`Name of the ${kind}`, inputs.title),
    field('What it is about', inputs.description),
    field('Who writes', inputs.sends),
    field('Between two messages of a member', inputs.pause),
    field('Who comes in', inputs.joins),
    field('New messages disappear', inputs.life, 'They are deleted for everybody.'),
    ...(keeping?.fields ?? []),
    closed_field(inputs.archived),
  ];
  const window_ = dialog(
    'Settings',
    form(client, 'Save', fields, store, (_, one) => one.close()),
  );
  window_.classList.add('tall');
  inputs.title.select();
}
