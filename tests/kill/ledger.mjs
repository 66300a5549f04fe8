// ledger.mjs: a process of its own that writes down what the clients were told, one line each; it
// outlives the server's kills and shares no memory with server or clients.
//   node ledger.mjs FILE        lines on stdin, {"sync":N} is answered by N once all before is down
import { closeSync, openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

const file = openSync(process.argv[2], 'a');

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const entry = JSON.parse(line); // what is no entry ends the ledger, and with it the run
  if (entry.sync !== undefined) process.stdout.write(`${entry.sync}\n`);
  else writeSync(file, `${line}\n`);
}
closeSync(file);
