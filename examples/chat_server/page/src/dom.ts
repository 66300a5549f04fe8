// dom.ts: builds elements; text goes in as text only, so nothing that anybody writes can become
// markup.

type Child = Node | string | null | false;

export interface Attributes {
  class?: string;
  on?: { [Name in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[Name]) => void };
  [name: string]: unknown;
}

export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'on') {
      for (const [event, listener] of Object.entries(value as object)) {
        element.addEventListener(event, listener as EventListener);
      }
    } else if (value === true) {
      element.setAttribute(name, '');
    } else if (value !== false && value !== undefined && value !== null) {
      element.setAttribute(name, String(value));
    }
  }
  for (const child of children) if (child !== null && child !== false) element.append(child);
  return element;
}

const icons = {
  back: 'M15 5l-7 7 7 7',
  plus: 'M12 5v14M5 12h14',
  send: 'M4 12l16-8-6 16-3-6.5z M11 13.5L20 4',
  people:
    'M9 11a3.5 3.5 0 100-7 3.5 3.5 0 000 7zM2.5 20c0-3.6 2.9-6 6.5-6s6.5 2.4 6.5 6M16 4.3a3.5 3.5 0 010 6.4M18 14.5c2.1.8 3.5 2.8 3.5 5.5',
  person: 'M12 11.5a4 4 0 100-8 4 4 0 000 8zM4.5 20.5c0-4 3.4-6.5 7.5-6.5s7.5 2.5 7.5 6.5',
  hash: 'M9.5 4l-2 16M16.5 4l-2 16M4.5 9h16M3.5 15h16',
  link: 'M10 14a4.5 4.5 0 006.7.4l2.6-2.6a4.5 4.5 0 00-6.4-6.4L11.5 7M14 10a4.5 4.5 0 00-6.7-.4l-2.6 2.6a4.5 4.5 0 006.4 6.4L12.5 17',
  leave: 'M14 4h4a2 2 0 012 2v12a2 2 0 01-2 2h-4M10 8l-4 4 4 4M6 12h9',
  close: 'M6 6l12 12M18 6L6 18',
  down: 'M6 10l6 6 6-6',
  search: 'M10.5 17a6.5 6.5 0 100-13 6.5 6.5 0 000 13zM20 20l-4.8-4.8',
  clock: 'M12 20.5a8.5 8.5 0 100-17 8.5 8.5 0 000 17zM12 7.5V12l3 2',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  checks: 'M2 12.5l4.5 4.5L16 7.5M11.5 16l1 1L22 7.5',
  alert: 'M12 8v5M12 16.5v.5M12 21a9 9 0 100-18 9 9 0 000 18z',
  reply: 'M10 6L4 12l6 6M4.5 12H14a6 6 0 016 6v1',
  pencil: 'M4.5 19.5l1-4L16 5a2 2 0 013 3L8.5 18.5zM14.5 6.5l3 3',
  trash: 'M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.3 10.5v6M13.7 10.5v6',
  pin: 'M9 4h6l-.8 6.2 3.3 3.3v1.5h-11v-1.5l3.3-3.3zM12 15v5.5',
  unpin: 'M9 4h6l-.8 6.2 3.3 3.3v1.5h-11v-1.5l3.3-3.3zM12 15v5.5M4 4l16 16',
  ban: 'M12 20.5a8.5 8.5 0 100-17 8.5 8.5 0 000 17zM6 6l12 12',
  forward: 'M14 6l6 6-6 6M19.5 12H10a6 6 0 00-6 6v1',
  thread: 'M4 5h16v10H9l-5 4zM8 9h8M8 12h5',
  file: 'M7 3.5h7l4 4v13H7zM14 3.5v4h4',
  folder: 'M3.5 6h6l2 2.5h9v10.5h-17z',
  hidden:
    'M4 4l16 16M10 5.7c.6-.1 1.3-.2 2-.2 4 0 7.5 2.5 9.5 6.5-.6 1.2-1.3 2.2-2.2 3.1M6.5 7.2C4.8 8.3 3.5 10 2.5 12c2 4 5.5 6.5 9.5 6.5 1.6 0 3.1-.4 4.5-1.1',
  crown: 'M4 18.5h16M4.5 15l-1-8.5 5 4L12 5l3.5 5.5 5-4-1 8.5z',
  eye: 'M2.5 12c2-4 5.5-6.5 9.5-6.5s7.5 2.5 9.5 6.5c-2 4-5.5 6.5-9.5 6.5S4.5 16 2.5 12zM12 15a3 3 0 100-6 3 3 0 000 6z',
  copy: 'M9 9h10.5v10.5H9zM15 9V4.5H4.5V15H9',
  more: 'M12 5.5v.1M12 12v.1M12 18.5v.1',
  bell: 'M6 16.5V11a6 6 0 0112 0v5.5l1.5 1.5h-15zM10 20.5h4',
  muted: 'M6 16.5V11a6 6 0 0112 0v5.5l1.5 1.5h-15zM10 20.5h4M4 4l16 16',
  archive: 'M4 5h16v4H4zM5.5 9v10.5h13V9M10 13h4',
  space: 'M4.5 4.5h6v6h-6zM13.5 4.5h6v6h-6zM4.5 13.5h6v6h-6zM13.5 13.5h6v6h-6z',
  circle: 'M12 19a7 7 0 100-14 7 7 0 000 14z',
  box: 'M5.5 5.5h13v13h-13z',
  poll: 'M5 20V11h3.5v9M10.2 20V4.5h3.6V20M15.5 20v-6H19v6M3 20h18',
  hourglass:
    'M7 3.5h10M7 20.5h10M8 3.5c0 5 8 6 8 8.5s-8 3.5-8 8.5M16 3.5c0 5-8 6-8 8.5s8 3.5 8 8.5',
  smile:
    'M12 20.5a8.5 8.5 0 100-17 8.5 8.5 0 000 17zM8.5 14c.8 1.2 2 1.9 3.5 1.9s2.7-.7 3.5-1.9M9 9.6v.4M15 9.6v.4',
  chat: 'M12 4c5 0 8.5 3 8.5 7.3s-3.5 7.3-8.5 7.3c-.9 0-1.8-.1-2.6-.3L5 20.5l.9-3.8C4.4 15.4 3.5 13.5 3.5 11.3 3.5 7 7 4 12 4z',
} as const;

