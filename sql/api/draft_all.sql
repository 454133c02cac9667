-- api.draft for all calls of a commit: each gets its answer under its place in the array.  The tickets are written together, since a
-- statement costs more than the row it writes.  Locks nothing: it only inserts.
create or replace function api.draft_all(calls jsonb[]) returns table (i bigint, status int, body json)
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    x jsonb;
    asked text; -- whose right it was that we asked for last, and when
    who hotline.actor;
    may boolean;
    said api.answer;
    c hotline.call;
    made hotline.call[];
    keys text[];
begin
    for i, x in select u.n, u.x from unnest(calls) with ordinality as u(x, n) loop
        perform hotline.begin(x);
        if asked is distinct from concat_ws(' ', x->>'session', x->>'at') then
            asked := concat_ws(' ', x->>'session', x->>'at');
            who := hotline.actor_of(x);
            may := hotline.has_right(who, 'create_draft');
        end if;
        if array[who.id::text, x->>'route', x->>'key']::text = any (keys) then
            -- A twin in the same commit gets the first one's answer, which has to be written for that.
            perform hotline.store_drafts(made);
            made := null;
            keys := null;
        end if;
        said := case when who.id is null then hotline.no_session() when not may then hotline.forbidden()
            else coalesce(hotline.idem_get('p' || who.id, x), hotline.check_references(x)) end;
        if said is null then
            c := hotline.make_ticket(x, who, 'T01', 'OPR', c);
            made := made || c;
            keys := keys || array[who.id::text, x->>'route', x->>'key']::text;
            said := hotline.draft_answer(c);
        end if;
        status := said.status;
        body := said.body;
        return next;
    end loop;
    perform hotline.store_drafts(made);
end $$;
