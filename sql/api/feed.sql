-- Events for the event stream, oldest first: {"horizon", "since"} from the last answer (and "after", the last id, for the next page of
-- one reading; "stale", the "end" of a reading older than any batch may take), or {"after", "before"} for one who comes back, whom the
-- reading from the horizon "before" on will give the rest, or neither to begin.  Answers what was committed after that mark, a little
-- of what is known already, and the next mark; the mark of a reading's first page is the one to keep.  No locks.
create or replace function api.feed(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    most int := least(coalesce((x->>'limit')::int, 500), 2000);
    after_ bigint := (x->>'after')::bigint;
    horizon_ xid := (x->>'horizon')::xid8::xid;
    before_ xid := (x->>'before')::xid8::xid;
    mark jsonb;
    rows_ json; -- half the cost of jsonb
begin
    perform hotline.begin(x);
    mark := hotline.feed_mark((x->>'overlap')::int, (x->>'stale')::xid8);
    if horizon_ is null and after_ is null then
        mark := mark || jsonb_build_object('last', greatest(hotline.id_at(hotline.now() + interval '1 second'), (select max(id) from hotline.event))::text);
        return hotline.answer(200, mark || '{"events": []}');
    end if;
    if after_ is null then
        after_ := least((x->>'since')::bigint, (mark->>'since')::bigint); -- the server's clock may have been set back
    end if;
    select coalesce(json_agg(json_build_object('id', e.id::text, 'ticket', e.ticket_id::text, 'number', t.ticket_no, 'action', e.action,
        'state', w.name, 'version', t.version, 'at', hotline.time_text(e.at), 'sealed', t.secrecy = 3, 'units', e.units) order by e.id), '[]')
    into rows_
    from (
        select id, ticket_id, action, to_state, at, units from hotline.event
        where id > after_ and (horizon_ is null or age(xmin) <= age(horizon_)) and (before_ is null or age(xmin) > age(before_))
        order by id limit most
    ) e join hotline.ticket t on t.id = e.ticket_id join hotline.word w on w.kind = 'state' and w.code = e.to_state;
    return row(200, json_build_object('horizon', mark->'horizon', 'since', mark->'since', 'end', mark->'end', 'events', rows_))::api.answer;
end $$;