export type IconName = keyof typeof icons;

export function icon(name: IconName, label = ''): SVGSVGElement {
  const namespace = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(namespace, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', `icon icon-${name}`);
  if (label === '') svg.setAttribute('aria-hidden', 'true');
  else {
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', label);
  }
  const path = document.createElementNS(namespace, 'path');
  path.setAttribute('d', icons[name]);
  svg.append(path);
  return svg;
}

export function icon_button(
  name: IconName,
  label: string,
  on_click: () => void,
  more = '',
): HTMLButtonElement {
  return el(
    'button',
    {
      type: 'button',
      class: `icon-button ${more}`,
      'aria-label': label,
      title: label,
      on: { click: on_click },
    },
    icon(name),
  );
}

const link_pattern = /https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]/g;

/** Text with its http(s) addresses as links. */
export function rich_text(text: string): Node[] {
  const nodes: Node[] = [];
  let at = 0;
  for (const match of text.matchAll(link_pattern)) {
    if (match.index > at) nodes.push(document.createTextNode(text.slice(at, match.index)));
    const attributes = { href: match[0], target: '_blank', rel: 'noopener noreferrer' };
    nodes.push(el('a', attributes, match[0]));
    at = match.index + match[0].length;
  }
  if (at < text.length) nodes.push(document.createTextNode(text.slice(at)));
  return nodes;
}

/** One child of a reconciled parent: built again only when its signature changes. */
export interface Keyed {
  key: string;
  signature: string;
  build: () => HTMLElement;
}

const signatures = new WeakMap<Element, string>();

/**
 * Makes the children of `parent` match `items`, touching only what differs. Returns whether
 * anything did.
 */
export function reconcile(parent: HTMLElement, items: readonly Keyed[]): boolean {
  const before = new Map<string, HTMLElement>();
  for (const child of [...parent.children] as HTMLElement[])
    before.set(child.dataset['key'] ?? '', child);
  let changed = false;
  let place: Element | null = parent.firstElementChild;
  for (const item of items) {
    const old = before.get(item.key);
    before.delete(item.key);
    if (old && signatures.get(old) === item.signature) {
      if (old === place) place = place.nextElementSibling;
      else {
        parent.insertBefore(old, place);
        changed = true;
      }
      continue;
    }
    changed = true;
    const fresh = item.build();
    fresh.dataset['key'] = item.key;
    signatures.set(fresh, item.signature);
    if (old) {
      if (old === place) place = old.nextElementSibling;
      const focused = old.contains(document.activeElement) ? document.activeElement : null;
      const name = (focused as HTMLElement | null)?.dataset['focus'];
      old.remove();
      parent.insertBefore(fresh, place);
      const again = name && fresh.querySelector<HTMLElement>(`[data-focus="${CSS.escape(name)}"]`);
      if (focused === old || again) (again || fresh).focus({ preventScroll: true });
    } else {
      parent.insertBefore(fresh, place);
    }
  }
  for (const gone of before.values()) {
    gone.remove();
    changed = true;
  }
  return changed;
}
