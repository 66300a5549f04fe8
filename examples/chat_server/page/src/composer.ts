// composer.ts: where one writes: a message, an answer to one, or a message of one's own anew.
import type {
  ConversationId,
  Message,
  ParleyClient,
  PollDraft,
  SendOptions,
  Seq,
} from '@parley/client';
import { el, icon, icon_button } from './dom.js';
import { Drafts } from './drafts.js';
import { snippet } from './format.js';
import { MentionPicker, mentions_in, type Person } from './mentions.js';
import { open_menu } from './menu.js';
import { poll_dialog } from './polls.js';
import { later_dialog } from './scheduled.js';
import { in_words, not_connected } from './words.js';

const hour_ms = 3_600_000;
/** After how long a message may disappear. */
const lives: readonly [number, string][] = [
  [hour_ms, 'an hour'],
  [24 * hour_ms, 'a day'],
  [7 * 24 * hour_ms, 'a week'],
];

type Mode =
  { kind: 'write' } | { kind: 'reply'; seq: Seq } | { kind: 'edit'; seq: Seq; before: string };

export interface ComposerActions {
  send: (text: string, options: SendOptions) => void;
  save: (seq: Seq, text: string) => Promise<void>;
  /** An edit left nothing. */
  remove: (seq: Seq) => void;
  /** The message that ArrowUp edits. */
  last_own: () => Message | null;
  typing: (on: boolean) => void;
  /** To be sent later: rejects when it cannot be stored. */
  later: (text: string, reply_to: Seq, at: number) => Promise<void>;
  poll: (question: string, poll: PollDraft) => void;
  /** Who may be named. */
  people: () => readonly Person[];
  /** Looks for more of them: `people_changed` is called when they are there. */
  find_people: (begun: string) => void;
  /** Whether one may name everybody at once. */
  may_name_all: () => boolean;
}

export class Composer {
  readonly element: HTMLFormElement;
  private readonly strip_ = el('div', { class: 'strip', hidden: true });
  private readonly life_ = icon_button('hourglass', '', () => this.ask_life(), 'later');
  private readonly later_ = icon_button('clock', 'Send later', () => this.ask_later(), 'later');
  private readonly poll_ = icon_button('poll', 'Ask in a poll', () => this.ask_poll(), 'later');
  private readonly barred_ = el('p', { class: 'barred', hidden: true });
  private readonly line_: HTMLElement;
  private readonly problem_ = el('p', { class: 'problem', role: 'alert', hidden: true });
  private readonly input_ = el('textarea', {
    rows: '1',
    placeholder: 'Write a message',
    'aria-label': 'Message',
    enterkeyhint: 'send',
    autocomplete: 'off',
  });
  private readonly button_ = el(
    'button',
    { type: 'submit', class: 'send', 'aria-label': 'Send', title: 'Send' },
    icon('send'),
  );
  private readonly drafts_: Drafts;
  private readonly names_: MentionPicker;
  private id_: ConversationId | null = null;
  private mode_: Mode = { kind: 'write' };
  private saving_ = false;
  /** When the message that is being written disappears, in milliseconds; 0: it stays. */
  private expires_after_ = 0;

