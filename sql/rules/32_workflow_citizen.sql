-- The rows of the table that the citizen's later words and the centre's answers to them need: words, rights, transitions, clocks,
-- inputs, sentences.  Like 30_workflow.sql, whose tables are empty of these when this file runs.

insert into hotline.word (kind, code, name, zh, en) values
    ('followup_kind', 1, 'query', '查询进度', 'Asks how it stands'),
    ('followup_kind', 2, 'urge', '催办', 'Urges'),
    ('followup_kind', 3, 'supplement', '补充情况', 'Adds facts'),
    ('followup_kind', 4, 'praise', '表扬', 'Praises'),
    ('followup_kind', 5, 'withdraw_intent', '有意撤诉', 'Thinks of withdrawing'),
    ('agency', 1, 'police_110', '110 公安', '110 police'),
    ('agency', 2, 'fire_119', '119 消防', '119 fire brigade'),
    ('agency', 3, 'medical_120', '120 急救', '120 ambulance'),
    ('agency', 4, 'traffic_122', '122 交通事故', '122 traffic accidents'),
    ('agency', 5, 'water', '供水抢修', 'Water repairs'),
    ('agency', 6, 'gas', '燃气抢修', 'Gas repairs'),
    ('agency', 7, 'power', '供电抢修', 'Power repairs'),
    ('agency', 8, 'other', '其他应急单位', 'Another emergency service'),
    ('transfer_mode', 1, 'one_key', '一键转接', 'Call passed on'),
    ('transfer_mode', 2, 'three_way', '三方通话', 'Three-way call'),
    ('transfer_mode', 3, 'data', '数据推送', 'Sent as data'),
    ('void_code', 1, 'test', '测试', 'A test'),
    ('void_code', 2, 'silent', '无声电话', 'A silent call'),
    ('void_code', 3, 'duplicate', '技术重复', 'A technical double'),
    ('void_code', 4, 'harassment', '骚扰', 'Harassment'),
    ('supervision_kind', 1, 'routine', '日常督办', 'Routine'),
    ('supervision_kind', 2, 'listed', '挂牌督办', 'Listed'),
    ('supervision_kind', 3, 'interview', '约谈', 'Interview'),
    ('supervision_kind', 4, 'leader', '领导督办', 'By a city leader'),
    ('refer_target', 1, 'other_city', '外地热线', 'Another city''s hotline'),
    ('refer_target', 2, 'petition', '信访部门', 'The petition office'),
    ('refer_target', 3, 'province', '省级部门', 'The province'),
    ('refer_target', 4, 'other', '其他', 'Another body'),
    ('integrity_kind', 1, 'not_contacted', '称未联系过', 'Says nobody was in touch'),
    ('integrity_kind', 2, 'not_done', '称未办理', 'Says nothing was done'),
    ('integrity_kind', 3, 'pressure', '受压撤诉', 'Was pressed to withdraw'),
    ('outcome', 12, 'link_sent', '已发评价链接', 'Rating link sent'),
    ('callback_way', 1, 'call', '人工回访', 'A person calls'),
    ('callback_way', 2, 'link', '发送评价链接', 'A link is sent')
on conflict (kind, code) do update set name = excluded.name, zh = excluded.zh, en = excluded.en;

insert into hotline.setting (name, value, meaning) values
    ('supplement.times', '2', 'how often a citizen may be asked for more facts'),
    ('supplement.days', '3', 'workdays that a citizen has at most to give them (pause 1)'),
    ('urge.followups', '3', 'the follow-up that urges by itself, and every so many after it'),
    ('transfer.check_minutes', '30', 'minutes until somebody asks whether an urgent transfer arrived'),
    ('transfer.receipt_minutes', '5', 'the same where it was sent as data and a receipt must come'),
    ('group.alert', '10', 'complaints of one matter and district by as many citizens that make a group by themselves; 0: none'),
    ('group.minutes', '20', 'within how many minutes'),
    ('supervision.auto', '1', 'does the system issue supervision orders by itself? 1 or 0'),
    ('rating.late_days', '7', 'days after closing in which a missing rating may be given'),
    ('objection.days', '15', 'days after closing in which a citizen may object'),
    ('objection.supplement_days', '30', 'the same where it was closed for want of facts, and is reopened by it'),
    ('reopen.days', '90', 'days after closing in which the centre may reopen'),
    ('callback.sample', '100', 'of matters that need no call by their kind, how many of a hundred are called by a person; the others get a link')
