-- Which of these files some ticket has: {"files":[SHA-256 …]} → {"used":[…]}.  The others may be removed from disk.
create or replace function api.files_used(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
begin
    perform hotline.begin(x);
    return hotline.answer(200, jsonb_build_object('used', (
        select coalesce(jsonb_agg(f), '[]') from jsonb_array_elements_text(x->'files') f
        where exists (select from hotline.attachment a where a.sha256 = f))));
end $$;
