-- What everybody may see: the totals of the last full month.  Not split, so that no small number points at anybody.  Figures that
-- do not add up are not published: 503.
create or replace function api.public_metrics(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    to_ date;
    from_ date;
    figures jsonb;
begin
    perform hotline.begin(x);
    to_ := date_trunc('month', hotline.day_of(hotline.now()))::date;
    from_ := (to_ - interval '1 month')::date;
    figures := hotline.metrics_read(from_, to_, null, null, null, null, null);
    if not ((figures->'identity'->>'balanced')::boolean and (figures->'decompositions'->'flow'->>'balanced')::boolean) then
        return hotline.problem(503, 'figures_not_balanced', '数据正在核对，请稍后再来。', 'The figures are being checked; please come back later.');
    end if;
    return hotline.answer(200, jsonb_build_object('name', 'closure', 'from', from_, 'to', to_,
        'rule_version', (select max(rule_version) from hotline.metric_formula),
        'snapshot_at', hotline.time_text(hotline.now()), 'swept_to', hotline.time_text(hotline.swept_to()),
        'total', figures->'total', 'formulas', hotline.metric_formulas()));
end $$;
