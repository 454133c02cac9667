-- Service requests for an application: {"origin"?, "ids"? (at most 1,000 numbers), "services"?, "status"?, "from"?, "to"?, "limit", "offset",
-- "more"?} → a list, the newest first.  origin is the application whose key was shown: it sees what it filed, as its citizens do, and what
-- anybody sees.  Others see what the citizen agreed to publish, without personal data.  An unknown number and one that may not be seen are
-- both absent.
create or replace function api.open311_requests(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    origin_ constant text := x->>'origin';
    more constant boolean := coalesce((x->>'more')::boolean, false);
    from_ constant timestamptz := (x->>'from')::timestamptz;
    to_ constant timestamptz := (x->>'to')::timestamptz;
    services int[];
    closed boolean;
begin
    perform hotline.begin(x);
    if x ? 'ids' then
        return (
            select hotline.answer(200, coalesce(jsonb_agg(hotline.open311_request(t, r.ticket_no, coalesce(t.origin = origin_, false), more) order by w.n), '[]'))
            from jsonb_array_elements_text(x->'ids') with ordinality as w(number, n)
            join hotline.ticket_ref r on r.ticket_no = w.number::bpchar
            join hotline.ticket t on t.id = r.ticket_id
            where t.submitted_at is not null and (t.origin = origin_ or hotline.is_shown_to_all(t))
        );
    end if;
    if x ? 'services' then
        services := array(select id from hotline.category where scheme = 'local' and code in (select jsonb_array_elements_text(x->'services')));
    end if;
    if x ? 'status' then
        closed := x->>'status' = 'closed';
    end if;
    return (
        with own as (
            select t.id from hotline.ticket t
            where t.origin = origin_ and t.id >= hotline.id_at(from_ - interval '1 day') and t.id < hotline.id_at(to_ + interval '1 day')
              and t.submitted_at >= from_ and t.submitted_at <= to_ and (services is null or t.category_id = any (services))
              and (closed is null or (t.state >= 70) = closed)
            order by t.id desc limit (x->>'limit')::int + (x->>'offset')::int
        ), shown as (
            select t.id from hotline.ticket t
            where t.publish in (1, 3) and t.secrecy = 0 and t.id >= hotline.id_at(from_ - interval '1 day') and t.id < hotline.id_at(to_ + interval '1 day')
              and t.submitted_at >= from_ and t.submitted_at <= to_ and (services is null or t.category_id = any (services))
              and (closed is null or (t.state >= 70) = closed) and hotline.is_shown_to_all(t) and t.origin is distinct from origin_
            order by t.id desc limit (x->>'limit')::int + (x->>'offset')::int
        ), page as (
            select id from (select id from own union all select id from shown) both_ order by id desc limit (x->>'limit')::int offset (x->>'offset')::int
        )
        select hotline.answer(200, coalesce(jsonb_agg(hotline.open311_request(t, t.ticket_no, coalesce(t.origin = origin_, false), more) order by t.id desc), '[]'))
        from page join hotline.ticket t on t.id = page.id
    );
end $$;
