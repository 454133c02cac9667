-- What became of a try: {"id","try","end","provider"?,"status"?,"why"?,"retry_after"?,"reference"?} → {"state"}.  end: sent; refused (a
-- dead letter, for people); later and unknown (again, after a while; unknown: the provider may have it, so it is the one that is asked
-- again); dropped (it can reach nobody).  Locks: the message.
create or replace function api.notice_done(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
begin
    perform hotline.begin(x);
    return hotline.answer(200, jsonb_build_object('state', hotline.end_delivery(x)));
end $$;
