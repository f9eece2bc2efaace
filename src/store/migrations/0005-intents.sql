-- The intent of an order is committed by one server-side statement, so that a stopped client can't hold its locks.
-- Halts take the hold lock exclusively, intents shared: a halt committed before refuses the intent, one that comes
-- later waits for it. Advisory locks queue fairly, so a stream of intents can't starve a halt. The trade's row comes
-- first: who waits for it must not keep a halt waiting.

create function hold_lock_key() returns bigint language sql immutable as 'select 7233001::bigint';

create function strictest_hold(p_account text, p_strategy text, p_symbol text, p_now_ms bigint) returns hold
language sql stable as $$
  select * from hold
  where lifted_at_ms is null and (expires_at_ms is null or expires_at_ms > p_now_ms)
    and ((scope_kind = 'all') or (scope_kind = 'account' and scope_id = p_account)
      or (scope_kind = 'strategy' and scope_id = p_strategy) or (scope_kind = 'symbol' and scope_id = p_symbol))
  order by case level when 'flatten' then 0 when 'frozen' then 1 else 2 end, version
  limit 1
$$;

create type intent_result as (outcome text, hold_id text, quantity_left numeric);

create function insert_intent(wanted orders, p_event_id uuid, p_event_type text, p_body text) returns void
language plpgsql as $$
begin
  insert into orders (client_order_id, trade_id, leg, purpose, generation, account_id, venue, symbol, side, order_type,
      time_in_force, quantity, limit_price, status, intent_at_ms, recv_window_ms, created_at_ms, updated_at_ms)
    values (wanted.client_order_id, wanted.trade_id, wanted.leg, wanted.purpose, wanted.generation, wanted.account_id,
      wanted.venue, wanted.symbol, wanted.side, wanted.order_type, wanted.time_in_force, wanted.quantity,
      wanted.limit_price, 'pendingNew', wanted.intent_at_ms, wanted.recv_window_ms,
      wanted.created_at_ms, wanted.created_at_ms);
  insert into order_send (client_order_id, send_epoch, signed_at_ms)
    values (wanted.client_order_id, 1, wanted.intent_at_ms);
  perform record_event(p_event_id, p_event_type, wanted.trade_id, p_body);
end $$;

-- Entries: refused by any hold in force, and never more than was reserved, over all orders of the leg.
-- Outcomes: committed, existing, held, not-approved, exit-requested, exceeds-reservation (with what is left of it).
create function commit_entry_intent(p_order jsonb, p_event_id uuid, p_body text) returns intent_result
language plpgsql as $$
declare
  wanted    orders := jsonb_populate_record(null::orders, p_order);
  the_trade trade;
  in_force  hold;
  reserved  numeric;
  spoken_for numeric;
begin
  select * into the_trade from trade where trade_id = wanted.trade_id for no key update;
  if not found or the_trade.decision <> 'approved' then return ('not-approved', null, null)::intent_result; end if;
  if exists (select 1 from orders where client_order_id = wanted.client_order_id) then
    return ('existing', null, null)::intent_result;
  end if;
  if exists (select 1 from exit_request where trade_id = wanted.trade_id) then
    return ('exit-requested', null, null)::intent_result;
  end if;
  select quantity - voided_quantity into reserved from reservation
    where trade_id = wanted.trade_id and leg = wanted.leg and symbol = wanted.symbol and side = wanted.side;
  select coalesce(sum(case when status in ('pendingNew', 'new', 'partiallyFilled', 'parked') then quantity
                           else greatest(filled_quantity, reported_quantity) end), 0)
    into spoken_for from orders where trade_id = wanted.trade_id and leg = wanted.leg and purpose = 'entry';
  if spoken_for + wanted.quantity > coalesce(reserved, 0) then
    return ('exceeds-reservation', null, greatest(coalesce(reserved, 0) - spoken_for, 0))::intent_result;
  end if;
  perform pg_advisory_xact_lock_shared(hold_lock_key());
  in_force := strictest_hold(the_trade.account_id, the_trade.strategy, wanted.symbol, wanted.created_at_ms);
  if in_force.hold_id is not null then return ('held', in_force.hold_id, null)::intent_result; end if;
  perform insert_intent(wanted, p_event_id, 'OrderIntent', p_body);
  return ('committed', null, null)::intent_result;
