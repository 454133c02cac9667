-- api.intake for all calls of a commit: each gets its answer under its place in the array.  The tickets are written together, since a
-- statement costs more than the row it writes.  Locks nothing: it only inserts.
create or replace function api.intake_all(calls jsonb[]) returns table (i bigint, status int, body json)
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    system constant hotline.actor := hotline.system_actor();
    x jsonb;
    said api.answer;
    c hotline.call;
    made hotline.call[];
    keys text[];
begin
    for i, x in select u.n, u.x from unnest(calls) with ordinality as u(x, n) loop
        if array[x->>'principal', x->>'route', x->>'key']::text = any (keys) then
            -- A twin in the same commit gets the first one's answer, which has to be written for that.
            perform hotline.store_intake(made);
            made := null;
            keys := null;
        end if;
        perform hotline.begin(x);
        said := hotline.idem_get(x->>'principal', x);
        if said is null then
            said := hotline.check_references(x);
        end if;
        if said is null then
            c := hotline.make_ticket(x, system, 'T05', 'CIT', c);
            made := made || c;
            keys := keys || array[x->>'principal', x->>'route', x->>'key']::text;
            said := hotline.intake_answer(c);
        end if;
        status := said.status;
        body := said.body;
        return next;
    end loop;
    perform hotline.store_intake(made);
end $$;
