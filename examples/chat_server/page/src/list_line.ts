// list_line.ts: one line of the conversation list: what it says, and how it looks.
import type {
  ConversationId,
  ConversationView,
  ParleyClient,
  PresenceState,
  UserId,
} from '@parley/client';
import { el, icon, icon_button, type Keyed } from './dom.js';
import { avatar, conversation_title, list_time, preview, snippet, user_name } from './format.js';
import { is_muted, is_unread } from './list_menu.js';

interface Line {
  id: ConversationId;
  kind: string;
  /** Under its space. */
  inside: boolean;
  title: string;
  time: string;
  text: string;
  /** What the text is. */
  tone: 'plain' | 'typing' | 'draft';
  unread: number;
  marked: boolean;
  /** Unread messages that name this user. */
  mentions: number;
  muted: boolean;
  pinned: boolean;
  /** The newest message waits; one of them will never go. */
  pending: boolean;
  failed: boolean;
  /** null: not one person. */
  presence: PresenceState | null;
  current: boolean;
}

export interface LineActions {
  open: (id: ConversationId) => void;
  /** `button`: where the menu is to be. */
  menu: (row: HTMLElement, button: HTMLElement) => void;
}

/** `typist`: who is writing there now; null: nobody. */
function line_of(
  client: ParleyClient,
  view: ConversationView,
  typist: UserId | null,
  current: boolean,
  inside: boolean,
): Line {
  const { conversation: id, kind, unread, pinned, markedUnread: marked, draft } = view;
  const outbox = client.outbox(id);
  const unsent = outbox.at(-1) ?? null;
  // Of the one that is open the composer shows it.
  const drafts = draft !== '' && !unsent && !current;
  const tone = typist !== null ? 'typing' : drafts ? 'draft' : 'plain';
  const typing =
    kind === 'direct' ? 'typing…' : `${typist ? user_name(client, typist) : ''} is typing…`;
  return {
    id,
    kind,
    inside,
    title: conversation_title(client, view),
    time: list_time(unsent?.createdAt ?? view.lastActivity),
    text: {
      typing,
      draft: `Draft: ${snippet({ text: draft, data: '', deleted: false })}`,
      plain: preview(client, view, unsent),
    }[tone],
    tone,
    unread,
    marked,
    mentions: view.mentions,
    muted: is_muted(view),
    pinned,
    pending: unsent?.state === 'pending' && tone === 'plain',
    failed: outbox.some((item) => item.state === 'failed'),
    presence: kind === 'direct' ? (client.presence(view.peer)?.state ?? 'offline') : null,
    current,
  };
}

function badges({ failed, unread, marked, mentions }: Line): (HTMLElement | null)[] {
  const mark = { class: 'badge mark', role: 'img', 'aria-label': 'Marked as unread' };
  const count = { class: 'badge', 'aria-label': `${unread} unread` };
  const named = { class: 'badge named', role: 'img', 'aria-label': 'Somebody named you' };
  return [
    failed ? el('span', { class: 'badge failed', title: 'A message was not sent' }, '!') : null,
    mentions > 0 ? el('span', named, '@') : null,
    unread > 0
      ? el('span', count, unread > 99 ? '99+' : String(unread))
      : marked
        ? el('span', mark)
        : null,
  ];
}

function line_element(line: Line, actions: LineActions): HTMLElement {
  const classes = ['conversation'];
  if (line.current) classes.push('current');
  if (line.inside) classes.push('inside');
  if (line.unread > 0 || line.marked) classes.push('unread');
  if (line.muted) classes.push('is-muted');
  const upper = el(
    'span',
    { class: 'line' },
    el('span', { class: 'title', dir: 'auto' }, line.title),
    line.muted ? icon('muted', 'Muted') : null,
    line.pinned ? icon('pin', 'Pinned') : null,
    el('time', {}, line.time),
  );
  const lower = el(
    'span',
    { class: 'line' },
    line.pending ? icon('clock', 'Not sent yet') : null,
    el('span', { class: `preview ${line.tone}`, dir: 'auto' }, line.text),
    ...badges(line),
  );
  const open = el(
    'button',
    {
      type: 'button',
      class: classes.join(' '),
      'aria-current': line.current ? 'true' : null,
      'data-focus': 'row',
      on: { click: () => actions.open(line.id) },
    },
    avatar(line.title, line.kind, line.presence),
    el('span', { class: 'lines' }, upper, lower),
  );
  const more = icon_button(
    'more',
    `Options of ${line.title}`,
    () => actions.menu(more.closest('li')!, more),
    'row-menu',
  );
  more.setAttribute('aria-haspopup', 'menu');
  more.dataset['focus'] = 'menu';
  more.tabIndex = -1; // ArrowRight leads to it
  return el('li', {}, open, more);
}

export function list_line(
  client: ParleyClient,
  view: ConversationView,
  typist: UserId | null,
  current: boolean,
  actions: LineActions,
  inside: boolean,
): Keyed {
  const line = line_of(client, view, typist, current, inside);
  return {
    key: line.id,
    signature: JSON.stringify(line),
    build: () => line_element(line, actions),
  };
}

/** The channels of a space come after it, whenever something happened there. */
export function under_spaces(views: readonly ConversationView[]): ConversationView[] {
  const spaces = new Set(views.filter((view) => view.kind === 'space').map(id_of));
  const inside = (view: ConversationView): boolean => spaces.has(view.space);
  return views
    .filter((view) => !inside(view))
    .flatMap((view) => [view, ...views.filter((one) => one.space === id_of(view))]);
}

function id_of(view: ConversationView): ConversationId {
  return view.conversation;
}

/** The line that shows and hides the archived ones. */
export function archive_line(count: number, open: boolean, toggle: () => void): Keyed {
  const attributes = {
    type: 'button',
    class: 'archived-line',
    'aria-expanded': String(open),
    'data-focus': 'row',
    on: { click: toggle },
  };
  return {
    key: 'archived',
    signature: JSON.stringify([count, open]),
    build: () =>
      el(
        'li',
        {},
        el(
          'button',
          attributes,
          icon('archive'),
          el('span', { class: 'title' }, 'Archived'),
          el('span', { class: 'count' }, String(count)),
          icon('down'),
        ),
      ),
  };
}

/** How many conversations ask for attention. */
export function attention(views: readonly ConversationView[]): number {
  return views.filter((view) => is_unread(view) && !is_muted(view) && !view.archived).length;
}