end $$;

-- Exits: no hold stops them. Everything that is or may still be sold stays within what was bought.
-- Outcomes: committed, existing, exceeds-position (with what is left to sell).
create function commit_exit_intent(p_order jsonb, p_event_id uuid, p_body text) returns intent_result
language plpgsql as $$
declare
  wanted orders := jsonb_populate_record(null::orders, p_order);
  bought numeric;
  spoken_for numeric;
begin
  perform 1 from trade where trade_id = wanted.trade_id for no key update;
  if exists (select 1 from orders where client_order_id = wanted.client_order_id) then
    return ('existing', null, null)::intent_result;
  end if;
  select entry_quantity - base_fee into bought from position where trade_id = wanted.trade_id and leg = wanted.leg;
  -- An order that can still fill counts in full, one that is closed with what it filled. A parked exit counts only its
  -- fills: it was presumed dead after its fence, and the position must not stay open for it.
  select coalesce(sum(case when status in ('pendingNew', 'new', 'partiallyFilled') then quantity
                           else greatest(filled_quantity, reported_quantity) end), 0)
    into spoken_for from orders where trade_id = wanted.trade_id and leg = wanted.leg and purpose = 'exit';
  if spoken_for + wanted.quantity > coalesce(bought, 0) then
    return ('exceeds-position', null, greatest(coalesce(bought, 0) - spoken_for, 0))::intent_result;
  end if;
  perform insert_intent(wanted, p_event_id, 'ExitIntent', p_body);
  return ('committed', null, null)::intent_result;
end $$;

-- The same order once more, under a timestamp of its own: only when every send before it definitely did not reach the
-- matching engine and the venue would refuse a late copy of the last one.
-- Outcomes: renewed, superseded (another epoch by now), not-pending, in-doubt, too-early, held, exit-requested.
create function renew_intent(p_client_order_id text, p_from_epoch integer, p_signed_at_ms bigint, p_now_ms bigint,
                             p_event_id uuid, p_body text) returns intent_result
language plpgsql as $$
declare
  the_order orders;
  the_trade trade;
  in_force  hold;
begin
  select t.* into the_trade from trade t join orders o using (trade_id)
    where o.client_order_id = p_client_order_id for no key update of t;
  select * into the_order from orders where client_order_id = p_client_order_id for no key update;
  if not found or the_order.status <> 'pendingNew' then return ('not-pending', null, null)::intent_result; end if;
  if the_order.send_epoch <> p_from_epoch then return ('superseded', null, null)::intent_result; end if;
  if the_order.in_doubt or exists (select 1 from order_send where client_order_id = p_client_order_id
      and (outcome is null or outcome not in ('NOT_SENT', 'THROTTLED'))) then
    return ('in-doubt', null, null)::intent_result;
  end if;
  if p_signed_at_ms <= the_order.intent_at_ms + the_order.recv_window_ms then
    return ('too-early', null, null)::intent_result;
  end if;
  if the_order.purpose = 'entry' then
    if exists (select 1 from exit_request where trade_id = the_order.trade_id) then
      return ('exit-requested', null, null)::intent_result;
    end if;
    perform pg_advisory_xact_lock_shared(hold_lock_key());
    in_force := strictest_hold(the_trade.account_id, the_trade.strategy, the_order.symbol, p_now_ms);
    if in_force.hold_id is not null then return ('held', in_force.hold_id, null)::intent_result; end if;
  end if;
  update orders set send_epoch = p_from_epoch + 1, intent_at_ms = p_signed_at_ms, updated_at_ms = p_now_ms
    where client_order_id = p_client_order_id;
  insert into order_send (client_order_id, send_epoch, signed_at_ms)
    values (p_client_order_id, p_from_epoch + 1, p_signed_at_ms);
  perform record_event(p_event_id,
    case the_order.purpose when 'entry' then 'OrderIntentRenewed' else 'ExitIntentRenewed' end,
    the_order.trade_id, p_body);
  return ('renewed', null, null)::intent_result;
end $$;
