-- A block of ticket sequence numbers for one worker: {"n"} → {"first","last"}.  Numbers of a block that is lost are never used.
create or replace function api.numbers(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    n int := least(greatest((x->>'n')::int, 1), 10000);
    numbers bigint[];
begin
    perform hotline.begin(x);
    select array_agg(nextval('hotline.ticket_no_seq')) into numbers from generate_series(1, n);
    return hotline.answer(200, jsonb_build_object('numbers', numbers));
end $$;
