-- Stop orders held at the venue: they only take risk away, are sent by the same path as exits, and count as such.

alter table orders
  add column stop_price numeric check (stop_price > 0),
  drop constraint orders_purpose_check,
  add constraint orders_purpose_check check (purpose in ('entry', 'exit', 'stop')),
  drop constraint orders_order_type_check,
  add constraint orders_order_type_check check (order_type in ('MARKET', 'LIMIT', 'STOP_LIMIT')),
  drop constraint orders_check,
  add constraint orders_prices_check check
    ((order_type <> 'MARKET') = (limit_price is not null) and (order_type = 'STOP_LIMIT') = (stop_price is not null));

create or replace function insert_intent(wanted orders, p_event_id uuid, p_event_type text, p_body text) returns void
language plpgsql as $$
begin
  insert into orders (client_order_id, trade_id, leg, purpose, generation, account_id, venue, symbol, side, order_type,
      time_in_force, quantity, limit_price, stop_price, status, intent_at_ms, recv_window_ms, created_at_ms,
      updated_at_ms)
    values (wanted.client_order_id, wanted.trade_id, wanted.leg, wanted.purpose, wanted.generation, wanted.account_id,
      wanted.venue, wanted.symbol, wanted.side, wanted.order_type, wanted.time_in_force, wanted.quantity,
      wanted.limit_price, wanted.stop_price, 'pendingNew', wanted.intent_at_ms, wanted.recv_window_ms,
      wanted.created_at_ms, wanted.created_at_ms);
  insert into order_send (client_order_id, send_epoch, signed_at_ms)
    values (wanted.client_order_id, 1, wanted.intent_at_ms);
  perform record_event(p_event_id, p_event_type, wanted.trade_id, p_body);
end $$;

-- Exits and stops: no hold stops them. Everything that is or may still be sold stays within what was bought.
-- Outcomes: committed, existing, exceeds-position (with what is left to sell).
create or replace function commit_exit_intent(p_order jsonb, p_event_id uuid, p_body text) returns intent_result
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
    into spoken_for from orders
    where trade_id = wanted.trade_id and leg = wanted.leg and purpose in ('exit', 'stop');
  if spoken_for + wanted.quantity > coalesce(bought, 0) then
    return ('exceeds-position', null, greatest(coalesce(bought, 0) - spoken_for, 0))::intent_result;
  end if;
  perform insert_intent(wanted, p_event_id, 'ExitIntent', p_body);
  return ('committed', null, null)::intent_result;
end $$;
