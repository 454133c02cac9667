-- The units asked in the consultation that began then, until when, and what each has said.
create or replace function hotline.asked_json(tid bigint, from_at timestamptz) returns jsonb
language plpgsql stable as $$
begin
    return (
        select coalesce(jsonb_agg(jsonb_build_object('unit', hotline.unit_json(a.unit_id), 'due_at', hotline.time_text(a.unit_due_at), 'opinion', r.content,
            'legal_basis', r.measures, 'by', hotline.person_json(r.by_person), 'at', hotline.time_text(r.at),
            'late', coalesce(r.at, a.done_at, hotline.now()) > a.unit_due_at) order by a.id), '[]')
        from hotline.assignment a left join hotline.part_reply r on r.ticket_id = a.ticket_id and r.assignment_id = a.id
        where a.ticket_id = tid and a.role = 4 and a.dispatched_at = from_at);
end $$;

-- What people see of a ticket's way through units: returns, consultations, more time, pauses, the ledger, the words of other units; and, for
-- the centre, what was decided about matters like this one.
create or replace function hotline.unit_overlays_json(t hotline.ticket, centre boolean) returns jsonb
language plpgsql stable as $$
declare
    found jsonb;
begin
    found := jsonb_build_object(
        'returns', (select coalesce(jsonb_agg(jsonb_build_object('unit', hotline.unit_json(unit_id), 'code', code, 'legal_basis', legal_basis,
                'suggested_unit', hotline.unit_json(suggested_unit_id), 'explain', explain, 'evidence', evidence, 'at', hotline.time_text(at),
                'verdict', verdict, 'blame', case when centre then blame end, 'decided_at', hotline.time_text(decided_at)) order by event_id), '[]')
            from hotline.return_request where ticket_id = t.id),
        'consultations', (select coalesce(jsonb_agg(jsonb_build_object('participants', (select jsonb_agg(hotline.unit_json(u)) from unnest(participants) u),
                'question', question, 'at', hotline.time_text(at), 'opinions', opinions, 'decision', decision, 'decided_at', hotline.time_text(decided_at),
                'asked', hotline.asked_json(t.id, at)) order by event_id), '[]')
            from hotline.consultation where ticket_id = t.id),
        'extensions', (select coalesce(jsonb_agg(jsonb_build_object('n', n, 'code', code, 'added', added, 'unit', unit, 'old_due_at', hotline.time_text(old_due_at),
                'new_due_at', hotline.time_text(new_due_at), 'waived', waived, 'at', hotline.time_text(at)) order by event_id), '[]')
            from hotline.extension where ticket_id = t.id),
        'suspensions', (select coalesce(jsonb_agg(jsonb_build_object('code', code, 'until', hotline.time_text(until), 'at', hotline.time_text(at),
                'resumed_at', hotline.time_text(resumed_at)) order by event_id), '[]')
            from hotline.suspension where ticket_id = t.id),
        'ledger', (select coalesce(jsonb_agg(jsonb_build_object('obstacle', obstacle, 'plan', plan, 'milestones', milestones,
                'responsible_leader', responsible_leader, 'next_review', next_review, 'at', hotline.time_text(at),
                'progress_at', hotline.time_text(progress_at), 'ended_at', hotline.time_text(ended_at)) order by event_id), '[]')
            from hotline.park where ticket_id = t.id),
        'parts', (select coalesce(jsonb_agg(jsonb_build_object('role', hotline.name_of('assignment_role', a.role), 'unit', hotline.unit_json(a.unit_id),
                'above', a.parent_id::text, 'state', hotline.name_of('assignment_state', a.state), 'due_at', hotline.time_text(a.unit_due_at),
                'content', r.content, 'measures', r.measures, 'late', a.state in (1, 3) and a.unit_due_at < hotline.now()) order by a.id), '[]')
            from hotline.assignment a left join hotline.part_reply r on r.ticket_id = a.ticket_id and r.assignment_id = a.id
            where a.ticket_id = t.id and a.role in (2, 3)));
    if not centre then
        return found;
    end if;
    return found || jsonb_build_object(
        'precedents', (select coalesce(jsonb_agg(jsonb_build_object('ticket', p.ticket_id::text, 'unit', hotline.unit_json(p.unit_id), 'legal_basis', p.legal_basis,
                'decision', p.decision, 'at', hotline.time_text(p.at)) order by p.at desc), '[]')
            from (select * from hotline.directory_precedent where category_id = t.category_id and ticket_id <> t.id order by at desc limit 5) p));
end $$;
