// restrictions.ts: who is muted or banned in a conversation, and how that ends.
import type {
  ConversationView,
  ParleyClient,
  Restriction,
  RestrictionKind,
  UserId,
} from '@parley/client';
import { dialog, field, form, select, text_input } from './dialog.js';
import { el } from './dom.js';
import { avatar, until_time, user_name } from './format.js';
import { toast_error } from './toasts.js';

const hour_ms = 3_600_000;
const durations: readonly [number, string][] = [
  [hour_ms, 'An hour'],
  [24 * hour_ms, 'A day'],
  [7 * 24 * hour_ms, 'A week'],
  [0, 'Until it is lifted'],
];
const words = {
  mute: { verb: 'Mute', done: 'Muted', note: 'They read on, and may not write' },
  ban: { verb: 'Ban', done: 'Banned', note: 'They are removed, and cannot come back' },
} as const;

/** Asks for how long, and why. */
export function restrict_dialog(
  client: ParleyClient,
  { conversation }: ConversationView,
  user: UserId,
  kind: RestrictionKind,
  done: () => void,
): void {
  const { verb, note } = words[kind];
  const length = select('for', durations, hour_ms);
  const hint = el('small', {});
  const tell = (): void => {
    hint.textContent = length.value === '0' ? `${note}.` : `${note} until then.`;
  };
  length.addEventListener('change', tell);
  tell();
  const how_long = field('For how long', length);
  how_long.append(hint);
  const reason = text_input('reason', 'Spam', false);
  const asking = form(
    client,
    verb,
    [how_long, field('Why (everybody sees it)', reason)],
    async () => {
      const ms = Number(length.value);
      const until = ms === 0 ? 0 : Date.now() + ms;
      await client.restrict(conversation, user, kind, { until, reason: reason.value.trim() });
    },
    (_, window_) => {
      window_.close();
      done();
    },
  );
  if (kind === 'ban') asking.querySelector('.button')!.classList.add('danger', 'filled');
  dialog(`${verb} ${user_name(client, user)}`, asking);
}

export function restrictions_dialog(
  client: ParleyClient,
  { conversation: id }: ConversationView,
): void {
  const content = el('div', { class: 'restrictions' });
  const line = (kind: RestrictionKind, one: Restriction): HTMLElement => {
    const name = user_name(client, one.user);
    const until = one.until === 0 ? 'without end' : until_time(one.until);
    const lift = (): void => {
      client
        .lift(id, one.user, kind)
        .then(load)
        .catch((error: unknown) => toast_error('Not lifted', error));
    };
    return el(
      'li',
      {},
      avatar(name, 'direct'),
      el(
        'span',
        { class: 'lines' },
        el('span', { class: 'title' }, name),
        el(
          'span',
          { class: 'subtitle', dir: 'auto' },
          one.reason === '' ? until : `${until} · ${one.reason}`,
        ),
      ),
      el('button', { type: 'button', class: 'button quiet', on: { click: lift } }, 'Lift'),
    );
  };
  const load = async (): Promise<void> => {
    try {
      const parts: Node[] = [];
      for (const kind of ['mute', 'ban'] as const) {
        const page = await client.restrictions(id, kind);
        if (page.users.length === 0) continue;
        parts.push(
          el('h3', {}, words[kind].done),
          el('ul', { class: 'members' }, ...page.users.map((one) => line(kind, one))),
        );
      }
      if (parts.length === 0)
        parts.push(el('p', { class: 'subtitle wrap' }, 'Nobody is muted or banned here.'));
      content.replaceChildren(...parts);
    } catch (error) {
      toast_error('Not loaded', error);
    }
  };
  const window_ = dialog('Muted and banned', content);
  const off = client.on('names', () => void load());
  window_.addEventListener('close', off);
  void load();
}