on conflict (name) do nothing;

insert into hotline.role_right (role, action, scope)
select r, a, scope
from (values
    ('OPR', 'followup supplement merge urge withdraw urgent_transfer urgent_part watch unwatch name_conflict receive_from_110', 'all'),
    ('ACC', 'request_supplement watch unwatch name_conflict', 'all'),
    ('LDR', 'group void refer_out reopen reopen_to_unit watch unwatch name_conflict', 'all'),
    ('DSP', 'request_supplement merge group watch unwatch name_conflict', 'all'),
    ('AUD', 'recuse name_conflict watch unwatch', 'all'),
    ('CBK', 'urge flag_integrity watch unwatch', 'all'),
    ('SUP', 'supervise close_supervision reopen reopen_to_unit watch unwatch', 'all'),
    ('EFF', 'supervise close_supervision reopen reopen_to_unit watch unwatch', 'all'),
    ('LEA', 'supervise close_supervision watch unwatch', 'all'),
    ('UDP', 'answer_urge recuse watch unwatch', 'unit'),
    ('UHD', 'request_supplement answer_urge recuse watch unwatch', 'unit'),
    ('UAP', 'answer_supervision recuse watch unwatch', 'unit'),
    ('CIT', 'followup supplement withdraw late_rating object', 'all'),
    ('EXT', 'receive_from_110 receive_province', 'all'),
    ('SYS', 'followup remind_supplement supplement_timeout urge supervise group share_reply callback_ok', 'all')
) as t(r, actions, scope)
cross join lateral regexp_split_to_table(t.actions, ' ') as a;

insert into hotline.transition (id, action, from_states, from_assignment, guard, effect, to_state, to_assignment, close_kind,
    approval, decides, follow, outbox, zh, en, ord)
select id, action, hotline.states(replace(f, 'open', o.open)),
    hotline.assignment_states(fa), guard, effect, hotline.code_of('state', t), hotline.code_of('assignment_state', ta),
    hotline.code_of('close_kind', kind), approval, null, follow, outbox, zh, en, ord
