-- Counts answers by status. It takes the generator time, so that fast loads do without.
statuses = {}

function response(status)
  local key = tostring(status)
  statuses[key] = (statuses[key] or 0) + 1
end
