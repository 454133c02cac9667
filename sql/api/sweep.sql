-- Do what one timer is for: {"timer","ticket"}.  Effects are dated the due time, whenever the sweep gets to it; 204 when another
-- was faster.  Locks: the ticket row (the batch holds it already).
create or replace function api.sweep(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    m hotline.timer;
begin
    perform hotline.begin(x);
    delete from hotline.timer where id = (x->>'timer')::bigint and at <= hotline.now() returning * into m;
    if not found then
        return row(204, null)::api.answer;
    end if;
    case m.kind
        when 'clock' then perform hotline.clock_fired(m);
        when 'review' then perform hotline.lapse(m.ticket_id, m.clock_id, m.at);
        when 'archive' then perform hotline.archive_or_wait(m);
        when 'calendar' then perform hotline.calendar_fired(m);
        when 'unreachable' then perform hotline.step(m.ticket_id, 'close_unreachable', hotline.system_actor(), '{}', at_ => m.at);
        else perform hotline.timer_fired(m);
    end case;
    return hotline.answer(200, jsonb_build_object('ticket', m.ticket_id::text, 'kind', m.kind));
end $$;
