-- Prints what the driver reads; times are in microseconds.
local threads = {}

function setup(thread)
  threads[#threads + 1] = thread
end

function done(summary, latency)
  local counts = {}
  for _, thread in ipairs(threads) do
    for status, count in pairs(thread:get("statuses") or {}) do
      counts[#counts + 1] = ('"%s":%d'):format(status, count)
    end
  end
  local errors = summary.errors
  print(('figures {"requests":%d,"duration":%d,"p50":%d,"p99":%d,"max":%d,"connect":%d,"read":%d,"write":%d,'
    .. '"timeout":%d,"status":%d,"statuses":{%s}}'):format(
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    errors.connect, errors.read, errors.write, errors.timeout, errors.status, table.concat(counts, ",")))
end
