// fingers.ts: a finger that rests on a thing asks what can be done with it.

const long_press_ms = 450;
const still_px = 10;

/** The finger is still down when the sheet comes: its click is not for the sheet. */
function swallow_click(): void {
  const swallow = (event: Event): void => {
    event.preventDefault();
    event.stopPropagation();
  };
  addEventListener('click', swallow, true);
  const end = (): void => removeEventListener('click', swallow, true);
  addEventListener('pointerdown', end, { capture: true, once: true });
}

/** Calls `pressed` with what matches `selector` in `list` and has a finger resting on it. */
export function on_long_press(
  list: HTMLElement,
  selector: string,
  pressed: (row: HTMLElement) => void,
): void {
  let from = { x: 0, y: 0 };
  let timer = 0;
  const stop = (): void => clearTimeout(timer);
  list.addEventListener('pointerdown', (event) => {
    stop();
    if (event.pointerType === 'mouse') return;
    const row = (event.target as Element).closest<HTMLElement>(selector);
    from = { x: event.clientX, y: event.clientY };
    if (!row) return;
    timer = window.setTimeout(() => {
      swallow_click();
      getSelection()?.removeAllRanges();
      navigator.vibrate?.(10);
      pressed(row);
    }, long_press_ms);
  });
  list.addEventListener('pointermove', (event) => {
    if (Math.hypot(event.clientX - from.x, event.clientY - from.y) > still_px) stop();
  });
  for (const name of ['pointerup', 'pointercancel'] as const) list.addEventListener(name, stop);
  list.addEventListener('contextmenu', (event) => {
    if ((event as PointerEvent).pointerType === 'touch') event.preventDefault();
  });
}
