-- One exit or stop in the place of another, in one request of the venue. It places the new one only when it has canceled
-- the old one, so the old one counts with its fills alone; everything else that is or may be sold counts as ever.
-- Outcomes: committed, existing, not-working (there is nothing to replace any more), exceeds-position.
create function commit_replace_intent(p_order jsonb, p_event_id uuid, p_body text, p_replaced text)
returns intent_result
language plpgsql as $$
declare
  wanted   orders := jsonb_populate_record(null::orders, p_order);
  replaced orders;
  bought   numeric;
  spoken_for numeric;
begin
  perform 1 from trade where trade_id = wanted.trade_id for no key update;
  if exists (select 1 from orders where client_order_id = wanted.client_order_id) then
    return ('existing', null, null)::intent_result;
  end if;
  select * into replaced from orders where client_order_id = p_replaced for no key update;
  if not found or replaced.status not in ('new', 'partiallyFilled') or replaced.in_doubt
     or replaced.purpose = 'entry' or (replaced.trade_id, replaced.leg) <> (wanted.trade_id, wanted.leg) then
    return ('not-working', null, null)::intent_result;
  end if;
  select entry_quantity - base_fee - written_off_quantity into bought
    from position where trade_id = wanted.trade_id and leg = wanted.leg;
  select coalesce(sum(case when status in ('pendingNew', 'new', 'partiallyFilled') and client_order_id <> p_replaced
                           then quantity else greatest(filled_quantity, reported_quantity) end), 0)
    into spoken_for from orders
    where trade_id = wanted.trade_id and leg = wanted.leg and purpose in ('exit', 'stop');
  if spoken_for + wanted.quantity > coalesce(bought, 0) then
    return ('exceeds-position', null, greatest(coalesce(bought, 0) - spoken_for, 0))::intent_result;
  end if;
  perform insert_intent(wanted, p_event_id, 'ExitIntent', p_body);
  return ('committed', null, null)::intent_result;
end $$;
