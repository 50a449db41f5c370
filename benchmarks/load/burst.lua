-- Sends the requests of the file REQUESTS, one after the other and over again, and prints what came of it as JSON.

local requests = {}
for request in assert(io.open(os.getenv("REQUESTS"), "rb")):read("*a"):gmatch("([^%z]+)") do
  requests[#requests + 1] = request
end

local sent = 0

function request()
  sent = sent + 1
  return requests[(sent - 1) % #requests + 1]
end

-- With PAUSE, each connection waits so many milliseconds on average between its requests.
local pause = tonumber(os.getenv("PAUSE") or "0")
if pause > 0 then
  function delay()
    return math.random(0, 2 * pause)
  end
end

function done(summary, latency)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format(
    'RESULT {"seconds": %.6f, "requests": %d, "refused": %d, "broken": %d, ' ..
    '"p50": %.3f, "p95": %.3f, "p99": %.3f, "mean": %.3f}\n',
    summary.duration / 1e6, summary.requests, errors.status, broken,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3, latency.mean / 1e3))
end
