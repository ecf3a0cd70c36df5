--[[
  The store's time in ms. No keys, no arguments.
]]
--- @include "now"
return now()
