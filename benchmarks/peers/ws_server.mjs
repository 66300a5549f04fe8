// ws_server.mjs: a peer of the benchmarks on npm `ws`, as its users write rooms: "S0001" enters a
// room, "P0001…" goes to everybody in it. Prints its port.
import { WebSocketServer } from "ws";

const rooms = new Map();
const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
server.on("listening", () => console.log(server.address().port));
server.on("connection", (socket) => {
  socket.on("message", (data) => {
    const room = data.toString("latin1", 1, 5);
    if (data[0] === 0x53) {
      if (!rooms.has(room)) rooms.set(room, new Set());
      rooms.get(room).add(socket);
      socket.send("A");
    } else {
      for (const member of rooms.get(room)) member.send(data, { binary: true });
    }
  });
});
