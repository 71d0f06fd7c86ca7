// k6: receive each frame and count it; nothing is decoded.
import ws from "k6/ws";

const url = `${__ENV.BENCH_URL.replace("http", "ws")}/realtime/v1/websocket?vsn=2.0.0`;

export const options = { vus: 1, iterations: 1 };

export default function () {
  let frames = 0;
  ws.connect(url, {}, (socket) => {
    socket.on("open", () => socket.send(__ENV.BENCH_JOIN));
    socket.on("message", () => {
      frames += 1;
    });
  });
}
