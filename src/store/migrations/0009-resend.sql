-- Policy `resend`: an entry order that the venue does not know after its fence is presumed dead, and its next generation
-- is intended in the same statement, so that its reservation is free at no moment. A presumption is no proof: the order
-- may yet appear, and what it fills then counts.
-- Outcomes: committed, existing (the next generation stands already), not-pending (the venue has answered meanwhile),
-- held, exit-requested.
create function commit_resend_intent(p_dead_id text, p_dead_event_id uuid, p_dead_body text, p_order jsonb,
                                     p_event_id uuid, p_body text) returns intent_result
language plpgsql as $$
declare
  wanted    orders := jsonb_populate_record(null::orders, p_order);
  the_trade trade;
  dead      orders;
  in_force  hold;
begin
  select * into the_trade from trade where trade_id = wanted.trade_id for no key update;
  if exists (select 1 from orders where client_order_id = wanted.client_order_id) then
    return ('existing', null, null)::intent_result;
  end if;
  select * into dead from orders where client_order_id = p_dead_id for no key update;
  if not found or dead.status <> 'pendingNew' then return ('not-pending', null, null)::intent_result; end if;
  if exists (select 1 from exit_request where trade_id = wanted.trade_id) then
    return ('exit-requested', null, null)::intent_result;
  end if;
  perform pg_advisory_xact_lock_shared(hold_lock_key());
  in_force := strictest_hold(the_trade.account_id, the_trade.strategy, wanted.symbol, wanted.created_at_ms);
  if in_force.hold_id is not null then return ('held', in_force.hold_id, null)::intent_result; end if;
  update orders set status = 'canceled', in_doubt = false, reason_code = 'ORDER_PRESUMED_DEAD', reason = null,
      revision = revision + 1, updated_at_ms = wanted.created_at_ms
    where client_order_id = p_dead_id;
  perform record_event(p_dead_event_id, 'OrderPresumedDead', wanted.trade_id, p_dead_body);
  perform insert_intent(wanted, p_event_id, 'OrderIntent', p_body);
  return ('committed', null, null)::intent_result;
end $$;

-- Looked at on and on for a while, because a presumption is no proof.
create index orders_presumed_dead on orders (account_id, updated_at_ms) where reason_code = 'ORDER_PRESUMED_DEAD';