  constructor(
    private readonly client_: ParleyClient,
    private readonly actions_: ComposerActions,
  ) {
    const buttons = [this.poll_, this.life_, this.later_, this.button_];
    this.line_ = el('div', { class: 'line' }, this.input_, ...buttons);
    this.expire_after(0);
    const { people, find_people, may_name_all } = actions_;
    const written = (): void => this.written();
    this.names_ = new MentionPicker(this.input_, people, find_people, may_name_all, written);
    const parts = [this.names_.element, this.strip_, this.problem_, this.barred_, this.line_];
    this.element = el('form', { class: 'composer' }, ...parts);
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      this.submit();
    });
    this.input_.addEventListener('keydown', (event) => this.key(event));
    this.input_.addEventListener('input', () => this.written());
    this.drafts_ = new Drafts(client_, (id) => {
      if (id === this.id_ && this.mode_.kind !== 'edit') this.show_draft();
    });
  }

  private written(): void {
    this.grow();
    this.problem_.hidden = true;
    if (this.mode_.kind === 'edit' || this.id_ === null) return;
    this.actions_.typing(this.input_.value.trim() !== '');
    this.drafts_.write(this.id_, this.input_.value);
  }

  show(id: ConversationId): void {
    this.id_ = id;
    this.show_draft();
  }

  hide(): void {
    this.cancel();
    this.expire_after(0);
    if (this.id_ !== null) this.drafts_.tell(this.id_);
    this.id_ = null;
  }

  private show_draft(): void {
    this.input_.value = this.id_ === null ? '' : this.drafts_.text(this.id_);
    this.grow();
  }

  people_changed(): void {
    this.names_.refresh();
  }

  focus(): void {
    this.input_.focus();
  }

  /** Why one may not write here; '' when one may. */
  bar(why: string): void {
    if (this.barred_.textContent === why && this.barred_.hidden === (why === '')) return;
    this.barred_.textContent = why;
    this.barred_.hidden = why === '';
    this.line_.hidden = why !== '';
    if (why !== '') this.cancel();
    this.grow();
  }

  /** Puts a text back that could not be sent, unless something else was begun. */
  restore(id: ConversationId, text: string): void {
    if (this.drafts_.text(id) !== '') return;
    this.drafts_.write(id, text);
    if (id === this.id_ && this.mode_.kind !== 'edit') this.show_draft();
  }

  reply(message: Message, name: string): void {
    this.cancel();
    this.mode_ = { kind: 'reply', seq: message.seq };
    this.grow();
    this.show_strip('reply', `Reply to ${name}`, snippet(message));
    this.focus();
  }

  edit(message: Message): void {
    this.cancel();
    const { seq, text } = message;
    this.mode_ = { kind: 'edit', seq, before: text };
    this.show_strip('pencil', 'Edit your message', snippet(message));
    this.element.classList.add('editing');
    this.button_.title = 'Save';
    this.button_.setAttribute('aria-label', 'Save');
    this.input_.setAttribute('aria-label', 'New text of your message');
    this.button_.replaceChildren(icon('check'));
    this.input_.value = text;
    this.grow();
    this.focus();
    this.input_.setSelectionRange(text.length, text.length);
  }

  /** The message is gone: nothing is left to answer or edit. */
  gone(seq: Seq): void {
    if (this.mode_.kind !== 'write' && this.mode_.seq === seq) this.cancel();
  }

  /** Back to writing; a draft from before an edit returns. */
  private cancel(): void {
    const mode = this.mode_;
    this.mode_ = { kind: 'write' };
    this.strip_.hidden = true;
    this.problem_.hidden = true;
    if (mode.kind !== 'edit') return;
    this.element.classList.remove('editing');
    this.button_.title = 'Send';
    this.button_.setAttribute('aria-label', 'Send');
    this.input_.setAttribute('aria-label', 'Message');
    this.button_.replaceChildren(icon('send'));
    this.show_draft();
  }

  private show_strip(name: 'reply' | 'pencil', title: string, text: string): void {
    const close = icon_button('close', 'Cancel (Escape)', () => {
      this.cancel();
      this.focus();
    });
    this.strip_.replaceChildren(
      icon(name),
      el(
        'span',
        { class: 'lines' },
        el('span', { class: 'title' }, title),
        el('span', { class: 'subtitle', dir: 'auto' }, text),
      ),
      close,
    );
    this.strip_.hidden = false;
  }

  private key(event: KeyboardEvent): void {
    if (event.isComposing || this.names_.key(event)) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      this.submit();
    } else if (event.key === 'Escape' && this.mode_.kind !== 'write') {
      event.preventDefault();
      this.cancel();
    } else if (event.key === 'ArrowUp' && this.mode_.kind === 'write' && this.input_.value === '') {
      const last = this.actions_.last_own();
      if (!last) return;
      event.preventDefault();
      this.edit(last);
    }
  }

  private submit(): void {
    const text = this.input_.value.trim();
    if (this.id_ === null || this.saving_) return;
    if (this.mode_.kind === 'edit') return this.save(this.mode_, text);
    if (text === '') return;
    const options: SendOptions = {
      replyTo: this.mode_.kind === 'reply' ? this.mode_.seq : 0,
      ...mentions_in(text, this.actions_.people()),
      ...(this.expires_after_ > 0 ? { expiresAfter: this.expires_after_ } : {}),
    };
    this.cancel();
    this.expire_after(0);
    this.drafts_.write(this.id_, '');
    this.drafts_.tell(this.id_);
    this.show_draft();
    this.focus();
    this.actions_.send(text, options);
  }

  private ask_later(): void {
    const id = this.id_;
    const text = this.input_.value.trim();
    if (id === null || text === '') return;
    const reply_to = this.mode_.kind === 'reply' ? this.mode_.seq : 0;
    later_dialog(this.client_, async (at) => {
      await this.actions_.later(text, reply_to, at);
      this.drafts_.write(id, '');
      this.drafts_.tell(id);
      if (id !== this.id_) return;
      this.cancel();
      this.show_draft();
    });
  }

  private ask_life(): void {
    const items = lives.map(([life, span]) => ({
      name: `expire-${life}`,
      icon: 'hourglass' as const,
      label: `Disappears after ${span}`,
      run: () => this.expire_after(life),
    }));
    const run = (): void => this.expire_after(0);
    if (this.expires_after_ > 0)
      items.push({ name: 'expire-0', icon: 'hourglass', label: 'Stays', run });
    const { left, top } = this.life_.getBoundingClientRect();
    const room = 46 * items.length + 20;
    const at = { x: left, y: top - room };
    open_menu(items, 'Disappearing message', at, () => this.input_);
  }

  private expire_after(life: number): void {
    this.expires_after_ = life;
    const span = lives.find(([one]) => one === life)?.[1];
    const title = span ? `It disappears after ${span}` : 'Let it disappear';
    this.life_.title = title;
    this.life_.setAttribute('aria-label', title);
    this.life_.setAttribute('aria-pressed', String(life > 0));
  }

  private ask_poll(): void {
    const id = this.id_;
    poll_dialog(this.client_, (question, poll) => {
      if (id === this.id_) this.actions_.poll(question, poll);
    });
  }

  private save(mode: Mode & { kind: 'edit' }, text: string): void {
    if (text === '') return this.actions_.remove(mode.seq);
    if (text === mode.before) return this.cancel();
    if (this.client_.state !== 'ready') return this.tell(not_connected);
    this.saving_ = true;
    this.button_.disabled = true;
    this.actions_
      .save(mode.seq, text)
      .then(() => {
        if (this.mode_ === mode) this.cancel();
      })
      .catch((error: unknown) => {
        if (this.mode_ === mode) this.tell(`Not saved. ${in_words(error)}`);
      })
      .finally(() => {
        this.saving_ = false;
        this.button_.disabled = false;
      });
  }

  private tell(problem: string): void {
    this.problem_.textContent = problem;
    this.problem_.hidden = false;
  }

  private grow(): void {
    const written = this.input_.value.trim() !== '';
    this.later_.hidden = this.mode_.kind === 'edit' || !written || this.expires_after_ > 0;
    this.life_.hidden = this.mode_.kind === 'edit' || !written;
    this.poll_.hidden = this.mode_.kind !== 'write' || written;
    this.input_.style.height = 'auto';
    if (this.input_.scrollHeight === 0) return; // not on screen yet
    this.input_.style.height = `${Math.min(this.input_.scrollHeight, 160)}px`;
  }
}
