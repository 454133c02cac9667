-- The closure figures: {"session","name","from","to","by","unit","category","channel","district"}, to exclusive.  200 with the
-- total, the rows, both identities and the formulas, all of one snapshot; 401, 403, 404 (no such figures), 422.  Locks nothing.
create or replace function api.metrics(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    q hotline.metric_question;
begin
    perform hotline.begin(x);
    q := hotline.metric_ask(hotline.actor_of(x), x);
    if (q.refused).status in (401, 403) then
        return q.refused;
    elsif x->>'name' is distinct from 'closure' then
        return hotline.problem(404, 'no_such_metrics', '没有这组指标。', 'There are no such figures.');
    elsif q.refused is not null then
        return q.refused;
    end if;
    return hotline.answer(200, jsonb_build_object('name', 'closure',
            'rule_version', (select max(rule_version) from hotline.metric_formula),
            'from', q.from_, 'to', q.to_, 'by', q.by_,
            'snapshot_at', hotline.time_text(hotline.now()), 'swept_to', hotline.time_text(hotline.swept_to()),
            'formulas', hotline.metric_formulas())
        || hotline.metrics_read(q.from_, q.to_, q.by_, q.unit, q.category, q.channel, q.district));
end $$;
