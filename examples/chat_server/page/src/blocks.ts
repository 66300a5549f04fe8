// blocks.ts: whom this user blocks: the same on every device, and told to nobody.
import type { ParleyClient, UserId } from '@parley/client';
import { confirm_dialog } from './dialog.js';
import { el } from './dom.js';
import { avatar, user_name } from './format.js';
import type { MenuItem } from './menu.js';
import { toast_error, toast_offline } from './toasts.js';

export class Blocks {
  private users_: ReadonlySet<UserId> = new Set();
  private readonly listeners_ = new Set<() => void>();

  constructor(private readonly client_: ParleyClient) {
    client_.on('blocked', (users) => {
      this.users_ = new Set(users);
      for (const listener of [...this.listeners_]) listener();
    });
  }

  /** Returns how to stop that. */
  on_change(listener: () => void): () => void {
    this.listeners_.add(listener);
    return () => this.listeners_.delete(listener);
  }

  has(user: UserId): boolean {
    return this.users_.has(user);
  }

  /** Blocks, after a question, or ends that. */
  menu_item(user: UserId): MenuItem {
    const name = user_name(this.client_, user);
    if (this.has(user))
      return { name: 'unblock', icon: 'ban', label: `Unblock ${name}`, run: () => this.end(user) };
    const text = `You get no more direct messages from ${name}, who sees you offline and is not told why.`;
    const block = (): void => this.change(() => this.client_.block(user));
    return {
      name: 'block',
      icon: 'ban',
      label: `Block ${name}…`,
      run: () => confirm_dialog(`Block ${name}?`, text, 'Block', block, 'danger'),
    };
  }

  /** All of them, with what ends it; null: nobody is blocked. */
  list(): HTMLElement | null {
    if (this.users_.size === 0) return null;
    const line = (user: UserId): HTMLElement => {
      const name = user_name(this.client_, user);
      const end = { type: 'button', class: 'button quiet', on: { click: () => this.end(user) } };
      return el(
        'li',
        {},
        avatar(name, 'direct'),
        el('span', { class: 'lines' }, el('span', { class: 'title' }, name)),
        el('button', end, 'Unblock'),
      );
    };
    const lines = [...this.users_].map(line);
    return el('ul', { class: 'members', 'aria-label': 'Whom you block' }, ...lines);
  }

  private end(user: UserId): void {
    this.change(() => this.client_.unblock(user));
  }

  private change(work: () => Promise<void>): void {
    const what = 'Not changed';
    if (this.client_.state !== 'ready') return toast_offline(what);
    work().catch((error: unknown) => toast_error(what, error));
  }
}
