// json.ts: the fields of a frame: those with their default are left out, those that come in are
// checked.
import { ParleyError } from '../errors.js';

export type Json = Record<string, unknown>;

// ---- Out ----

/** Drops the fields that have their default, as the format asks. */
export function compact(fields: Json): Json {
  const out: Json = {};
  for (const [key, value] of Object.entries(fields)) {
    const is_default =
      value === undefined ||
      value === '' ||
      value === 0 ||
      (Array.isArray(value) && value.length === 0);
    if (!is_default) out[key] = value;
  }
  return out;
}

/** Here false, 0 and '' say something: only what is not given is left out. */
export function given(fields: Json): Json {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Undefined where it has its default. */
export function unless<T>(value: T, fallback: T): T | undefined {
  return value === fallback ? undefined : value;
}

/** `on` is said only where it is false. */
export function unless_off({ type: _, on, ...fields }: { type: string; on: boolean }): Json {
  return on ? fields : { ...fields, on };
}

// ---- In ----

export function bad(field: string, expected: string): ParleyError {
  return new ParleyError(
    'protocol_error',
    `the server sent a frame whose ${field} is not ${expected}`,
  );
}

export function object(value: unknown, field: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw bad(field, 'an object');
  return value as Json;
}

export function list(json: Json, field: string): unknown[] {
  const value = json[field];
  if (!Array.isArray(value)) throw bad(field, 'an array');
  return value;
}

export function optional_list(json: Json, field: string): unknown[] {
  return json[field] === undefined ? [] : list(json, field);
}

export function number(json: Json, field: string, fallback?: number): number {
  const value = json[field] ?? fallback;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw bad(field, 'a whole number');
  return value;
}

export function numbers(json: Json, field: string): number[] {
  return list(json, field).map((one) => number({ [field]: one }, field));
}

export function text(json: Json, field: string, fallback?: string): string {
  const value = json[field] ?? fallback;
  if (typeof value !== 'string') throw bad(field, 'a string');
  return value;
}

export function flag(json: Json, field: string, fallback?: boolean): boolean {
  const value = json[field] ?? fallback;
  if (typeof value !== 'boolean') throw bad(field, 'a boolean');
  return value;
}

export function decimal(json: Json, field: string, fallback?: string): string {
  const value = text(json, field, fallback);
  if (value !== '' && !/^[0-9]{1,20}$/.test(value)) throw bad(field, 'a decimal string');
  return value === '0' ? '' : value;
}

export function hex128(json: Json, field: string): string {
  const value = text(json, field);
  if (!/^[0-9a-f]{32}$/.test(value)) throw bad(field, '32 hex digits');
  return value;
}

/** '' where there is none. */
export function optional_hex128(json: Json, field: string): string {
  return json[field] === undefined ? '' : hex128(json, field);
}

/** A name, or the number of one that this build does not know, as text. */
export function name(json: Json, field: string, fallback?: string): string {
  const value = json[field] ?? fallback;
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string') throw bad(field, 'a name or a number');
  return value;
}
