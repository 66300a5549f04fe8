// menu.ts: what can be done with a thing: a menu for mouse and keyboard, a sheet for fingers.
import { dialog } from './dialog.js';
import { el, icon, type IconName } from './dom.js';

export interface MenuItem {
  name: string;
  icon: IconName;
  label: string;
  run: () => void;
}

function buttons(items: readonly MenuItem[], role: string | null, close: () => void): Element[] {
  return items.map((item) =>
    el(
      'button',
      {
        type: 'button',
        role,
        class: role ? 'menu-item' : 'sheet-item',
        'data-action': item.name,
        on: {
          click: () => {
            close();
            item.run();
          },
        },
      },
      icon(item.icon),
      item.label,
    ),
  );
}

function walk(menu: HTMLElement, event: KeyboardEvent): void {
  if (event.key === 'Tab') return menu.hidePopover();
  const all = [...menu.querySelectorAll('button')];
  const now = all.indexOf(document.activeElement as HTMLButtonElement);
  const next = {
    ArrowDown: all[(now + 1) % all.length],
    ArrowUp: all.at(now - 1),
    Home: all[0],
    End: all.at(-1),
  }[event.key];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

/** At a point of the window; Escape and a click elsewhere close and remove it, the focus goes to `after`. */
export function open_menu(
  items: readonly MenuItem[],
  label: string,
  at: { x: number; y: number },
  after: () => HTMLElement | null,
): HTMLElement {
  const menu = el('div', { class: 'menu', role: 'menu', popover: 'auto', 'aria-label': label });
  menu.append(...buttons(items, 'menuitem', () => menu.hidePopover()));
  menu.addEventListener('toggle', (event) => {
    if ((event as ToggleEvent).newState !== 'closed') return;
    const { activeElement } = document;
    const had_focus = menu.contains(activeElement) || activeElement === document.body;
    menu.remove();
    if (had_focus) after()?.focus();
  });
  menu.addEventListener('keydown', (event) => walk(menu, event));
  // A modal window takes no clicks outside itself.
  (after()?.closest('dialog') ?? document.body).append(menu);
  menu.showPopover();
  const { width, height } = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(8, Math.min(at.x, innerWidth - width - 8))}px`;
  menu.style.top = `${Math.max(8, Math.min(at.y, innerHeight - height - 8))}px`;
  menu.querySelector('button')?.focus();
  return menu;
}

/** `above`: what else stands in the sheet. */
export function open_sheet(
  title: string,
  items: readonly MenuItem[],
  ...above: Node[]
): HTMLDialogElement {
  const list = el('div', { class: 'sheet-items' });
  const window_ = dialog(title, ...above, list);
  list.append(...buttons(items, null, () => window_.close()));
  window_.classList.add('sheet');
  return window_;
}
