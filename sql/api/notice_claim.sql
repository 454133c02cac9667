-- Messages to send now: {"ways":["sms",…],"most","lease"} → {"messages":[…],"waiting","dead"}.  Each is this worker's for lease seconds;
-- then it comes up again under the same id.  Contact data is ciphertext.  Locks: an advisory lock against other workers; one that does
-- not get it hears of nothing.
create or replace function api.notice_claim(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
begin
    perform hotline.begin(x);
    return hotline.answer(200, jsonb_build_object('messages', coalesce(hotline.claim_deliveries(array(select jsonb_array_elements_text(x->'ways')),
        (x->>'most')::int, (x->>'lease')::int), '[]')) || hotline.delivery_counts());
end $$;
