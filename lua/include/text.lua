-- An integer as text: from 10^14 on, `..` and tostring would round it.
local function text(number)
  if number < 1e14 and number > -1e14 then return number end
  return string.format('%.0f', number)
end
