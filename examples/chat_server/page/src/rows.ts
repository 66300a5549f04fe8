// rows.ts: one row of the message view as an element.
import type { Seq } from '@parley/client';
import { el, icon, rich_text } from './dom.js';
import { avatar, day_name, sender_color, then_at, time_of_day } from './format.js';
import { find_mentions } from './mentions.js';
import type { PollRow } from './polls.js';
import type { ReactionChip } from './reactions.js';
import type { ThreadNote } from './threads.js';
import type { AttachedFile, MessageRow, Quote, Row, Tick } from './timeline.js';

export interface RowActions {
  retry: (local: string) => void;
  discard: (local: string) => void;
  react: (seq: Seq, key: string) => void;
  /** Somebody looks at a reaction: who is it? */
  look: (seq: Seq, key: string) => void;
  go_to: (seq: Seq) => void;
  /** All of a long message. */
  unfold: (key: string) => void;
  /** An option of a poll: chosen, or taken back. */
  vote: (seq: Seq, option: number) => void;
  voters: (seq: Seq) => void;
  /** The thread of a message. */
  open_thread: (root: Seq) => void;
}

const tick_icons = {
  pending: ['clock', 'Not sent yet'],
  sent: ['check', 'Sent'],
  delivered: ['checks', 'Delivered'],
  read: ['checks', 'Read'],
  failed: ['alert', 'Not sent'],
} as const;

function tick_mark(tick: Tick): HTMLElement | null {
  if (tick === 'none') return null;
  const [name, label] = tick_icons[tick];
  return el('span', { class: `tick tick-${tick}`, title: label }, icon(name, label));
}

function quote_line(quote: Quote, go_to: (seq: Seq) => void): HTMLElement {
  return el(
    'button',
    {
      type: 'button',
      class: 'quote',
      title: 'Go to this message',
      'data-focus': 'quote',
      on: { click: () => go_to(quote.seq) },
    },
    el('span', { class: 'title' }, quote.name),
    el('span', { class: 'quote-text', dir: 'auto' }, quote.text),
  );
}

function reaction_chip(seq: Seq, chip: ReactionChip, actions: RowActions): HTMLElement {
  const look = (): void => actions.look(seq, chip.key);
  return el(
    'button',
    {
      type: 'button',
      class: 'reaction',
      title: chip.title,
      'aria-pressed': String(chip.mine),
      'aria-label': chip.title,
      'data-focus': `reaction ${chip.key}`,
      on: {
        click: () => actions.react(seq, chip.key),
        pointerenter: look,
        focus: look,
      },
    },
    el('span', { class: 'key' }, chip.key),
    el('span', { class: 'count' }, String(chip.count)),
  );
}

/** The text with its links, and the names of people in it marked. */
function text_nodes(row: MessageRow): Node[] {
  const nodes: Node[] = [];
  let at = 0;
  for (const { at: start, name } of find_mentions(row.text, row.named)) {
    const end = start + name.length + 1;
    nodes.push(...rich_text(row.text.slice(at, start)));
    nodes.push(el('span', { class: 'mention' }, row.text.slice(start, end)));
    at = end;
  }
  return [...nodes, ...rich_text(row.text.slice(at))];
}

function attachment({ name, detail }: AttachedFile): HTMLElement {
  return el(
    'div',
    { class: 'attachment' },
    icon('file'),
    el(
      'span',
      { class: 'lines' },
      el('span', { class: 'title', dir: 'auto' }, name),
      el('span', { class: 'subtitle' }, detail),
    ),
  );
}

function poll_box(seq: Seq, poll: PollRow, actions: RowActions): HTMLElement {
  const option = ({ text, votes, mine }: PollRow['options'][number], at: number): HTMLElement => {
    const bar = el('span', { class: 'poll-bar' });
    bar.style.width = `${Math.round((100 * votes) / Math.max(1, poll.voters))}%`;
    return el(
      'button',
      {
        type: 'button',
        class: 'poll-option',
        disabled: poll.closed,
        'aria-pressed': String(mine),
        'data-focus': `option ${at}`,
        on: { click: () => actions.vote(seq, at) },
      },
      bar,
      icon(mine ? 'check' : poll.multiple ? 'box' : 'circle'),
      el('span', { class: 'poll-text', dir: 'auto' }, text),
      el('span', { class: 'count' }, String(votes)),
    );
  };
  const look = { type: 'button', class: 'link', on: { click: () => actions.voters(seq) } };
  return el(
    'div',
    { class: 'poll', role: 'group', 'aria-label': 'Poll' },
    ...poll.options.map(option),
    el(
      'div',
      { class: 'poll-words' },
      poll.words,
      poll.anonymous || poll.voters === 0 ? null : el('button', look, 'Who'),
    ),
  );
}

