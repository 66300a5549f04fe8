// mentions.ts: people named in a message: completed while one writes "@", and marked where one reads.
import type { MentionScope, UserId } from '@parley/client';
import { el } from './dom.js';
import { avatar } from './format.js';

export interface Person {
  user: UserId;
  name: string;
}

export interface Mentions {
  mentions: UserId[];
  mentionScope: MentionScope;
}

/** A name ends where no letter, digit or sign of names follows. */
const after_name = /^(?![\p{L}\p{N}_-])/u;
const scopes = ['all', 'here'] as const;
/** Whom they mean, as it is also looked for. */
const meant: Record<(typeof scopes)[number], string> = { all: 'everybody', here: 'who is online' };
const offered = 6;

/** Where "@name" stands in the text: the longest name that fits, none inside of a word. */
export function find_mentions(
  text: string,
  names: readonly string[],
): { at: number; name: string }[] {
  const longest_first = [...names].sort((a, b) => b.length - a.length);
  const found: { at: number; name: string }[] = [];
  for (const match of text.matchAll(/(?<![\p{L}\p{N}_@])@/gu)) {
    const rest = text.slice(match.index + 1);
    const name = longest_first.find(
      (one) =>
        rest.toLowerCase().startsWith(one.toLowerCase()) && after_name.test(rest.slice(one.length)),
    );
    if (name) found.push({ at: match.index, name });
  }
  return found;
}

/** Who is named in what was written. */
export function mentions_in(text: string, people: readonly Person[]): Mentions {
  const named = find_mentions(text, [...people.map(({ name }) => name), ...scopes]);
  const names = new Set(named.map(({ name }) => name));
  return {
    mentions: people.filter(({ name }) => names.has(name)).map(({ user }) => user),
    mentionScope: scopes.find((scope) => names.has(scope)) ?? 'none',
  };
}

/** The list over the composer while a name is being written. */
export class MentionPicker {
  readonly element = el('ul', {
    class: 'mention-picker',
    role: 'listbox',
    id: 'mention-picker',
    'aria-label': 'Members',
    hidden: true,
  });
  private chosen_ = 0;
  private names_: string[] = [];

  /**
   * `of_`: all who are known; `find_` looks for more whose names begin so: `refresh` shows them;
   * `all_`: whether one may name everybody.
   */
  constructor(
    private readonly input_: HTMLTextAreaElement,
    private readonly of_: () => readonly Person[],
    private readonly find_: (begun: string) => void,
    private readonly all_: () => boolean,
    private readonly written_: () => void,
  ) {
    input_.setAttribute('aria-controls', 'mention-picker');
    input_.addEventListener('input', () => {
      const begun = this.begun();
      if (begun) this.find_(begun);
      this.update();
    });
    input_.addEventListener('blur', () => this.hide());
    this.element.addEventListener('pointerdown', (event) => {
      event.preventDefault(); // the focus stays in the text
      const line = (event.target as Element).closest('li');
      const at = line ? [...this.element.children].indexOf(line) : -1;
      if (at >= 0) this.choose(at);
    });
  }

  /** Whether the key was for the list. */
  key(event: KeyboardEvent): boolean {
    if (this.element.hidden) return false;
    const count = this.names_.length;
    const step = { ArrowDown: 1, ArrowUp: count - 1 }[event.key];
    if (step !== undefined) this.mark((this.chosen_ + step) % count);
    else if (event.key === 'Enter' || event.key === 'Tab') this.choose(this.chosen_);
    else if (event.key === 'Escape') this.hide();
    else return false;
    event.preventDefault();
    return true;
  }

  hide(): void {
    this.element.hidden = true;
    this.input_.removeAttribute('aria-activedescendant');
  }

  /** What stands between the last "@" and the cursor; null: no name is being written. */
  private begun(): string | null {
    const before = this.input_.value.slice(0, this.input_.selectionStart);
    return /(?<![\p{L}\p{N}_@])@([\p{L}\p{N}_. -]{0,40})$/u.exec(before)?.[1] ?? null;
  }

  /** Who may be named has changed. */
  refresh(): void {
    if (this.begun() === null || document.activeElement !== this.input_) return;
    if (this.fitting().join() !== this.names_.join()) this.update();
  }

  private fitting(): string[] {
    const begun = this.begun()?.toLowerCase() ?? '';
    const people = this.of_().filter(({ name }) => name.toLowerCase().startsWith(begun));
    const many = scopes.filter((scope) =>
      [scope, meant[scope]].some((word) => word.startsWith(begun)),
    );
    const names = people.map(({ name }) => name).slice(0, offered);
    return [...names, ...(this.all_() ? many : []).filter((scope) => !names.includes(scope))];
  }

  private line(name: string, at: number): HTMLElement {
    const who = meant[name as keyof typeof meant];
    const many = who !== undefined && !this.of_().some((person) => person.name === name);
    return el(
      'li',
      { role: 'option', id: `mention-${at}` },
      avatar(name, many ? 'group' : 'direct'),
      name,
      many ? el('span', { class: 'subtitle' }, who) : null,
    );
  }

  private update(): void {
    if (this.begun() === null) return this.hide();
    this.names_ = this.fitting();
    if (this.names_.length === 0) return this.hide();
    this.element.replaceChildren(...this.names_.map((name, at) => this.line(name, at)));
    this.element.hidden = false;
    this.mark(0);
  }

  private mark(at: number): void {
    this.chosen_ = at;
    for (const [index, line] of [...this.element.children].entries())
      line.setAttribute('aria-selected', String(index === at));
    this.input_.setAttribute('aria-activedescendant', `mention-${at}`);
  }

  private choose(at: number): void {
    const name = this.names_[at];
    const begun = this.begun();
    if (name === undefined || begun === null) return this.hide();
    const end = this.input_.selectionStart;
    this.input_.setRangeText(`${name} `, end - begun.length, end, 'end');
    this.hide();
    this.written_();
  }
}
