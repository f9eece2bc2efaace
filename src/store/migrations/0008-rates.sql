-- What all processes together have asked of a venue, and until when it told them to wait. All times here are of the
-- venue's clock: its windows begin by it, and it is the only one that the processes have in common.

-- One row for each limit of the venue: the window that was counted last. Unlogged, so that counting a request never
-- waits for the disk; after a crash the venue's own answers tell its counts again.
create unlogged table rate_window (
  venue           text   not null,
  kind            text   not null check (kind in ('weight', 'orders', 'requests')),
  window_ms       bigint not null check (window_ms > 0),
  window_start_ms bigint not null,
  used            bigint not null check (used >= 0),
  -- Sent and not answered yet. Where a process dies on the way, its part stays until the window ends.
  in_flight       bigint not null check (in_flight >= 0),
  -- When the latest of the answers was given that are counted here. Processes tell of theirs in any order.
  settled_at_ms   bigint not null default 0,
  primary key (venue, kind, window_ms)
);

-- A ban outlives a crash of the database: asking on would make it longer.
create table rate_pause (
  venue     text    not null,
  scope     text    not null check (scope in ('everything', 'placements', 'entries')),
  until_ms  bigint  not null,
  is_ban    boolean not null,
  reason    text    not null,
  holder    text    not null,
  primary key (venue, scope)
);

create type rate_take as (outcome text, kind text, window_ms bigint, pause rate_pause);

-- Counts a request in all its limits or, when one of them would go over the share of the request's lane, in none.
-- A process whose clock is a little behind may still be in the window before: it is counted in the newer one.
create function take_rate(p_venue text, p_now_ms bigint, p_scopes text[], p_yield_ms bigint, p_charges jsonb)
returns rate_take language plpgsql as $$
declare
  held   rate_pause;
  charge record;
  total  bigint;
begin
  select * into held from rate_pause
    where venue = p_venue and scope = any (p_scopes) and until_ms + p_yield_ms > p_now_ms
    order by until_ms desc limit 1;
  if found then return ('paused', null, null, held)::rate_take; end if;
  for charge in
    select * from jsonb_to_recordset(p_charges)
      as wanted (kind text, "windowMs" bigint, "startMs" bigint, cost bigint, share bigint)
      order by kind, "windowMs"
  loop
    insert into rate_window as known (venue, kind, window_ms, window_start_ms, used, in_flight)
      values (p_venue, charge.kind, charge."windowMs", charge."startMs", 0, charge.cost)
      on conflict (venue, kind, window_ms) do update set
        window_start_ms = greatest(known.window_start_ms, excluded.window_start_ms),
        used = case when known.window_start_ms < excluded.window_start_ms then 0 else known.used end,
        in_flight = excluded.in_flight
          + case when known.window_start_ms < excluded.window_start_ms then 0 else known.in_flight end
      returning known.used + known.in_flight into total;
    if total > charge.share then raise exception sqlstate 'RB001' using message = 'overdrawn'; end if;
  end loop;
  return ('granted', null, null, null)::rate_take;
exception when sqlstate 'RB001' then
  -- What the loop had counted is undone with it.
  return ('overdrawn', charge.kind, charge."windowMs", null)::rate_take;
end $$;

-- What requests turned out to cost, `cost` in all. `taken` of it was counted as under way; `reported`, where the venue
-- told it, is its own count at some moment, and `added` what it cost after that.
create function settle_rate(p_venue text, p_settlements jsonb) returns void language plpgsql as $$
declare
  told record;
begin
  for told in
    select * from jsonb_to_recordset(p_settlements)
      as settled (kind text, "windowMs" bigint, "startMs" bigint, taken bigint, reported bigint,
                  "reportedAtMs" bigint, added bigint, cost bigint, "settledAtMs" bigint)
      order by kind, "windowMs", "startMs"
  loop
    insert into rate_window as known (venue, kind, window_ms, window_start_ms, used, in_flight, settled_at_ms)
      values (p_venue, told.kind, told."windowMs", told."startMs", coalesce(told.reported, 0) + told.added, 0,
        told."settledAtMs")
      on conflict (venue, kind, window_ms) do update set
        window_start_ms = excluded.window_start_ms,
        in_flight = case when known.window_start_ms < excluded.window_start_ms then 0
                         else greatest(0, known.in_flight - told.taken) end,
        used = case
          when known.window_start_ms < excluded.window_start_ms then excluded.used
          when told.reported is null then known.used + told.cost
          when told.kind <> 'orders' then greatest(known.used, told.reported) + told.added
          -- Only the count of placements can fall: each first fill takes one off. A report that is older than something
          -- counted here does not know of that, so what it stands for comes on top until a newer one.
          when told."reportedAtMs" > known.settled_at_ms then excluded.used
          else greatest(known.used + told.cost, excluded.used) end,
        settled_at_ms = greatest(known.settled_at_ms, excluded.settled_at_ms)
      where known.window_start_ms <= excluded.window_start_ms;
  end loop;
end $$;

-- The longer of two pauses counts. Whoever listens is told.
create function pause_rate(p_venue text, p_scope text, p_until_ms bigint, p_is_ban boolean, p_reason text, p_holder text)
returns void language plpgsql as $$
begin
  insert into rate_pause as known (venue, scope, until_ms, is_ban, reason, holder)
    values (p_venue, p_scope, p_until_ms, p_is_ban, p_reason, p_holder)
    on conflict (venue, scope) do update set
      until_ms = excluded.until_ms, is_ban = excluded.is_ban, reason = excluded.reason, holder = excluded.holder
    where known.until_ms < excluded.until_ms;
  if found then perform pg_notify('ratchet_pauses', p_venue); end if;
end $$;
