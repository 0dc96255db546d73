-- One event (or EVENTS of them) a request to the tracker's door, each with an id of its own.
dofile((os.getenv("BENCHMARKS") or "Benchmarks") .. "/report.lua")
local key, origin, count = os.getenv("TRACKER_KEY"), os.getenv("TRACKER_ORIGIN"), tonumber(os.getenv("EVENTS") or "1")
local run, at = tostring(os.time()) .. "-" .. tostring(math.random(1000000000)), 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "text/plain"
wrk.headers["Origin"] = origin
function request()
  local batch = {}
  for index = 1, count do
    at = at + 1
    batch[index] = string.format(
      '{"type":"track","event":"Product Viewed","messageId":"%s-%d","timestamp":"%s","anonymousId":"v%d","properties":{"product_id":"i%d"}}',
      run, at, os.date("!%Y-%m-%dT%H:%M:%SZ"), at % 5000, at % 10000)
  end
  return wrk.format(nil, nil, nil, '{"key":"' .. key .. '","sentAt":"' .. os.date("!%Y-%m-%dT%H:%M:%SZ") .. '","batch":[' .. table.concat(batch, ",") .. "]}")
end