from (values ('pending_accept need_supplement pending_dispatch in_consultation pending_sign return_review handling suspended parked pending_audit pending_callback')) as o(open)
cross join (values
    ('T07', 'request_supplement', 'pending_accept pending_dispatch', null, 'may_ask_more', 'do_ask_more', 'need_supplement', null, null, null, null, 'supplement_wanted', '请补充情况', 'Ask for more facts', 60),
    ('T07h', 'request_supplement', 'handling', 'handling', 'may_ask_more', 'do_ask_more', 'need_supplement', null, null, null, null, 'supplement_wanted', '请补充情况', 'Ask for more facts', 60),
    ('T08', 'supplement', 'need_supplement', null, null, 'do_supplement', null, null, null, null, null, null, '补充情况', 'Add the facts', 10),
    ('T09m', 'remind_supplement', 'need_supplement', null, null, 'do_remind', null, null, null, null, null, 'supplement_reminder', '提醒补充', 'Reminded of the facts', 90),
    ('T09', 'supplement_timeout', 'need_supplement', null, 'may_stop_waiting', 'do_stop_waiting', 'closed', 'cancelled', 'no_supplement', null, null, 'closed', '逾期未补充', 'Closed for want of facts', 90),
    ('T11', 'urgent_transfer', 'draft open', null, 'may_transfer', 'do_transfer', 'referred_out', 'cancelled', 'referred', null, null, 'transferred', '紧急直转', 'Pass to an emergency line', 70),
    ('T11p', 'urgent_part', 'open', null, 'may_transfer', 'do_transfer', null, null, null, null, null, 'transferred', '部分紧急直转', 'Pass the urgent part on', 71),
    ('T13', 'followup', 'open', null, null, 'do_followup', null, null, null, null, 'urge', null, '登记催询', 'Record a follow-up', 65),
    ('T14', 'merge', 'draft pending_accept pending_dispatch', null, 'may_merge', 'do_merge', 'merged', null, 'merged', null, null, 'merged', '并案', 'Merge', 75),
    ('T15', 'group', 'open', null, 'may_group', 'do_group', null, null, null, null, null, null, '串并', 'Group', 76),
    ('T15f', 'share_reply', 'pending_sign handling', 'pending_sign handling', 'may_share_reply', 'do_share_reply', 'pending_callback', 'replied', null, null, 'close_waived', null, '串并答复', 'Answered with its group', 90),
    ('T69', 'flag_integrity', 'pending_callback', 'replied', 'may_flag', 'do_flag', 'pending_sign', 'pending_sign', null, null, null, 'rework', '诚信核查并重办', 'Contradiction: rework and supervise', 35),
    ('T70', 'late_rating', 'closed', null, 'may_rate_late', 'do_rate_late', null, null, null, null, null, null, '补充评价', 'Late rating', 10),
    ('T71', 'object', 'closed', 'done', 'may_object', 'do_object_round', 'pending_sign', 'pending_sign', null, 'objection', null, 'reopened', '异议成立，重办', 'Objection: done again', 20),
    ('T71d', 'object', 'closed', null, 'may_object', 'do_object', 'pending_dispatch', null, null, 'objection', null, 'reopened', '异议成立，重启', 'Objection: reopened', 21),
    ('T72', 'reopen', 'closed', null, 'may_reopen', 'do_reopen', 'pending_dispatch', null, null, null, null, 'reopened', '重启，重新派单', 'Reopen and dispatch again', 60),
    ('T72r', 'reopen_to_unit', 'closed', 'done', 'may_reopen', 'do_reopen_round', 'pending_sign', 'pending_sign', null, null, null, 'reopened', '重启，原单位再办', 'Reopen to the same unit', 61),
    ('T73', 'void', 'draft pending_accept need_supplement pending_dispatch in_consultation pending_sign return_review handling', null, null, 'do_void', 'voided', 'cancelled', null, null, null, null, '作废', 'Void', 95),
    ('T74', 'urge', 'open', null, null, 'do_urge', null, null, null, null, null, null, '催办', 'Urge', 62),
    ('T74a', 'answer_urge', 'pending_sign return_review handling', null, 'may_answer_urge', 'do_answer_urge', null, null, null, null, null, null, '答复催办', 'Answer an urge', 12),
    ('T75', 'supervise', 'open closed', null, 'may_supervise', 'do_supervise', null, null, null, null, null, null, '督办', 'Supervise', 63),
    ('T75a', 'answer_supervision', 'pending_sign return_review handling pending_audit pending_callback closed', null, 'may_answer_order', 'do_answer_order', null, null, null, null, null, null, '答复督办', 'Answer a supervision order', 13),
    ('T75c', 'close_supervision', 'open closed', null, 'may_close_order', 'do_close_order', null, null, null, null, null, null, '督办销号', 'Close a supervision order', 64),
    ('T77', 'withdraw', 'open', null, 'may_withdraw', 'do_withdraw', 'withdrawn', 'cancelled', 'withdrawn', null, null, 'withdrawn', '撤诉', 'Withdraw', 80),
    ('T78', 'refer_out', 'pending_accept pending_dispatch pending_sign handling', null, null, 'do_refer', 'referred_out', 'cancelled', 'referred', null, null, 'referred', '转出', 'Refer out', 85),
    ('T80', 'recuse', 'pending_sign return_review handling pending_audit', 'pending_sign return_req handling unit_approval audit_rejected replied', 'may_recuse', 'do_recuse', 'pending_dispatch', 'cancelled', null, null, null, null, '回避', 'Recuse the unit', 86),
    ('T80c', 'name_conflict', 'open', null, 'may_name_conflict', 'do_name_conflict', null, null, null, null, null, null, '登记利害关系单位', 'Name a unit in conflict', 87),
    ('T83', 'watch', 'open', null, 'may_watch', 'do_watch', null, null, null, null, null, null, '特别关注', 'Watch', 98),
    ('T83u', 'unwatch', 'open', null, 'may_unwatch', 'do_unwatch', null, null, null, null, null, null, '取消关注', 'Stop watching', 98),
    -- How a ticket comes to be otherwise than by T01 and T05.
    ('T11c', 'create_rest', '', null, null, null, 'pending_dispatch', null, null, null, null, null, '紧急直转的其余事项', 'What the emergency line left', 1),
    ('T12', 'receive_from_110', '', null, null, null, 'pending_dispatch', null, null, null, null, null, '110 转来', 'From 110', 1),
    ('T16', 'receive_province', '', null, null, null, 'pending_dispatch', null, null, null, null, null, '省平台转来', 'From the province', 1),
    ('T77c', 'continue_by_centre', '', null, null, null, 'pending_dispatch', null, null, null, null, null, '撤诉后由中心继续', 'Continued by the centre', 1)
) as t(id, action, f, fa, guard, effect, t, ta, kind, approval, follow, outbox, zh, en, ord);

