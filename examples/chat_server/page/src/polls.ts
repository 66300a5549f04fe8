// polls.ts: polls in messages: what they have come to, what this user chose, and how one is asked.
import type {
  ConversationId,
  Message,
  ParleyClient,
  Poll,
  PollDraft,
  PollResults,
  Seq,
  UserId,
} from '@parley/client';
import { dialog, field, form, select, text_input } from './dialog.js';
import { el } from './dom.js';
import { avatar, then_at, user_name } from './format.js';
import { toast_error, toast_offline } from './toasts.js';

const most_options = 20;
const option_length = 80;
const listed_voters = 100;
const hour_ms = 3_600_000;
const durations: readonly [number, string][] = [
  [0, 'When I close it'],
  [hour_ms, 'In an hour'],
  [24 * hour_ms, 'In a day'],
  [7 * 24 * hour_ms, 'In a week'],
];

/** A poll as a row shows it. */
export interface PollRow {
  options: { text: string; votes: number; mine: boolean }[];
  multiple: boolean;
  anonymous: boolean;
  voters: number;
  closed: boolean;
  /** Under it: "3 votes · anonymous". */
  words: string;
}

function voted(multiple: boolean, voters: number): string {
  if (voters === 0) return 'No votes yet';
  if (multiple) return voters === 1 ? '1 person voted' : `${voters} people voted`;
  return voters === 1 ? '1 vote' : `${voters} votes`;
}

function words({ multiple, anonymous, closes }: Poll, { voters, closed }: PollResults): string {
  const parts = [voted(multiple, voters)];
  if (multiple) parts.push('several may be chosen');
  if (anonymous) parts.push('anonymous');
  if (closed) parts.push('closed');
  else if (closes > 0) parts.push(`closes ${then_at(closes)}`);
  return parts.join(' · ');
}

export class Polls {
  /** What this user chose, by conversation and seq; null: asked for. */
  private readonly chosen_ = new Map<string, readonly number[] | null>();

  constructor(
    private readonly client_: ParleyClient,
    private readonly changed_: () => void,
  ) {
    client_.on('ballot', ({ conversation, seq, options }) => {
      this.chosen_.set(`${conversation} ${seq}`, options);
      this.changed_();
    });
    client_.on('state', ({ state }) => {
      if (state === 'ready') this.chosen_.clear(); // votes elsewhere may not have been told
    });
  }

  /** null: it has none. */
  row(conversation: ConversationId, { seq, poll, results }: Message): PollRow | null {
    if (!poll || !results) return null;
    const chosen = this.chosen(conversation, seq);
    return {
      options: poll.options.map((text, at) => ({
        text,
        votes: results.votes[at] ?? 0,
        mine: chosen.includes(at),
      })),
      multiple: poll.multiple,
      anonymous: poll.anonymous,
      voters: results.voters,
      closed: results.closed,
      words: words(poll, results),
    };
  }

  /** Chooses, or takes back what was chosen. */
  vote(conversation: ConversationId, { seq, poll }: Message, option: number): void {
    if (this.client_.state !== 'ready') return toast_offline();
    const place = `${conversation} ${seq}`;
    const before = this.chosen(conversation, seq);
    const others = poll?.multiple ? before.filter((one) => one !== option) : [];
    const options = before.includes(option) ? others : [...others, option].sort((a, b) => a - b);
    this.chosen_.set(place, options);
    this.changed_();
    this.client_.vote(conversation, seq, options).catch((error: unknown) => {
      this.chosen_.delete(place);
      this.changed_();
      toast_error('Your vote was not stored', error);
    });
  }

  private chosen(conversation: ConversationId, seq: Seq): readonly number[] {
    const place = `${conversation} ${seq}`;
    const known = this.chosen_.get(place);
    if (known !== undefined) return known ?? [];
    this.chosen_.set(place, null);
    this.client_
      .ballot(conversation, seq)
      .then(({ options }) => {
        this.chosen_.set(place, options);
        this.changed_();
      })
      .catch(() => this.chosen_.delete(place));
    return [];
  }
}

