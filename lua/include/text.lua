-- An integer as text. `..` and tostring round from 10^14 on, and print a double slowly, as '%.0f' does; '%d' is fast, but takes a
-- C long, which has 32 bits on some machines: the first number that is too large for it shows that.
local format = string.format
local long_has_64_bits = false
local function text(number)
  if long_has_64_bits or (number < 2147483648 and number > -2147483648) then return format('%d', number) end
  local long = format('%d', number)
  long_has_64_bits = long + 0 == number
  return long_has_64_bits and long or format('%.0f', number)
end