-- These make or name a second ticket.
update hotline.transition set alone = true where id in ('T11', 'T14', 'T15', 'T77');

insert into hotline.clock_effect (transition, kind, effect, ord)
select t, k, e, row_number() over ()
from (values
    ('T07 T07h', '*', 'pause'), ('T08', '*', 'resume'),
    ('T09 T11 T14 T73 T77 T78', '*', 'stop'),
    ('T15f', 'sign', 'meet'), ('T15f', 'contact', 'stop'), ('T15f', 'unit', 'meet'), ('T15f', 'redo', 'stop'), ('T15f', 'promise', 'meet'),
    ('T15f', 'callback', 'start'), ('T15f', 'closing', 'start'),
    ('T69', 'closing', 'stop'), ('T69', 'callback', 'stop'), ('T69', 'contact', 'stop'),
    ('T69 T71 T71d T72 T72r', 'promise', 'unmeet'),
    ('T69 T71 T72r', 'sign', 'start'), ('T69 T71 T72r', 'contact', 'start'), ('T69 T71 T72r', 'unit', 'start'),
    ('T71d T72', 'dispatch', 'start'),
    ('T80', 'sign', 'stop'), ('T80', 'contact', 'stop'), ('T80', 'unit', 'stop'), ('T80', 'redo', 'stop'), ('T80', 'audit', 'stop'),
    ('T80', 'dispatch', 'start'),
    ('T11c T12 T16 T77c', 'promise', 'start'), ('T11c T12 T16 T77c', 'dispatch', 'start')
) as v(transitions, k, e), regexp_split_to_table(transitions, ' ') as t;

insert into hotline.approval_kind (kind, decider_role, up_role, budget, unit, needed, on_ask, zh, en) values
    ('objection', 'LDR', 'SUP', 1, 'workday', 'objection_needs_two', null, '异议复核', 'Review an objection')
on conflict (kind) do update set decider_role = excluded.decider_role, up_role = excluded.up_role, budget = excluded.budget,
    unit = excluded.unit, needed = excluded.needed, on_ask = excluded.on_ask, zh = excluded.zh, en = excluded.en;

