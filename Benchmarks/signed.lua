-- Sends the signed requests of the file named in SIGNED, one after another.
dofile((os.getenv("BENCHMARKS") or "Benchmarks") .. "/report.lua")
local requests, at = {}, 0
function init(arguments)
  local file = io.open(os.getenv("SIGNED"), "rb")
  while true do
    local size = file:read("*l")
    if not size then break end
    requests[#requests + 1] = file:read(tonumber(size))
    file:read("*l")
  end
  file:close()
end
function request()
  at = at % #requests + 1
  return requests[at]
end
