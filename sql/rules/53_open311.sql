-- What applications of others read (channels/app): services, requests, updates, in the words of Open311 GeoReport v2.

-- The forms: one service for each matter at the end of a branch, with what is asked about it or about the branches it hangs on.  common is
-- asked about every one.  Kept in memory by the workers, so that complaints are taken while the database is away.
create or replace function hotline.services() returns jsonb
language plpgsql stable as $$
begin
    return jsonb_build_object(
        'common', jsonb_build_array(
            jsonb_build_object('code', 'type', 'datatype', 'singlevaluelist', 'zh', '诉求类型', 'en', 'Kind of matter', 'choices',
                (select jsonb_agg(jsonb_build_object('key', name, 'zh', zh, 'en', en) order by code) from hotline.word where kind = 'appeal_type')),
            jsonb_build_object('code', 'division', 'datatype', 'singlevaluelist', 'zh', '所在区县', 'en', 'District', 'choices',
                (select jsonb_agg(jsonb_build_object('key', code, 'zh', name, 'en', coalesce(name_en, name)) order by code) from hotline.division where level = 2)),
            jsonb_build_object('code', 'publish', 'datatype', 'singlevaluelist', 'zh', '是否同意公开', 'en', 'May it be published', 'choices',
                (select jsonb_agg(jsonb_build_object('key', name, 'zh', zh, 'en', en) order by code) from hotline.word where kind = 'publish' and code > 0)),
            jsonb_build_object('code', 'secrecy', 'datatype', 'singlevaluelist', 'zh', '保密要求', 'en', 'Secrecy', 'choices',
                (select jsonb_agg(jsonb_build_object('key', code::text, 'zh', zh, 'en', en) order by code) from hotline.word where kind = 'secrecy')),
            jsonb_build_object('code', 'reply_wanted', 'datatype', 'singlevaluelist', 'zh', '是否需要答复', 'en', 'Is an answer wanted', 'choices',
                '[{"key": "yes", "zh": "需要", "en": "Yes"}, {"key": "no", "zh": "不需要", "en": "No"}]'::jsonb)),
        'list', (
            select coalesce(jsonb_agg(jsonb_build_object('code', c.code, 'zh', c.name, 'en', coalesce(c.name_en, c.name), 'type', coalesce(c.default_type, 'complaint'),
                'group_zh', g.name, 'group_en', coalesce(g.name_en, g.name), 'about_zh', g.name || '：' || p.name || '：' || c.name,
                'about_en', coalesce(g.name_en, g.name) || ': ' || coalesce(p.name_en, p.name) || ': ' || coalesce(c.name_en, c.name),
                'keywords', (select string_agg(distinct k, ',') from hotline.directory_item d cross join lateral unnest(d.keywords) k
                             where d.category_id = c.id and d.valid_to is null and k not like '%,%'),
                'attributes', (select coalesce(jsonb_agg(jsonb_build_object('code', a.code, 'datatype', a.datatype, 'required', a.required, 'zh', a.zh, 'en', a.en,
                        'hint_zh', a.hint_zh, 'hint_en', a.hint_en, 'choices', a.choices) order by a.ord, a.code), '[]')
                    from hotline.category_attribute a where a.category_id in (c.id, p.id, g.id))) order by c.code), '[]')
            from hotline.category c
            join hotline.category p on p.id = c.parent_id
            join hotline.category g on g.id = p.parent_id
            where c.scheme = 'local' and c.level = 3 and (c.valid_to is null or c.valid_to > hotline.day_of(hotline.now()))
              and c.valid_from <= hotline.day_of(hotline.now())));
end $$;

-- May anybody read it?  Only where the citizen agreed, nothing is secret, the hotline has accepted it and its words were read for personal data.
create or replace function hotline.is_shown_to_all(t hotline.ticket) returns boolean
language sql stable as $$
    select t.publish in (1, 3) and t.secrecy = 0 and t.accepted_at is not null and t.masked is not null and t.category_id is not null and t.state <> 82
$$;

-- The words that the application itself sent: without what was made of its form.
create or replace function hotline.own_words(t hotline.ticket) returns text
language sql stable as $$
    select case when t.attributes->>'tail' <> '' and right(t.content, char_length(t.attributes->>'tail')) = t.attributes->>'tail'
        then left(t.content, -char_length(t.attributes->>'tail')) else t.content end
$$;

-- What the citizen is told at the end.
create or replace function hotline.told(t hotline.ticket) returns text
language plpgsql stable as $$
begin
    return coalesce((select content from hotline.reply where ticket_id = t.id and verdict = 'passed' order by id desc limit 1),
        (select string_agg(n.body, E'\n' order by e.n, n.name) from hotline.event e join hotline.event_note n on n.ticket_id = t.id and n.event_id = e.id
         where e.ticket_id = t.id and e.id >= t.id - (86400000::bigint << 20) and e.action in ('answer_on_spot', 'refuse', 'refer_out')
           and n.name in ('answer_text', 'told_text', 'alternative_channel', 'target_name')));