function thread_chip(seq: Seq, { replies, unread }: ThreadNote, actions: RowActions): HTMLElement {
  return el(
    'button',
    {
      type: 'button',
      class: `thread-chip${unread > 0 ? ' unread' : ''}`,
      'data-focus': 'thread',
      on: { click: () => actions.open_thread(seq) },
    },
    icon('thread'),
    `${replies} ${replies === 1 ? 'reply' : 'replies'}`,
    unread > 0 ? el('span', { class: 'badge' }, `${unread} new`) : null,
  );
}

function meta(row: MessageRow): HTMLElement {
  if (row.growing) return el('span', { class: 'meta' }, 'writing…');
  const when = row.edited > 0 ? `Edited ${day_name(row.edited)}, ${time_of_day(row.edited)}` : '';
  return el(
    'span',
    { class: 'meta' },
    row.pinned ? el('span', { class: 'pinned', title: 'Pinned' }, icon('pin', 'Pinned')) : null,
    row.expires > 0
      ? el(
          'span',
          { class: 'pinned', title: `It disappears ${then_at(row.expires)}` },
          icon('hourglass', 'It disappears'),
        )
      : null,
    row.edited > 0 ? el('span', { class: 'edited', title: when }, 'edited') : null,
    el('time', {}, time_of_day(row.time)),
    tick_mark(row.tick),
  );
}

function message(row: MessageRow, actions: RowActions): HTMLElement {
  const classes = ['row', 'message', row.own ? 'own' : 'other'];
  if (row.first) classes.push('first');
  if (row.last) classes.push('last');
  if (row.tick === 'failed') classes.push('failed');
  if (row.deleted) classes.push('deleted');
  if (row.names_me) classes.push('names-me');
  if (row.growing) classes.push('growing');
  const bubble = el('div', { class: 'bubble' });
  if (row.name !== '' && row.first) {
    bubble.append(sender_color(el('div', { class: 'sender' }, row.name), row.name));
  }
  if (row.forwarded_from !== '')
    bubble.append(
      el('div', { class: 'forwarded' }, icon('forward'), `Forwarded from ${row.forwarded_from}`),
    );
  if (row.quote) bubble.append(quote_line(row.quote, actions.go_to));
  bubble.append(...row.attachments.map(attachment));
  bubble.append(
    row.deleted
      ? el('span', { class: 'tombstone' }, 'This message was deleted')
      : el('span', { class: 'text', dir: 'auto' }, ...text_nodes(row)),
  );
  if (row.poll) bubble.append(poll_box(row.seq, row.poll, actions));
  if (row.folded > 0) {
    const unfold = (): void => actions.unfold(row.key);
    const label = `Show all (${row.folded.toLocaleString()} more characters)`;
    bubble.append(
      el('button', { type: 'button', class: 'link unfold', on: { click: unfold } }, label),
    );
  }
  bubble.append(meta(row));
  const face =
    row.name === ''
      ? null
      : el('div', { class: 'face' }, row.last ? avatar(row.name, 'direct') : null);
  const column = el('div', { class: 'column' }, bubble);
  if (row.reactions.length > 0) {
    const chips = row.reactions.map((chip) => reaction_chip(row.seq, chip, actions));
    column.append(el('div', { class: 'reactions' }, ...chips));
  }
  if (row.thread) column.append(thread_chip(row.seq, row.thread, actions));
  if (row.renumbered) {
    column.append(
      el('div', { class: 'note' }, 'This device was restored: the message may stand here twice.'),
    );
  }
  if (row.local !== '') {
    column.append(
      el(
        'div',
        { class: 'note problem' },
        `Not sent: ${row.problem} `,
        el(
          'button',
          { type: 'button', class: 'link', on: { click: () => actions.retry(row.local) } },
          'Try again',
        ),
        el(
          'button',
          { type: 'button', class: 'link', on: { click: () => actions.discard(row.local) } },
          'Discard',
        ),
      ),
    );
  }
  const element = el('div', { class: classes.join(' '), tabindex: '-1' }, face, column);
  if (row.seq > 0) element.dataset['seq'] = String(row.seq);
  return element;
}

export function row_element(row: Row, actions: RowActions): HTMLElement {
  switch (row.kind) {
    case 'day':
      return el('div', { class: 'row day', role: 'separator' }, el('span', {}, row.text));
    case 'system':
      return el('div', { class: 'row system' }, row.text);
    case 'new':
      return el('div', { class: 'row new', role: 'separator' }, el('span', {}, row.text));
    case 'typing':
      return el(
        'div',
        { class: 'row typing', 'aria-label': row.text },
        el('span', { class: 'dots', 'aria-hidden': 'true' }, el('i'), el('i'), el('i')),
        el('span', {}, row.text),
      );
    case 'message':
      return message(row, actions);
  }
}
