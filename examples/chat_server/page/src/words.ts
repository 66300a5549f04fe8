// words.ts: errors in words of people; what the engine says is for developers.

interface Problem {
  code: string;
  message: string;
}

/** By a part of the engine's sentence, where the code alone says too little. */
const sentences: readonly [string, RegExp, string][] = [
  ['invalid_argument', /^peer:/, 'That is you. Choose somebody else.'],
  ['invalid_argument', /was deleted/, 'The message was deleted meanwhile.'],
  ['invalid_argument', /^seq:/, 'There is no such message.'],
  ['invalid_argument', /^conversation:/, 'There is no such conversation.'],
  ['invalid_argument', /^key:/, 'A reaction is one emoji or a very short word.'],
  ['limit_reached', /pinned/, '100 messages are pinned already. Unpin one first.'],
  ['limit_reached', /at once/, 'These are too many at once. Take fewer, and add the others later.'],
  ['limit_reached', /reactions/, 'There are 20 different reactions on it already.'],
  ['denied', /edited/, 'It is too old to be edited.'],
];

const codes: Readonly<Record<string, string>> = {
  invalid_argument: 'The server does not take it like that.',
  too_large: 'It is too long. Split it, please.',
  denied: 'It does not exist, or it is not open to you.',
  unauthenticated: 'The server does not know you. Sign in again.',
  archived: 'It is closed: nobody writes here any more.',
  muted: 'You are muted here.',
  banned: 'You, or who you named, is banned here.',
  slow_mode: 'Wait a moment: members pause between two messages here.',
  device_revoked: 'This device was signed out from another one. Sign in again as a new one.',
  last_owner: 'You are the last owner. Make somebody else an owner first.',
  unsupported: 'This server is too old for that.',
  already_exists: 'It is there already.',
  limit_reached: 'That is as much as the server allows.',
  busy: 'The server is busy. Try again in a moment.',
  unavailable: 'The server cannot answer now. Try again in a moment.',
  timed_out: 'The server did not answer in time. Try again.',
  disconnected: 'The connection was lost. Try again.',
  engine_closed: 'The server is being restarted. Try again in a moment.',
  session_closed: 'You are signed out. Load the page again.',
  store_failed: 'It cannot be stored at the moment.',
  disk_full: 'The server has no room left at the moment.',
  internal: 'Something broke on the server.',
  protocol_error: 'The server said something that this page does not understand.',
};

export const not_connected = 'Not connected. Try again when the connection is back.';

function is_problem(error: unknown): error is Problem {
  return typeof error === 'object' && error !== null && 'code' in error && 'message' in error;
}

/** One sentence, or several. A host's own errors speak for themselves. */
export function in_words(error: unknown): string {
  if (!is_problem(error)) return error instanceof Error ? error.message : String(error);
  const { code, message } = error;
  const sentence = sentences.find(([of, part]) => of === code && part.test(message));
  return sentence?.[2] ?? codes[code] ?? message;
}
