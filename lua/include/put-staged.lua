-- Puts the staged values of these fields in place of `values`. `prefix`: of the staging that is current. `unpack` fails near 8,000 values.
local function put_staged(prefix, key, names, values)
  for first = 1, #names, 4000 do
    local last, fields = math.min(first + 3999, #names), {}
    for place = first, last do
      fields[place - first + 1] = prefix .. names[place]
    end
    local staged = redis.call('HMGET', key, unpack(fields))
    for place = first, last do
      local value = staged[place - first + 1]
      if value then values[place] = value ~= '' and value end
    end
  end
end
