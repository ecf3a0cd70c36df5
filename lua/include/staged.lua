-- Stagings. A large change is written in pieces, into the tables it is for, as fields '!<id>:<field>' that nothing reads. One step
-- makes them current: the org's state becomes 'open:<id>'. From then on a staged value stands for its field ('': the field is
-- deleted), until all of them are moved into place in pieces, and the state is 'open' again.
local function staged_prefix(state)
  local id = state and string.match(state, '^open:(%d+)$')
  return id and '!' .. id .. ':'
end
