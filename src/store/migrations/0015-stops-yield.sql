-- A stop at the venue yields to the exit: from the moment that one is asked for, only the exit sells. `p_replaced` is the
-- stop whose place the new one takes, or null.
-- Outcomes: exit-requested, and those of commit_exit_intent or commit_replace_intent.
create function commit_stop_intent(p_order jsonb, p_event_id uuid, p_body text, p_replaced text default null)
returns intent_result
language plpgsql as $$
begin
  perform 1 from trade where trade_id = p_order ->> 'trade_id' for no key update;
  if not exists (select 1 from orders where client_order_id = p_order ->> 'client_order_id')
     and not exists (select 1 from trade where trade_id = p_order ->> 'trade_id' and phase = 'open') then
    return ('exit-requested', null, null)::intent_result;
  end if;
  if p_replaced is null then return commit_exit_intent(p_order, p_event_id, p_body); end if;
  return commit_replace_intent(p_order, p_event_id, p_body, p_replaced);
end $$;
