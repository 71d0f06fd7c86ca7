// k6 at a rate: its executor for an open workload, and its own statistics.
import http from "k6/http";

const fixed = JSON.parse(__ENV.BENCH_COMMON);
const url = `${__ENV.BENCH_URL}/api/messages`;
const params = {
  headers: { "Content-Type": "application/json", Authorization: `Bearer ${fixed.token}` },
};

export const options = {
  scenarios: {
    sends: {
      executor: "constant-arrival-rate",
      rate: Number(__ENV.BENCH_RATE),
      timeUnit: "1s",
      duration: `${__ENV.BENCH_SECONDS}s`,
      preAllocatedVUs: Number(__ENV.BENCH_IN_FLIGHT),
    },
  },
  summaryTrendStats: ["avg", "med", "p(95)", "p(99)", "count"],
};

export default function () {
  const key = `00000000-0000-4000-${String(__VU).padStart(4, "0")}-${String(__ITER).padStart(12, "0")}`;
  http.post(url, JSON.stringify({ chatId: fixed.chat, text: fixed.text, clientGeneratedId: key }), params);
}

export function handleSummary(data) {
  const found = data.metrics.http_req_duration.values;
  return {
    [__ENV.BENCH_OWN]: JSON.stringify({
      avg_ms: found.avg,
      p50_ms: found.med,
      p95_ms: found["p(95)"],
      p99_ms: found["p(99)"],
      count: found.count,
    }),
  };
}