/** Who chose what. */
export function voters_dialog(client: ParleyClient, id: ConversationId, message: Message): void {
  const { seq, poll, text } = message;
  if (!poll) return;
  const content = el('div', { class: 'voters' });
  const found = new Map<number, readonly UserId[]>();
  const draw = (): void => {
    const parts = poll.options.flatMap((option, at) => {
      const users = found.get(at) ?? [];
      if (users.length === 0) return [];
      const line = (user: UserId): HTMLElement => {
        const name = user_name(client, user);
        return el('li', {}, avatar(name, 'direct'), el('span', { class: 'title' }, name));
      };
      return [
        el('h3', { dir: 'auto' }, option),
        el('ul', { class: 'members' }, ...users.map(line)),
      ];
    });
    const nobody = el('p', { class: 'subtitle wrap' }, 'Nobody has voted yet.');
    content.replaceChildren(...(parts.length > 0 ? parts : [nobody]));
  };
  const load = async (): Promise<void> => {
    for (const at of poll.options.keys()) {
      const page = await client.voters(id, seq, at, { limit: listed_voters });
      found.set(at, page.users);
    }
    draw();
  };
  const window_ = dialog(text, content);
  window_.classList.add('tall');
  const off = client.on('names', draw);
  window_.addEventListener('close', off);
  load().catch((error: unknown) => toast_error('The votes could not be loaded', error));
}

/** Fields for the answers: the last one is empty, and another follows once it is written in. */
function option_fields(): { element: HTMLElement; options: () => string[] } {
  const full = `An answer has ${option_length} letters at most.`;
  const note = el('small', { role: 'status', hidden: true }, full);
  const list = el('div', { class: 'poll-fields' });
  const attributes = { class: 'poll-fields', role: 'group', 'aria-label': 'Answers' };
  const element = el('div', attributes, list, note);
  const inputs = (): HTMLInputElement[] => [...list.querySelectorAll('input')];
  const add = (): void => {
    const number = inputs().length + 1;
    const input = text_input('option', `Answer ${number}`, number <= 2);
    input.setAttribute('aria-label', `Answer ${number}`);
    input.maxLength = option_length;
    input.addEventListener('input', () => {
      const all = inputs();
      note.hidden = all.every(({ value }) => value.length < option_length);
      if (all.at(-1)!.value !== '' && all.length < most_options) add();
    });
    list.append(input);
  };
  add();
  add();
  const options = (): string[] =>
    inputs()
      .map((input) => input.value.trim())
      .filter((option) => option !== '');
  return { element, options };
}

function check(name: string, label: string): { line: HTMLElement; input: HTMLInputElement } {
  const input = el('input', { type: 'checkbox', role: 'switch', name });
  return { line: el('label', { class: 'switch' }, input, el('span', {}, label)), input };
}

/** Asks for a question and its answers; `ask` is to send it. */
export function poll_dialog(
  client: ParleyClient,
  ask: (question: string, poll: PollDraft) => void,
): void {
  const question = text_input('question', 'Where shall we eat?');
  const answers = option_fields();
  const multiple = check('multiple', 'Several may be chosen');
  const anonymous = check('anonymous', 'Nobody sees who chose what');
  const lasts = select('closes', durations, 0);
  const asking = form(
    client,
    'Ask',
    [
      field('Question', question),
      el('div', { class: 'field' }, el('span', {}, 'Answers'), answers.element),
      multiple.line,
      anonymous.line,
      field('It closes', lasts),
    ],
    async () => {
      const options = answers.options();
      if (new Set(options).size < options.length) throw new Error('Two answers are the same.');
      const closesAfter = Number(lasts.value);
      ask(question.value.trim(), {
        options,
        multiple: multiple.input.checked,
        anonymous: anonymous.input.checked,
        ...(closesAfter > 0 ? { closesAfter } : {}),
      });
    },
    (_, window_) => window_.close(),
  );
  const window_ = dialog('Ask in a poll', asking);
  window_.classList.add('tall');
  question.focus();
}
