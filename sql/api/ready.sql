-- Is the database fit to serve: {} → {"problems":[…]}, and what may change at any time: "at" of a simulation, "version", "doors".
create or replace function api.ready(x jsonb) returns api.answer
language plpgsql security definer set search_path = hotline, pg_temp as $$
declare
    bad jsonb := '[]';
begin
    perform hotline.begin(x);
    if hotline.partition_strays() > 0 then
        bad := bad || '"default_partition_used"';
    end if;
    if to_regclass('hotline.ticket_' || to_char(hotline.day_of(hotline.now()) + interval '1 month', 'YYYYMM')) is null then
        bad := bad || '"partitions_missing"';
    end if;
    if exists (select from hotline.timer where failures > 0) then
        bad := bad || '"timers_failed"';
    end if;
    return hotline.answer(200, jsonb_build_object('problems', bad, 'simulation', hotline.is_simulation(),
        'at', (select at from hotline.simulation), 'version', hotline.reference_version(), 'doors', hotline.doors()));
end $$;
