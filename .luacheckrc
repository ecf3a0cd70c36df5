std = 'lua51'
-- StyLua breaks lines of code; this is for comments.
max_line_length = 160
read_globals = { 'redis', 'KEYS', 'ARGV', 'cmsgpack' }
