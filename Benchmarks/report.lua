-- What every load prints, in a form that a program reads.
function done(summary, latency, requests)
  local errors = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout
  io.write(string.format("requests=%d\nerrors=%d\nrate=%.1f\np50=%d\np99=%d\n", summary.requests, errors,
    summary.requests / (summary.duration / 1e6), latency:percentile(50), latency:percentile(99)))
end
