--[[
  The store's time. No KEYS, no ARGV.

  Returns it in ms.
]]
--- @include "now"
return now()
