// traffic.mjs: who is there, and what everybody does between two kills.
import { setTimeout as pause } from 'node:timers/promises';
import { Device, LinkLost } from './device.mjs';

const burst_most = 12; // sends without waiting in between
const sends_most = 60; // of one device between two kills

/** u0, u1 … with one or two devices each; u0 owns everything, the last third comes and goes. */
export function make_devices(world) {
  const count = world.random.between(8, 20);
  const users = Math.max(5, Math.ceil(count / 2));
  const devices = [];
  for (let at = 0; at < count; at += 1) {
    const name = `d${Math.floor(at / users)}`;
    devices.push(new Device(world, `u${at % users}`, name, world.random.pick([0, 4, 16])));
  }
  return devices;
}

/** Two groups, a channel and two direct conversations. */
export async function make_conversations(world, devices) {
  const subjects = [...new Set(devices.map(({ subject }) => subject))];
  const owner = devices[0].link;
  const open = async (link, type, fields) => {
    const opened = await link.ask(type, fields);
    if (opened.type !== 'opened') throw new Error(`${type}: ${JSON.stringify(opened)}`);
    return opened.entry.conversation;
  };
  for (const title of ['all', 'half']) {
    const members = subjects.slice(1, title === 'all' ? undefined : Math.ceil(subjects.length / 2));
    const id = await open(owner, 'create', {
      kind: 'group',
      title,
      members,
      nonce: world.random.hex(32),
    });
    world.conversations.push({ id, kind: 'group' });
  }
  const channel = await open(owner, 'create', { kind: 'channel', title: 'channel' });
  world.conversations.push({ id: channel, kind: 'channel' });
  for (const device of devices) {
    if (device.subject !== 'u0') await open(device.link, 'join', { conversation: channel });
  }
  for (const peer of subjects.slice(1, 3)) {
    world.conversations.push({ id: await open(owner, 'direct', { peer }), kind: 'direct' });
  }
  world.comers = subjects.slice(-Math.floor(subjects.length / 3));
  for (const device of devices) {
    const ids = world.conversations.map(({ id }) => id).filter((id) => device.entries.has(id));
    device.subscribe(ids.filter((id) => !device.streams.get(id)?.live));
  }
}

/** One device's doings until its link is gone or it is told to stop. */
export async function keep_busy(world, device) {
  let sends = 0;
  const { random } = world;
  const link = device.link;
  while (device.link === link && device.connected && !device.stop) {
    // Now and then also what it was removed from: that must be denied, or end at the removal.
    const barred = random.chance(0.1);
    const known = world.conversations.filter(({ id }) => {
      const stream = device.streams.get(id);
      return stream && (stream.live || barred);
    });
    if (known.length > 0) {
      const { id } = random.pick(known);
      const dice = random.next();
      if (dice < 0.7) {
        for (
          let burst = random.between(1, burst_most);
          burst > 0 && sends < sends_most;
          burst -= 1
        ) {
          if (device.queue.length < 8 && device.compose(id)) sends += 1;
        }
      } else if (dice < 0.82) {
        device.mark_read(id);
      } else if (dice < 0.92) {
        device.history(id);
      } else if (dice < 0.95) {
        device.sync();
      }
    }
    if (device === world.owner && random.chance(0.15)) change_members(world, device);
    if (device === world.owner && random.chance(0.05)) create_one(world, device);
    if (device.name === 'd0' && world.comers.includes(device.subject) && random.chance(0.05)) {
      come_or_go(world, device);
    }
    if (random.chance(0.01)) {
      device.disconnect(); // what the old link still has on its way may yet be stored
      await device.connect();
      return keep_busy(world, device);
    }
    await pause(random.between(2, 20));
  }
  return undefined;
}

/** Adds or removes one of those who come and go; never while the outcome of another is in doubt. */
function change_members(world, owner) {
  const { id } = world.random.pick(world.conversations.filter(({ kind }) => kind === 'group'));
  const subject = world.random.pick(world.comers);
  const user = world.users.get(subject);
  const inside = world.membership.get(`${id}/${user}`);
  if (inside === undefined) return;
  world.membership.set(`${id}/${user}`, undefined); // until an audit says
  if (inside) owner.membership('remove', 'removed', id, user, { user });
  else owner.membership('add', 'added', id, user, { members: [subject] });
}

function come_or_go(world, device) {
  const { id } = world.conversations.find(({ kind }) => kind === 'channel');
  const key = `${id}/${device.user}`;
  const inside = world.membership.get(key);
  if (inside === undefined) return;
  world.membership.set(key, undefined);
  if (inside) device.membership('leave', 'left', id, device.user, {});
  else device.membership('join', 'joined', id, device.user, {});
}

/** A conversation under a nonce; unanswered, the same request is made again after the restart. */
function create_one(world, owner) {
  world.nonce ??= world.random.hex(32);
  const nonce = world.nonce;
  const request = owner.link.ask('create', { kind: 'group', title: nonce.slice(0, 8), nonce });
  owner.background(
    request.then((answer) => {
      if (answer.type !== 'opened') return owner.violation('C1', JSON.stringify(answer));
      world.count('created');
      owner.tell('created', { nonce, conversation: answer.entry.conversation });
      if (world.nonce === nonce) world.nonce = undefined;
      return undefined;
    }),
  );
}

/** Connects; true when the server was there long enough. */
export async function arrive(device) {
  try {
    await device.connect();
    return true;
  } catch (error) {
    if (error instanceof LinkLost) return false;
    throw error;
  }
}

/** Waits until everybody has an answer to everything and all events up to the heads. */
export async function settle(world, devices, wanted_head = () => 0) {
  const give_up = Date.now() + 30_000;
  const waits_for = (device) => {
    if (!device.connected) return 'a link';
    if (device.link.asked.size > 0) return `${device.link.asked.size} answers`;
    if (device.has_open() || device.queue.length > 0) return 'acks';
    for (const [id, stream] of device.streams) {
      if (!stream.live) continue;
      const head = Math.max(stream.head, wanted_head(id));
      if (stream.waiting || stream.cursor.seq < head) {
        return `${id} #${stream.cursor.seq + 1} to #${head}`;
      }
    }
    return undefined;
  };
  for (;;) {
    const late = devices.map((device) => [device, waits_for(device)]).filter(([, what]) => what);
    if (late.length === 0) return;
    if (Date.now() > give_up) {
      for (const [device, what] of late) device.violation('liveness', `still waits for ${what}`);
      return;
    }
    await pause(5);
  }
}