insert into hotline.action_input (action, name, ord, type, must, min, max, choices, words, zh, en)
select action, name, row_number() over (), type, must, min, max, null, words, zh, en
from (values
    ('accept', 'conflict_units', 'units', false, 0, 5, null, '被反映或有利害关系的单位', 'Units complained about or in conflict'),
    ('submit', 'conflict_units', 'units', false, 0, 5, null, '被反映或有利害关系的单位', 'Units complained about or in conflict'),
    ('request_supplement', 'missing_items', 'list', true, 1, 10, null, '需要补充什么', 'What is missing'),
    ('request_supplement', 'deadline', 'time', false, null, null, null, '补充期限', 'Until when'),
    ('supplement', 'text', 'text', true, 2, 5000, null, '补充的情况', 'The facts'),
    ('urgent_transfer', 'agency', 'word', true, null, null, 'agency', '转给谁', 'To whom'),
    ('urgent_transfer', 'mode', 'word', true, null, null, 'transfer_mode', '怎样转', 'How'),
    ('urgent_transfer', 'agency_agent_no', 'text', false, 1, 40, null, '对方工号', 'Number of who took it'),
    ('urgent_transfer', 'rest', 'text', false, 2, 5000, null, '非紧急的其余事项（另立工单）', 'What is left that is not urgent (becomes a ticket)'),
    ('urgent_part', 'agency', 'word', true, null, null, 'agency', '转给谁', 'To whom'),
    ('urgent_part', 'mode', 'word', true, null, null, 'transfer_mode', '怎样转', 'How'),
    ('urgent_part', 'agency_agent_no', 'text', false, 1, 40, null, '对方工号', 'Number of who took it'),
    ('urgent_part', 'part', 'text', true, 2, 2000, null, '转出的是什么', 'What was passed on'),
    ('followup', 'kind', 'word', true, null, null, 'followup_kind', '来意', 'Why'),
    ('followup', 'text', 'text', true, 2, 2000, null, '诉求人的话', 'The citizen''s words'),
    ('merge', 'master', 'ids', true, 1, 1, null, '并入的工单', 'Merge into'),
    ('merge', 'reason', 'text', true, 2, 500, null, '并案理由', 'Why'),
    ('group', 'lead', 'ids', true, 1, 1, null, '主单', 'Lead ticket'),
    ('group', 'confidence', 'number', false, 0, 1, null, '把握', 'How sure'),
    ('flag_integrity', 'integrity_kind', 'word', true, null, null, 'integrity_kind', '矛盾在哪里', 'What is contradicted'),
    ('flag_integrity', 'contradiction', 'text', true, 2, 1000, null, '诉求人怎么说', 'What the citizen says'),
    ('flag_integrity', 'must_do', 'list', true, 1, 10, null, '必须做到的事', 'What must be done'),
    ('flag_integrity', 'contacted_by_unit', 'bool', true, null, null, null, '单位联系过诉求人', 'The unit was in contact'),
    ('flag_integrity', 'resolved', 'word', true, null, null, 'resolved', '是否解决', 'Resolved'),
    ('flag_integrity', 'sat_process', 'word', true, null, null, 'satisfaction', '过程满意度', 'Satisfied with the handling'),
    ('flag_integrity', 'sat_result', 'word', true, null, null, 'satisfaction', '结果满意度', 'Satisfied with the result'),
    ('late_rating', 'contacted_by_unit', 'bool', false, null, null, null, '单位联系过您', 'The unit was in contact'),
    ('late_rating', 'resolved', 'word', true, null, null, 'resolved', '是否解决', 'Resolved'),
    ('late_rating', 'sat_process', 'word', false, null, null, 'satisfaction', '过程满意度', 'Satisfied with the handling'),
    ('late_rating', 'sat_result', 'word', true, null, null, 'satisfaction', '结果满意度', 'Satisfied with the result'),
    ('late_rating', 'comment', 'text', false, 1, 1000, null, '想说的话', 'Your words'),
    ('object', 'text', 'text', true, 5, 2000, null, '异议及新的事实', 'The objection, and what is new'),
    ('reopen', 'reason', 'text', true, 2, 1000, null, '重启原因', 'Why'),
    ('reopen_to_unit', 'reason', 'text', true, 2, 1000, null, '重启原因', 'Why'),
    ('reopen_to_unit', 'must_do', 'list', true, 1, 10, null, '必须做到的事', 'What must be done'),
    ('void', 'void_code', 'word', true, null, null, 'void_code', '作废原因', 'Why'),
    ('void', 'note', 'text', false, 2, 500, null, '说明', 'Note'),
    ('urge', 'text', 'text', true, 2, 1000, null, '催办内容', 'What is urged'),
    ('answer_urge', 'text', 'text', true, 2, 2000, null, '办理进展', 'How it stands'),
    ('supervise', 'kind', 'word', true, null, null, 'supervision_kind', '督办种类', 'Kind'),
    ('supervise', 'requirement', 'text', true, 2, 2000, null, '督办要求', 'What is required'),
    ('supervise', 'due', 'time', true, null, null, null, '答复期限', 'To be answered by'),
    ('answer_supervision', 'order', 'ids', true, 1, 1, null, '督办单', 'Order'),
    ('answer_supervision', 'text', 'text', true, 5, 5000, null, '负责人答复', 'Answer of the head of the unit'),
    ('close_supervision', 'order', 'ids', true, 1, 1, null, '督办单', 'Order'),
    ('close_supervision', 'opinion', 'text', true, 2, 1000, null, '销号意见', 'Opinion'),
    ('withdraw', 'reason', 'text', true, 2, 1000, null, '撤诉原因', 'Why'),
    ('withdraw', 'pressed', 'bool', true, null, null, null, '有单位要求撤诉', 'A unit asked for the withdrawal'),
    ('withdraw', 'phone', 'phone', false, null, null, null, '来电号码（核对身份）', 'Number of the call (identity)'),
    ('withdraw', 'query_code', 'text', false, 8, 20, null, '查询码（核对身份）', 'Query code (identity)'),
    ('withdraw', 'recording_id', 'text', false, 1, 100, null, '录音编号', 'Recording'),
    ('refer_out', 'target', 'word', true, null, null, 'refer_target', '转给谁', 'To whom'),
    ('refer_out', 'target_name', 'text', true, 2, 200, null, '单位名称', 'Its name'),
    ('refer_out', 'told_text', 'text', true, 5, 1000, null, '告知诉求人的话', 'What the citizen is told'),
    ('refer_out', 'external_id', 'text', false, 1, 100, null, '对方编号', 'Its own number'),
    ('recuse', 'reason', 'text', true, 2, 1000, null, '回避理由', 'Why'),
    ('name_conflict', 'unit', 'unit', true, null, null, null, '有利害关系的单位', 'Unit in conflict'),
    ('name_conflict', 'reason', 'text', true, 2, 1000, null, '理由', 'Why')
) as t(action, name, type, must, min, max, words, zh, en);

