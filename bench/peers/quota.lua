-- The check of nginx + Lua + Redis: one EVALSHA of `decide.lua` per request, on a kept-alive connection.
local POOL, IDLE_MS, TIMEOUT_MS = 64, 60000, 1000

local function frame(args)
  local parts = { '*', #args, '\r\n' }
  for _, arg in ipairs(args) do
    parts[#parts + 1] = '$' .. #arg .. '\r\n' .. arg .. '\r\n'
  end
  return parts
end

local function read(sock)
  local line, err = sock:receive()
  if not line then return nil, err end
  local kind, rest = line:sub(1, 1), line:sub(2)
  if kind == ':' then return tonumber(rest) end
  if kind == '-' then return nil, rest end
  if kind == '*' then
    local values = {}
    for index = 1, tonumber(rest) do values[index] = read(sock) end
    return values
  end
  return rest
end

local function ask(sock, args)
  local sent, err = sock:send(frame(args))
  if not sent then return nil, err end
  return read(sock)
end

return function(socket_path, source, sha)
  local headers = ngx.req.get_headers()
  local org, user = headers['x-quota-org'], headers['x-quota-user']
  if not org or not user then return ngx.exit(401) end
  local sock = ngx.socket.tcp()
  sock:settimeout(TIMEOUT_MS)
  if not sock:connect('unix:' .. socket_path, { pool_size = POOL }) then return ngx.exit(503) end
  local args = { 'EVALSHA', sha, '2', 'peer:{' .. org .. '}:limits', 'peer:{' .. org .. '}:consumed', user, 'g1', '1' }
  local answer, err = ask(sock, args)
  if not answer and err and err:find('NOSCRIPT', 1, true) then
    args[1], args[2] = 'EVAL', source
    answer = ask(sock, args)
  end
  if not answer then return ngx.exit(503) end
  sock:setkeepalive(IDLE_MS, POOL)
  ngx.header['RateLimit'] = '"usage";r=' .. answer[2]
  if answer[1] == 0 then return ngx.exit(429) end
end
