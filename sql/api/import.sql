-- History from another system, with its own times: {"source", "rows": [{"id", "title", "state", "channel", "submitted_at" …}…]} →
-- {"imported", "there", "bad": [{"row", "fields"}…]}.  A row that is there already is not written again; a bad one hurts no other.
-- At most 1000 rows.  The months must have been made.  Locks the sweep's mark.
create or replace function api.import(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
begin
    perform hotline.begin(x);
    if coalesce(x->>'source', '') = '' or jsonb_typeof(x->'rows') is distinct from 'array' or jsonb_array_length(x->'rows') > 1000 then
        return hotline.problem(422, 'bad_inputs', '需要来源名称和最多 1000 行。', 'A source and at most 1000 rows are needed.');
    end if;
    return hotline.answer(200, hotline.import_rows(x->>'source', x->'rows'));
end $$;