insert into hotline.plain_words (transition, zh, en) values
    ('T07', '还需要您补充一些情况，期间时限暂停计算。', 'More facts are needed from you; the clocks stand still meanwhile.'),
    ('T07h', '{unit}还需要您补充一些情况，期间时限暂停计算。', '{unit} needs more facts from you; the clocks stand still meanwhile.'),
    ('T08', '您补充的情况已收到，继续办理。', 'Your facts have arrived; the work goes on.'),
    ('T09m', '提醒您：还在等您补充情况。', 'A reminder: we still wait for your facts.'),
    ('T09', '未收到补充的情况，诉求已办结；30 天内您可以补充后要求重启。', 'No facts came and the matter is closed; within 30 days you can give them and have it reopened.'),
    ('T11', '情况紧急，已直接转接应急单位。', 'It is urgent and was passed straight to the emergency line.'),
    ('T11p', '紧急的部分已直接转接应急单位，其余继续办理。', 'The urgent part was passed to the emergency line; the rest goes on.'),
    ('T11c', '紧急事项之外的部分由热线继续办理。', 'What is not urgent is dealt with here.'),
    ('T12', '110 已将您的诉求转交热线。', '110 has passed your matter to the hotline.'),
    ('T13', '您的来电或留言已记录在这张工单上。', 'Your further word has been added to this ticket.'),
    ('T14', '与您先前的诉求是同一件事，已合并办理。', 'This is the same matter as one of yours before; they are dealt with together.'),
    ('T15f', '许多人反映了同一件事，{unit}的办理结果一并答复您，热线将回访您。', 'Many have reported the same; the result of {unit} is the answer to all, and the hotline will ask you about it.'),
    ('T16', '省平台已将您的诉求转交热线。', 'The province has passed your matter to the hotline.'),
    ('T69', '您反映的情况与单位所述不一致，已要求{unit}重新办理并列入督办。', 'What you say and what the unit says differ; {unit} must do it again, under supervision.'),
    ('T70', '您的评价已收到。', 'Your rating has arrived.'),
    ('T71', '您的异议成立，已要求{unit}重新办理。', 'Your objection stands; {unit} must do it again.'),
    ('T71d', '您的异议已收到，诉求重新办理。', 'Your objection has arrived; the matter is open again.'),
    ('T72', '热线已重启办理。', 'The hotline has reopened the matter.'),
    ('T72r', '热线已重启办理，交{unit}再办。', 'The hotline has reopened the matter with {unit}.'),
    ('T73', '这张工单已作废。', 'This ticket is void.'),
    ('T74', '热线已催办。', 'The hotline has urged the unit.'),
    ('T75', '热线已对此事督办。', 'The matter is under supervision.'),
    ('T77', '按您的意愿，诉求已撤回。', 'The matter is withdrawn as you wish.'),
    ('T78', '此事不属本市热线办理，已转交，去向见答复。', 'This is for another body and was passed on; the answer says where.'),
    ('T80', '原承办单位回避，正在另派单位。', 'The unit has stepped aside; another will be found.');
