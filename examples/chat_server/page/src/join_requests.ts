// join_requests.ts: who asks to be let in: a bar for those who answer, and what one has asked for oneself.
import type {
  ChatEvent,
  ConversationId,
  ConversationView,
  JoinRequest,
  ParleyClient,
} from '@parley/client';
import { dialog, field, form, text_input } from './dialog.js';
import { el, icon, reconcile, type Keyed } from './dom.js';
import { avatar, conversation_title, list_time, user_name } from './format.js';
import { may } from './rights.js';
import { toast, toast_error } from './toasts.js';

const note_length = 120;

// ---- For those who answer ----

/** Of the conversation on screen. */
export class JoinRequests {
  list: readonly JoinRequest[] = [];
  private view_: ConversationView | null = null;
  private readonly listeners_ = new Set<() => void>();

  constructor(private readonly client_: ParleyClient) {}

  on_change(listener: () => void): () => void {
    this.listeners_.add(listener);
    return () => this.listeners_.delete(listener);
  }

  show(view: ConversationView | null): void {
    this.view_ = view;
    this.list = [];
    void this.load();
  }

  /** Events of the conversation on screen. */
  arrived(events: readonly ChatEvent[]): void {
    const tells = ({ kind }: ChatEvent): boolean =>
      kind.startsWith('join_') || kind === 'role_changed';
    if (events.some(tells)) void this.load();
  }

  private async load(): Promise<void> {
    const view = this.view_ && this.client_.conversation(this.view_.conversation);
    const answers = view !== null && view.kind !== 'direct' && may(view, 'invite');
    try {
      const shown = this.view_;
      const page = answers ? await this.client_.joinRequests(view.conversation) : null;
      if (shown === this.view_) this.list = page?.requests ?? [];
    } catch {
      return; // the next request or opening asks again
    }
    for (const listener of [...this.listeners_]) listener();
  }
}

/** A line over the messages that leads to who waits. */
export function render_requests_bar(parent: HTMLElement, count: number, open: () => void): void {
  parent.hidden = count === 0;
  const text = count === 1 ? '1 person asks to be let in' : `${count} people ask to be let in`;
  const attributes = { type: 'button', class: 'pinned-bar', 'data-focus': 'bar' };
  const build = (): HTMLElement =>
    el(
      'button',
      { ...attributes, on: { click: open } },
      icon('people'),
      el('span', { class: 'title' }, text),
    );
  reconcile(parent, count === 0 ? [] : [{ key: 'requests', signature: text, build }]);
}

export function requests_dialog(
  client: ParleyClient,
  requests: JoinRequests,
  id: ConversationId,
): void {
  const list = el('ul', { class: 'members requests', 'aria-label': 'Who asks to be let in' });
  const line = ({ user, note, since }: JoinRequest): Keyed => {
    const name = user_name(client, user);
    const answer = (approve: boolean) => (): void => {
      client
        .answerRequest(id, user, approve)
        .catch((error: unknown) => toast_error('Not answered', error));
    };
    const build = (): HTMLElement =>
      el(
        'li',
        {},
        avatar(name, 'direct'),
        el(
          'span',
          { class: 'lines' },
          el(
            'span',
            { class: 'line' },
            el('span', { class: 'title', title: name }, name),
            el('time', { class: 'subtitle' }, list_time(since)),
          ),
          note === '' ? null : el('span', { class: 'subtitle wrap', dir: 'auto' }, note),
        ),
        el(
          'button',
          { type: 'button', class: 'button quiet', on: { click: answer(false) } },
          'Deny',
        ),
        el('button', { type: 'button', class: 'button', on: { click: answer(true) } }, 'Let in'),
      );
    return { key: user, signature: JSON.stringify([name, note]), build };
  };
  const window_ = dialog('They ask to be let in', list);
  const draw = (): void => {
    if (requests.list.length === 0) window_.close();
    else reconcile(list, requests.list.map(line));
  };
  const offs = [requests.on_change(draw), client.on('names', draw)];
  window_.addEventListener('close', () => offs.forEach((off) => off()));
  draw();
}

// ---- For those who ask ----

/** A form that asks with a few words. */
export function ask_form(client: ParleyClient, id: ConversationId): HTMLFormElement {
  const note = text_input('note', 'I am a neighbour', false);
  note.maxLength = note_length;
  const asking = form(
    client,
    'Ask to be let in',
    [field('A word to those who decide', note)],
    () => client.requestJoin(id, note.value.trim()),
    (_, window_) => window_.close(),
  );
  asking.querySelector('.button')!.classList.add('quiet');
  return asking;
}

/** What this user has asked for, under the list; tells when it was answered. */
export class OwnRequests {
  private waiting_ = new Set<ConversationId>();

  constructor(
    private readonly client_: ParleyClient,
    open: (id: ConversationId) => void,
  ) {
    client_.on('list', ({ changed }) => {
      for (const id of changed) {
        const view = client_.conversation(id);
        if (!view || !this.waiting_.delete(id)) continue;
        const text = `You were let into ${conversation_title(client_, view)}.`;
        toast(text, 'info', text, { label: 'Show', run: () => open(id) });
      }
    });
    client_.on('requests', (requests) => {
      for (const { conversation, state } of requests) {
        if (state === 'waiting') this.waiting_.add(conversation);
        else if (this.waiting_.delete(conversation)) toast('You were not let in.');
      }
    });
  }

  lines(): Keyed[] {
    const waiting = this.client_.requests.filter(({ state }) => state === 'waiting');
    return waiting.map(({ conversation: id, time }) => ({
      key: `asked ${id}`,
      signature: String(time),
      build: () =>
        el(
          'p',
          {},
          el('span', {}, `You asked to be let in, ${list_time(time)}.`),
          el(
            'button',
            { type: 'button', class: 'link', on: { click: () => this.take_back(id) } },
            'Take it back',
          ),
        ),
    }));
  }

  private take_back(id: ConversationId): void {
    this.waiting_.delete(id);
    this.client_
      .leave(id)
      .catch((error: unknown) => toast_error('It could not be taken back', error));
  }
}
