-- Tickets that an operator opens (T01).

create or replace function hotline.draft_answer(c hotline.call) returns api.answer
language plpgsql stable as $$
begin
    return hotline.answer(201, jsonb_build_object('id', (c.t).id::text, 'number', (c.t).ticket_no, 'state', hotline.name_of('state', (c.t).state),
        'version', (c.t).version, 'query_code_enc', c.x->>'query_code_enc'));
end $$;

-- The drafts of a commit, and the answers by their keys.
create or replace function hotline.store_drafts(made hotline.call[]) returns void
language plpgsql as $$
begin
    if made is null then
        return;
    end if;
    perform hotline.store_tickets(made);
    insert into hotline.idem (principal, route, key, digest, status, body, at)
    select 'p' || (c.actor).id, c.x->>'route', c.x->>'key', coalesce(c.x->>'digest', ''), 201, (hotline.draft_answer(c)).body, c.at
    from unnest(made) c where c.x->>'key' is not null;
end $$;
