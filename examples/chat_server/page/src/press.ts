// press.ts: what is drawn anew while a button is pressed takes the click away with it, so it is drawn later.

let pressed = false;
let waiting: (() => void)[] = [];

function release(): void {
  pressed = false;
  const runs = waiting;
  waiting = [];
  for (const run of runs) run();
}

addEventListener(
  'pointerdown',
  ({ target }) => {
    pressed = target instanceof Element && target.closest('button, a') !== null;
  },
  true,
);
// Later: the click comes after the release. `blur` is of the window: that of an element does not bubble.
for (const name of ['pointerup', 'pointercancel', 'blur'])
  addEventListener(name, () => setTimeout(release));

/** Runs it now, or when no button is pressed any more. */
export function when_released(run: () => void): void {
  if (pressed) waiting.push(run);
  else run();
}
