-- An integer as text. `..` and tostring round from 10^14 on, and print a double slowly, as '%.0f' does; '%d' is fast, but takes a
-- C long, which has 32 bits on some machines.
local format = string.format
local LONG_HAS_64_BITS = format('%d', 1099511627776) == '1099511627776'
local function text(number)
  if LONG_HAS_64_BITS or (number < 2147483648 and number > -2147483648) then return format('%d', number) end
  return format('%.0f', number)
end
