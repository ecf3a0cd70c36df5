--[[
  A call on one org's data: many operations, decided in order, in one atomic step. What it promises stands in prose in
  src/ledger/port.ts; fields and records in lua/README.md.

  KEYS[1] org       KEYS[2] limits   KEYS[3] members   KEYS[4] groups   KEYS[5] holds   KEYS[6] due
  KEYS[7] producers     KEYS[8] journal  KEYS[9] outbox    KEYS[10] cycles
  KEYS[11] keys     KEYS[12] audit   KEYS[13], KEYS[14] …  consumed and held of each cycle named in the call, in its order
  KEYS[#KEYS] changes

  ARGV[1] what the call expects: '<epoch>|<start>|<end>|<version of the cycle rule>'; the epoch is '' if not known; start and end
          are those of the first cycle, both '' if the call names none
  ARGV[2] '<register or deny unknown users>|<due holds to expire>', then '|<start>|<end>' of each further cycle
  ARGV[3] producer, '' for none     ARGV[4] sequence number on the producer
  ARGV[5] latest time that the clock can show, 0: not known
  ARGV[6] … either plain reservations, which hold nothing:
    =<charges>                        what each of those after it is charged, until the next
    <user>[;<claims>]                 a reservation; both as below
  or the operations:
    R user claims charges hold ttl    reserve; user: a user key, or '#<key id>:<hash>' of an API key
                                        claims: those behind a '!' must all be known
                                        charges: '<quota>~<units>:<least>': held, from least to units; after them ';<model>'
    S hold units estimated detail     settle: units by item, comma-separated; 'e' or ''; detail: '' or '<model>|<raw>,…', the raw
                                        amounts by item, nothing where they are the units
    L hold keep audit                 release: '1' leaves a tombstone; entry of the audit log, '' for none
    N hold ttl progress more          renew
    F user groups charges cycle at call key   refund; call: '<producer>.<number>' of the admission; key: id of its API key
    C user claims charges at estimated key raws   charge what was served without a decision
    X lines                           requests that were refused, as the journal has them
    A user - charges sign groups mark audit   adjust by an admin; charges: one fixed; sign: '+' or '-'; groups: '*' for the user's own;
                                        mark: comes back; entry of the audit log
    0                                 nothing

  Returns { code, now, start, end, previous, rule, rule version, epoch, lines, expired, due in cycle, replayed, clipped,
            clock, overshoots, result … }
          or, from the common path, a text: '8|now|clock|lines|start|end|rule version', then a line per result, its parts separated by '|';
          9 instead of 8: replayed. The epoch is then as the call names it.
  code: 0 ok, 1 cycle, 2 no org, 3 lost, 4 stale, 5 producer lost, 6 producer behind, 7 clock: it shows a time past
        ARGV[5]. Only ok, 8 and 9 have changed anything.
  lines: with code 6 instead the number of the last call of the producer
  clipped: moves that would have taken a counter below 0, and stopped there; clock: what the store's clock shows
  overshoots: '<quota>=<units>', comma-separated: charged by settled and expired holds above what they held, past a hard
        limit
  result: { 0 admitted | 1 spent | 2 held, groups, detail, n, n × (item, scope, group, limit, consumed, held, requested),
            items × (scope, limit, remaining), admitted with a least: items × granted };
            groups: after '<user>;' if an API key identified the user;
            detail: 1 if the hold exists already; of a refusal the place of the primary violation
          { 3 denied, reason: 1 no plan, 2 unknown user, 3 inactive user, 4 no seat, 5 too many groups, 6 org archived,
            7 voided, 8 invalid key, 9 unknown group and then the names of those }
          { 4 settled, late, overshoot by item … }
          { 5 done, 1 released, 2 renewed, 3 refunded, 4 unknown hold, 5 expired hold, 6 other cycle, 7 none, 8 unproven,
            9 noted }
          { 6 adjusted, mark, 1 corrected | 2 below zero | 3 too large, groups, scope and group of the line that stopped it,
            consumed of the user, of the org }
  scope: 0 none, 1 user, 2 group, 3 org
]]
local FIRST_OP, EQUALS = 6, 61

-- Every call that is not common. Lua makes a function's inner functions when it is entered: a common call does not pay for them.
-- This one uses nothing from outside, because Lua would allocate each variable that it uses.
local function full_path()
  local ARGV, KEYS = ARGV, KEYS

  --- @include "now"
  --- @include "text"
  --- @include "force-hashtable"
  --- @include "limits"

  local OK, CYCLE, NO_ORG, LOST, STALE, PRODUCER_LOST, PRODUCER_BEHIND, CLOCK = 0, 1, 2, 3, 4, 5, 6, 7
  local COMMON, COMMON_REPLAYED = 56, '9'
  local head, present, cycles
  local journal, clock = {}, nil
  local PRODUCER_YOUNG_MS = 43200000

  --- @include "staged"
  --- @include "put-staged"
  --- @include "hash-fields"
  --- @include "pool"
  --- @include "cycle"
  --- @include "limit-counters"
  --- @include "notices"
  --- @include "check-limits"
  --- @include "grants"
  --- @include "calls"
  --- @include "holds"
  --- @include "members"
  --- @include "keys"
  --- @include "reserve"
  --- @include "settle"
  --- @include "adjust"

  local ARITY = { R = 5, S = 4, L = 3, N = 4, F = 7, C = 7, X = 1, A = 7, ['0'] = 0 }

  local function read_head()
    local values = redis.call(
      'HMGET',
      KEYS[1],
      'epoch',
      'now',
      'start',
      'end',
      'prev',
      'rule',
      'ruleVersion',
      'state',
      'thresholds',
      'staging',
      'due',
      '!call:' .. ARGV[3]
    )
    if not values[1] then return nil, values[8] == 'lost' end
    return {
      epoch = values[1],
      now = math.max(clock, tonumber(values[2] or 0)),
      start = tonumber(values[3]),
      finish = tonumber(values[4]),
      previous = tonumber(values[5] or 0),
      rule = values[6],
      rule_version = tonumber(values[7]),
      state = values[8],
      thresholds = values[9] or '',
      staged = staged_prefix(values[8]),
      staging = values[10],
      due = values[11],
      record = values[12],
    }
  end

  local function line_count()
    local count = 0
    for _, cycle in ipairs(cycles) do
      count = count + #cycle.lines
    end
    return count
  end

  local function outside(code, last) return { code, 0, 0, 0, 0, '', 0, '', last or 0, 0, 0, 0, 0, clock, '' } end

  -- The rule travels only where the caller has to compute bounds.
  local function standing(code)
    local rule = code == CYCLE and head.rule or ''
    return {
      code,
      head.now,
      head.start,
      head.finish,
      head.previous,
      rule,
      head.rule_version,
      head.epoch,
      line_count(),
      expired,
      due_in,
      0,
      clipped,
      clock,
      table.concat(overshoots, ','),
    }
  end

  -- Whether the org may have forgotten the producer: '<id>@<born>' is made within half of the time for which producers are kept.
  local function is_old(producer)
    local born = string.match(producer, '@(%d+)$')
    return born and math.abs(clock - born) > PRODUCER_YOUNG_MS
  end

  -- The first answer of this sequence number, or why there is none; nil where the call may run.
  local function answer_of_producer(producer, seq)
    if producer == '' then return nil end
    local record = head.record or redis.call('HGET', KEYS[7], producer)
    if not record then return (seq > 1 or is_old(producer)) and outside(PRODUCER_LOST) or nil end
    local last, at = string.match(record, '^(%d+)|%d+|()')
    last = tonumber(last)
    if seq == last + 1 then return nil end
    -- What came between was answered once, and is missing here: a fail-over or a backup lost it.
    if seq > last then return outside(PRODUCER_BEHIND, last) end
    if seq < last then return outside(STALE) end
    if string.byte(record, at) == COMMON then return COMMON_REPLAYED .. string.sub(record, at + 1) end
    local reply = cmsgpack.unpack(string.sub(record, at))
    reply[12] = 1
    return reply
  end

  -- '<start>|<end>' of each cycle.
  local function asked_cycles(bounds)
    local asked = {}
    for start, finish in string.gmatch(bounds, '(%d+)|(%d+)') do
      local index = #asked + 1
      asked[index] = {
        start = tonumber(start),
        finish = tonumber(finish),
        consumed_key = KEYS[11 + 2 * index],
        held_key = KEYS[12 + 2 * index],
        by_quota = {},
        lines = {},
        lines_read = 0,
      }
    end
    return asked
  end

  -- Plain reservations, written out as operations.
  local function written_out()
    local args, last, charges = { unpack(ARGV, 1, FIRST_OP - 1) }, FIRST_OP - 1, ''
    for at = FIRST_OP, #ARGV do
      local user, claims = string.match(ARGV[at], '^([^;]*);?(.*)$')
      if string.byte(user) == EQUALS then
        charges = string.sub(ARGV[at], 2)
      else
        args[last + 1], args[last + 2], args[last + 3], args[last + 4] = 'R', user, claims, charges
        args[last + 5], args[last + 6], last = '', '0', last + 6
      end
    end
    return args
  end

  local function perform(at)
    local op = ARGV[at]
    if op == 'R' then return reserve(at) end
    if op == 'S' then return settle(ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]) end
    if op == 'L' then return release_by_hand(ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]) end
    if op == 'N' then return renew(ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]) end
    if op == 'F' then return refund(at) end
    if op == 'C' then return charge_served(at) end
    if op == 'X' then return note_refusals(ARGV[at + 1]) end
    if op == 'A' then return adjust(at) end
    return { DONE, NONE }
  end

  -- Where an operation names its hold.
  local HOLD_AT = { R = 4, S = 1, L = 1, N = 1 }

  -- Places of the operations in ARGV; what they need is read at once.
  local function find_operations()
    local places, reserving, holds_named, ending = {}, {}, {}, {}
    local at = FIRST_OP
    while at <= #ARGV do
      local op = ARGV[at]
      local hold = HOLD_AT[op] and ARGV[at + HOLD_AT[op]] or ''
      places[#places + 1] = at
      if op == 'R' or op == 'C' or op == 'A' then reserving[#reserving + 1] = at end
      if op == 'S' or op == 'L' then ending[#ending + 1] = hold end
      if hold ~= '' then holds_named[#holds_named + 1] = hold end
      at = at + 1 + ARITY[op]
    end
    read_holds(holds_named)
    name_lines(ending)
    if #reserving > 0 then read_ahead(reserving) end
    for _, cycle in ipairs(cycles) do
      read_lines(cycle)
    end
    return places
  end

  local function write_all(producer, seq, reply)
    local users, groups, org = threshold_lists(head.thresholds)
    note_crossings({ u = numbers(users), g = numbers(groups), o = numbers(org) })
    write_lines()
    write_holds()
    if #journal > 0 then redis.call('XADD', KEYS[8], '*', 'e', table.concat(journal, '\n')) end
    redis.call('HSET', KEYS[1], 'now', head.now_text, 'due', first_due())
    if producer ~= '' then
      redis.call('HSET', KEYS[1], '!call:' .. producer, seq .. '|' .. head.now_text .. '|' .. cmsgpack.pack(reply))
    end
  end

  local marked_lost
  clock = now()
  head, marked_lost = read_head()
  local epoch, bounds, rule_version = string.match(ARGV[1], '^([^|]*)|(%d*|%d*)|(%d+)$')
  local unknown, expire_most, further = string.match(ARGV[2], '^(%a+)|(%d+)(.*)$')
  if not head then return outside((epoch ~= '' or marked_lost) and LOST or NO_ORG) end
  if epoch ~= '' and epoch ~= head.epoch then return outside(LOST) end
  head.now_text = text(head.now)
  local producer, seq = ARGV[3], tonumber(ARGV[4])
  local answered = answer_of_producer(producer, seq)
  if answered then return answered end
  cycles = asked_cycles(bounds .. further)
  local latest = tonumber(ARGV[5])
  if latest > 0 and clock > latest then return standing(CLOCK) end
  unknown_users = unknown
  if not enter_cycle(cycles, tonumber(rule_version)) then return standing(CYCLE) end
  for _, cycle in ipairs(cycles) do
    cycle.present = cycle.start == head.start
    if cycle.present then present = cycle end
  end
  if string.byte(ARGV[FIRST_OP] or '') == EQUALS then ARGV = written_out() end
  local places = find_operations()
  expire_due(tonumber(expire_most))
  local results = {}
  for index, at in ipairs(places) do
    results[index] = perform(at)
  end
  local reply = standing(OK)
  for index, result in ipairs(results) do
    reply[15 + index] = result
  end
  write_all(producer, seq, reply)
  return reply
end

local ARGV, KEYS = ARGV, KEYS

--- @include "now"
--- @include "force-hashtable"
--- @include "limits"
--- @include "common-path"
