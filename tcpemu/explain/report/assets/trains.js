/* Trains: scenes one after the other in which nothing but data and its ACKs passes. A ladder draws them as one
   row, with one thick arrow for all segments of a kind, until somebody opens it. What was lost, sent again, ignored or
   answered, what changed a state or a queue, and every turning point of the story stands by itself. */

const LEAST_TRAIN = 5; // scenes

/* The first and the last scene of each. In none of them a packet both leaves and arrives: so each round trip has its own. */
function trainsOf(run, from) {
  const turns = new Set((run.story ?? []).map((turn) => turn.scene));
  const found = [];
  let first = null;
  const close = (last) => {
    if (first !== null && last - first + 1 >= LEAST_TRAIN) found.push([first, last]);
    first = null;
  };
  run.scenes.forEach((scene, n) => {
    const pause = n && scene.at - run.scenes[n - 1].at >= PAUSE;
    if (pause || turns.has(n) || !isPlain(run, scene)) close(n - 1);
    else if (first !== null && scene.packet !== undefined && from[scene.packet] >= first) close(n - 1);
    if (first === null && !turns.has(n) && isPlain(run, scene)) first = n;
  });
  close(run.scenes.length - 1);
  return found;
}

/* Whether there is nothing to see in a scene but data or its ACK. */
function isPlain(run, scene) {
  if (scene.says || scene.ignored || scene.answered || scene.states || scene.queues || scene.note || scene.accepted !== undefined) return false;
  const sent = (scene.sent ?? []).map((packet) => run.packets[packet]);
  if (scene.kind === "call" && (!/^(recv|send)\(/.test(scene.text) || isErrno(scene.result))) return false;
  if (scene.kind === "timer" && (!sent.length || sent.some((packet) => packet.length))) return false;
  const packets = scene.packet === undefined ? sent : [...sent, run.packets[scene.packet]];
  return packets.every(isPlainPacket);
}

const isPlainPacket = (packet) =>
  packet.role === "plain" && packet.lost === undefined && !packet.repeat && packet.copy_of === undefined && packet.arrived !== undefined;

/* What is said of some segments of one kind, the longest first. */
function trainWordings(packets) {
  const count = packets.length;
  const [first, last] = [packets[0], packets[count - 1]];
  if (!first.length) {
    const acks = packets.map((packet) => packet.ack);
    const most = Math.max(...acks);
    const same = count > 1 && acks.every((ack) => ack === most);
    return [same ? `${count} duplicate ACKs ${most}` : `${count} ACKs up to ${most}`, `${count} ACKs`];
  }
  const octets = packets.reduce((sum, packet) => sum + packet.length, 0);
  const segments = `${count} segments`;
  return [
    `${segments}, ${grouped(octets)} octets: seq ${first.seq} to ${last.seq + last.length - 1}`,
    `${segments}, ${grouped(octets)} octets`,
    segments,
    `${count} ×`,
  ];
}
