-- What notices say; an administrator's template "notice:KIND" goes before.  {number} {unit} {due} are filled in here, {code} (the query
-- code) and {link} (to rate) by the engine in the last moment.  A kind without a row is not told.
delete from hotline.notice_text;
insert into hotline.notice_text (kind, audience, rank, quiet, zh) values
    ('received', 'citizen', 10, false, '您的诉求已登记，工单号{number}，查询码{code}，热线将在{due}前答复您。'),
    ('submitted', 'citizen', 10, false, '您的诉求已登记，工单号{number}，查询码{code}，热线将在{due}前答复您。'),
    ('answered', 'citizen', 50, true, '您的诉求{number}已答复并办结，感谢您的来电。'),
    ('accepted', 'citizen', 8, true, '您的诉求{number}已受理，热线将在{due}前答复您。'),
    ('refused', 'citizen', 50, true, '您的诉求{number}不属于热线受理范围，原因和可走的途径请凭工单号查询。'),
    ('dispatched', 'citizen', 9, true, '您的诉求{number}已交由{unit}办理，将在{due}前答复您。'),
    ('extended', 'citizen', 20, true, '您的诉求{number}经批准延长办理时间，将在{due}前答复您。'),
    ('suspended', 'citizen', 20, true, '您的诉求{number}因客观原因暂时中止办理，原因消除后继续办理。'),
    ('parked', 'citizen', 20, true, '您的诉求{number}一时难以解决，已列入台账，有进展会告知您。'),
    ('terminated', 'citizen', 50, true, '您的诉求{number}已终止办理，原因请凭工单号查询。'),
    ('closed', 'citizen', 40, true, '您的诉求{number}已办结，感谢您的支持。'),
    ('rework', 'citizen', 30, true, '您对诉求{number}的结果不满意，已要求{unit}重新办理。'),
    ('reopened', 'citizen', 30, true, '您的诉求{number}已重新办理。'),
    ('merged', 'citizen', 30, true, '您的诉求{number}已与您此前反映的同一事项合并办理。'),
    ('supplement_wanted', 'citizen', 30, true, '您的诉求{number}需要您补充情况，请尽快凭工单号补充。'),
    ('supplement_reminder', 'citizen', 30, true, '您的诉求{number}仍等您补充情况，逾期将办结。'),
    ('transferred', 'citizen', 60, false, '您反映的紧急情况已转有关部门处置，工单号{number}。'),
    ('referred', 'citizen', 50, true, '您的诉求{number}已转有关部门处理，详情请凭工单号查询。'),
    ('withdrawn', 'citizen', 50, true, '您已撤回诉求{number}。'),
    ('rating_link', 'citizen', 45, true, '您的诉求{number}已有办理结果，请评价：{link}'),
    ('phone_code', 'citizen', 90, false, '验证码{code}，十分钟内有效，用于在12345网站提交诉求时确认手机号。若非本人操作请忽略。'),
    -- Steps that bring a unit work, by mail to its office.
    ('dispatch', 'unit', 1, false, '工单{number}已派至{unit}，请于{sign_due}前签收，{unit_due}前答复。'),
    ('dispatch_to_district', 'unit', 1, false, '工单{number}已派至{unit}，请于{sign_due}前签收，{unit_due}前答复。'),
    ('decide', 'unit', 1, false, '经会商，工单{number}由{unit}办理，请于{sign_due}前签收。'),
    ('redispatch', 'unit', 1, false, '工单{number}已改派至{unit}，请于{sign_due}前签收。'),
    ('rework', 'unit', 1, false, '诉求人对工单{number}的结果不满意，请{unit}重新办理。'),
    ('audit_reject', 'unit', 1, false, '工单{number}的答复未通过审核，请{unit}一个工作日内修改。'),
    ('urge', 'unit', 1, false, '工单{number}被催办，请{unit}尽快答复。'),
    ('supervise', 'unit', 1, false, '工单{number}被督办，请{unit}按要求答复。'),
    ('object', 'unit', 1, false, '诉求人对工单{number}提出异议，请{unit}重新办理。'),
    ('reopen_to_unit', 'unit', 1, false, '工单{number}已重启，请{unit}再次办理。'),
    -- What the centre itself must not miss, by mail to its own mailbox.
    ('group_alert', 'centre', 1, false, '短时间内收到多件同类诉求，已自动串并，主单{number}，请核实是否为突发事件。'),
    ('transfer_check', 'centre', 1, false, '工单{number}的紧急直转尚未收到对方回执，请立即电话核实。');

insert into hotline.setting (name, value, meaning) values
    ('notice.backoff_seconds', '10', 'wait after the first failed try of a notice; it doubles with each, up to an hour'),
    ('notice.tries', '14', 'tries after which a notice is a dead letter (14: about seven hours)'),
    ('notice.stale_hours', '48', 'what has waited in the outbox for longer is not sent any more'),
    ('keep.notices_days', '90', 'how long it is known what was sent')
on conflict (name) do nothing;
