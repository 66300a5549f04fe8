// checks.mjs: runs named cases one after the other and counts; a failed one does not hide the next.

const cases = [];

export function check(name, work) {
  cases.push({ name, work });
}

/**
 * Runs what was registered (`only`: what contains that text; of it every `shares`-th, beginning with
 * the number `share`); the exit code says whether all passed.
 */
export async function run_checks({
  only = '',
  share = 0,
  shares = 1,
  on_failure = async () => undefined,
} = {}) {
  let failed = 0;
  const chosen = cases
    .filter(({ name }) => name.includes(only))
    .filter((_, index) => index % shares === share);
  for (const { name, work } of chosen) {
    const start = Date.now();
    try {
      await work();
      console.log(`ok   ${name} (${Date.now() - start} ms)`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL ${name} (${Date.now() - start} ms)\n${error?.stack ?? error}`);
      await on_failure(name);
    }
  }
  console.log(`${chosen.length - failed} passed, ${failed} failed`);
  return failed === 0 && (chosen.length > 0 || shares > 1) ? 0 : 1;
}