end $$;

-- One request.  own: the application that filed it asks, and reads what its citizen may read; anybody else reads masked words, and of an
-- anonymised one neither words nor place.
create or replace function hotline.open311_request(t hotline.ticket, number_ text, own boolean, more boolean) returns jsonb
language plpgsql stable as $$
declare
    category hotline.category;
    unit hotline.unit;
    bare boolean := not own and t.publish <> 1;
    row jsonb;
begin
    select * into category from hotline.category where id = t.category_id;
    select * into unit from hotline.unit where id = t.unit_id;
    row := jsonb_build_object('service_request_id', number_, 'status', case when t.state >= 70 then 'closed' else 'open' end,
        'status_notes', coalesce(case when own and t.state >= 70 then hotline.told(t) end, hotline.label_of('state', t.state)),
        'service_name', coalesce(hotline.say(category.name, coalesce(category.name_en, category.name)), ''), 'service_code', coalesce(category.code, ''),
        'description', case when own then hotline.own_words(t) when bare then '' else (hotline.veiled(t)).content end,
        'agency_responsible', hotline.say(unit.name, coalesce(unit.name_en, unit.name)), 'service_notice', null,
        'requested_datetime', hotline.time_text(t.submitted_at), 'updated_datetime', hotline.time_text(coalesce(t.event_at, t.submitted_at)),
        'expected_datetime', hotline.time_text(t.promise_due_at),
        'address', case when own then t.address when not bare then (hotline.veiled(t)).address end,
        'address_id', case when bare then left(t.division, 6) else t.division end, 'zipcode', null,
        'lat', case when not bare then t.lat end, 'long', case when not bare then t.lng end,
        'media_url', case when own then t.attributes->'media'->>0 end);
    if more then
        row := row || jsonb_build_object(
            'extended_attributes', jsonb_build_object('state', hotline.name_of('state', t.state), 'type', hotline.name_of('appeal_type', t.appeal_type),
                'promise_state', hotline.promise_state(t)),
            'attributes', case when own then coalesce(t.attributes->'said', '{}') else '{}' end,
            'notes', case when own then (
                select coalesce(jsonb_agg(jsonb_build_object('datetime', hotline.time_text(e.at), 'description', hotline.open311_words(e)) order by e.n), '[]')
                from hotline.event e join hotline.plain_words s on s.transition = e.transition
                where e.ticket_id = t.id and e.id >= t.id - (86400000::bigint << 20) and (e.transition <> 'T44' or e.payload->'visible' = 'true')) else '[]' end);
    end if;
    return row;
end $$;

-- A step in the sentence that citizens read; null for one that stays inside.
create or replace function hotline.open311_words(e hotline.event) returns text
language plpgsql stable as $$
begin
    return (
        select hotline.say(replace(s.zh, '{unit}', coalesce(u.name, '承办单位')), replace(s.en, '{unit}', coalesce(u.name_en, u.name, 'the unit'))) || hotline.progress_text(e)
        from hotline.plain_words s left join hotline.unit u on u.id = e.unit_id where s.transition = e.transition);
end $$;

-- The state in the words of the update extension.
create or replace function hotline.open311_state(state_ smallint, close_kind_ smallint) returns text
language plpgsql stable as $$
begin
    return case hotline.name_of('state', state_)
        when 'pending_accept' then 'OPEN' when 'need_supplement' then 'INVESTIGATING' when 'pending_dispatch' then 'FOR_TRIAGE'
        when 'in_consultation' then 'FOR_TRIAGE' when 'pending_sign' then 'ACTION_SCHEDULED' when 'return_review' then 'INTERNAL_REFERRAL'
        when 'suspended' then 'PLANNED' when 'parked' then 'PLANNED' when 'handling' then 'IN_PROGRESS' when 'pending_audit' then 'IN_PROGRESS'
        when 'pending_callback' then 'IN_PROGRESS' when 'withdrawn' then 'CANCELLED' when 'merged' then 'DUPLICATE'
        when 'referred_out' then 'NOT_COUNCILS_RESPONSIBILITY' when 'refused' then 'NOT_COUNCILS_RESPONSIBILITY'
        when 'voided' then 'NO_FURTHER_ACTION' when 'terminated' then 'NO_FURTHER_ACTION'
        else case when hotline.name_of('close_kind', close_kind_) = 'resolved' then 'FIXED' else 'CLOSED' end end;
end $$;
