// device_name.ts: what the user's other devices call this window.
import type { ParleyClient } from '@parley/client';

/** The client names a device by its random bits, until it is given a name. */
export function is_default_name(name: string): boolean {
  return name === '' || /^[0-9a-f]{32}$/.test(name);
}

/** "Firefox on Windows". */
export function browser_name(agent: string): string {
  const of = (kinds: readonly [RegExp, string][], other: string): string =>
    kinds.find(([pattern]) => pattern.test(agent))?.[1] ?? other;
  const browser = of(
    [
      [/Edg\//, 'Edge'],
      [/OPR\//, 'Opera'],
      [/Firefox\//, 'Firefox'],
      [/Chrom(e|ium)\//, 'Chrome'],
      [/Safari\//, 'Safari'],
    ],
    'A browser',
  );
  const system = of(
    [
      [/Android/, 'Android'],
      [/iPhone|iPad/, 'iOS'],
      [/Windows/, 'Windows'],
      [/Mac OS X/, 'macOS'],
      [/Linux/, 'Linux'],
    ],
    '',
  );
  return system === '' ? browser : `${browser} on ${system}`;
}

/** Gives this device a name, if it has none. */
export async function name_device(client: ParleyClient): Promise<void> {
  const own = (await client.devices()).find(({ current }) => current);
  if (own && own.id !== '' && is_default_name(own.name))
    await client.renameDevice(own.id, browser_name(navigator.userAgent));
}
