-- Send a code to a phone: {"key","phone_hmac","phone_enc","code_enc","seconds"} → {}.  The engine made the code and knows it again; here it is
-- ciphertext, and goes with the message.  The same key sends it once.  Locks: nothing.
create or replace function api.phone_code(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
begin
    perform hotline.begin(x);
    insert into hotline.delivery (id, outbox_id, ticket_id, kind, args, way, quiet, made_at, due_at)
    values (hotline.new_id(), -abs(hashtextextended(x->>'phone_hmac' || ' ' || (x->>'key'), 0) / 2), 0, 'phone_code',
        jsonb_build_object('phone_enc', x->>'phone_enc', 'code_enc', x->>'code_enc', 'until', hotline.now() + make_interval(secs => (x->>'seconds')::int)),
        'sms', false, hotline.now(), hotline.now())
    on conflict on constraint delivery_once do nothing;
    return hotline.answer(202, '{}');
end $$;
