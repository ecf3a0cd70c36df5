-- An integer as text. `..` and tostring round from 10^14 on, and print a double slowly; '%d' is fast, but takes a C long,
-- which has 32 bits on some machines.
local format = string.format
local function text(number)
  if number < 2147483648 and number > -2147483648 then return format('%d', number) end
  return string.format('%.0f', number)
end
