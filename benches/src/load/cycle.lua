-- Sends the requests of a file again and again, from a given one on. An address `new0000000000` in one becomes a new
-- address each time.
local requests = {}
local number = 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  for text in file:read("*a"):gmatch("[^\1]+") do
    requests[#requests + 1] = text
  end
  file:close()
  number = tonumber(args[2])
end

function request()
  number = number + 1
  local text = requests[number % #requests + 1]
  if fresh then
    text = text:gsub("new0000000000", ("new%010d"):format(number))
  end
  return text
end
