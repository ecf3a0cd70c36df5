-- What is granted of a charge between its least and its most. Needs `limit-counters`, `limits`.

local function charge_item(quota, sign, units, least)
  return {
    quota = quota,
    sign = sign,
    units = units,
    least = least,
    consumed = sign == '=' and units or 0,
    held = sign == '~' and units or 0,
  }
end

-- The items at their least.
local function least_of(items)
  local least = {}
  for index, item in ipairs(items) do
    least[index] = item.least and charge_item(item.quota, item.sign, item.least) or item
  end
  return least
end

-- How many of these units the lines allow: soft pools and shadow limits allow what can be counted exactly.
local function allowed_of(units, lines)
  local own, shared = lines.own, lines.shared
  for place = 0, #shared do
    local line = shared[place] or own
    local remaining = line.remaining or remaining_of(line)
    units = math.min(units, line.mode == 'h' and remaining or remaining - line.cap + UNITS_MAX)
  end
  return units
end

-- The items with what remains, between their least and their units: all get the same share of their range, rounded up. To be called
-- where every least fits.
local function granted_items(items, lines)
  local share, allowed, granted = 1, {}, {}
  for index, item in ipairs(items) do
    if item.least then
      allowed[index] = allowed_of(item.units, lines[index])
      if allowed[index] < item.units then
        share = math.min(share, (allowed[index] - item.least) / (item.units - item.least))
      end
    end
  end
  for index, item in ipairs(items) do
    granted[index] = item
    if item.least then
      local units = item.least + math.ceil(share * (item.units - item.least))
      granted[index] = charge_item(item.quota, item.sign, math.min(units, allowed[index]))
    end
  end
  return granted
end
