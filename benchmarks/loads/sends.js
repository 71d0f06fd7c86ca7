// k6 making the same POST; k6's own metrics and no record.
import http from "k6/http";

const fixed = JSON.parse(__ENV.BENCH_COMMON);
const url = `${__ENV.BENCH_URL}/api/messages`;
const params = {
  headers: { "Content-Type": "application/json", Authorization: `Bearer ${fixed.token}` },
};

export const options = { vus: 50, duration: "1h" };

export default function () {
  // A UUID's length and one of a kind, at less cost than a real one.
  const key = `00000000-0000-4000-${String(__VU).padStart(4, "0")}-${String(__ITER).padStart(12, "0")}`;
  http.post(url, JSON.stringify({ chatId: fixed.chat, text: fixed.text, clientGeneratedId: key }), params);
}
