// socketio_server.mjs: a peer of the benchmarks on npm `socket.io`: "s" enters a room, "m" goes to
// everybody in it. Prints its port.
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const server = new Server(http, { transports: ["websocket"], serveClient: false });
server.on("connection", (socket) => {
  socket.on("s", (room) => {
    socket.join(room);
    socket.emit("s");
  });
  socket.on("m", (room, text) => server.to(room).emit("m", text));
});
http.listen(0, "127.0.0.1", () => console.log(http.address().port));
