-- A histogram begins with its rough buckets (sql/rules: took_make), so that a median reads one part of it.
update hotline.metric_sheet m set took = (
    with fine as (
        select e, (e + 2147483648) >> 32 as bucket, e - ((e + 2147483648) >> 32 << 32) as n, row_number() over (order by e) as place from unnest(m.took) e
    ), rough as (
        select ((bucket >> 6 << 12) + max(place) << 32) + sum(n)::bigint as e from fine group by bucket >> 6
    )
    select (select count(*) from rough) || array(select e from rough order by e) || m.took
)
where took is not null;
