-- What happened to requests, for an application that asks every few minutes: {"origin"?, "from", "to", "limit", "offset"} → a list of the steps
-- that citizens read, the oldest first.  Of which requests: as api.open311_requests.  Reads the events of that time, so a short one is cheap.
create or replace function api.open311_updates(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    origin_ constant text := x->>'origin';
    from_ constant timestamptz := (x->>'from')::timestamptz;
    to_ constant timestamptz := (x->>'to')::timestamptz;
begin
    perform hotline.begin(x);
    return (
        select hotline.answer(200, coalesce(jsonb_agg(jsonb_build_object('update_id', u.id::text, 'service_request_id', u.ticket_no,
            'status', hotline.open311_state(u.to_state, u.close_kind), 'updated_datetime', hotline.time_text(u.at), 'description', u.said, 'media_url', null)
            order by u.id), '[]'))
        from (
            select e.id, e.at, e.to_state, t.ticket_no, t.close_kind,
                case when t.origin = origin_ then hotline.open311_words(e) else hotline.label_of('state', e.to_state) end as said
            from hotline.event e join hotline.ticket t on t.id = e.ticket_id
            where e.id >= hotline.id_at(from_ - interval '1 hour') and e.id < hotline.id_at(to_ + interval '1 day') and e.at >= from_ and e.at <= to_
              and e.to_state > 10 and exists (select from hotline.plain_words s where s.transition = e.transition)
              and (e.transition <> 'T44' or e.payload->'visible' = 'true') and (t.origin = origin_ or hotline.is_shown_to_all(t))
            order by e.id limit (x->>'limit')::int offset (x->>'offset')::int
        ) u
    );
end $$;
