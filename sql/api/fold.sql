-- Move differences into the tables of figures: {"limit"?}.  200 {"folded"}; 0 when there is nothing to do or another one folds.
-- Takes the folder's advisory lock and the rows it adds to; never waits for another folder.
create or replace function api.fold(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
begin
    perform hotline.begin(x);
    return hotline.answer(200, jsonb_build_object('folded', hotline.fold(least(coalesce((x->>'limit')::int, 20000), 200000))));
end $$;
