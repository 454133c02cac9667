-- The transition table.  Rows are rewritten as a whole at each deploy; what is special about one is named, not written here.

create or replace function hotline.states(names text) returns smallint[]
language sql stable strict as $$ select hotline.codes_of('state', string_to_array(names, ' ')) $$;
create or replace function hotline.assignment_states(names text) returns smallint[]
language sql stable strict as $$ select hotline.codes_of('assignment_state', string_to_array(names, ' ')) $$;

delete from hotline.clock_effect;
delete from hotline.transition;

insert into hotline.transition (id, action, from_states, from_assignment, guard, effect, to_state, to_assignment, close_kind,
    approval, decides, follow, outbox, zh, en, ord)
select id, action, hotline.states(f), hotline.assignment_states(fa), guard, effect, hotline.code_of('state', t),
    hotline.code_of('assignment_state', ta), hotline.code_of('close_kind', kind), approval, decides, follow, outbox, zh, en, ord
from (values
    ('T02', 'save_draft', 'draft', null, 'may_save', 'do_edit', null, null, null, null, null, null, null, '保存', 'Save', 5),
    ('T03', 'answer_on_spot', 'draft pending_accept', null, 'may_answer', 'do_answer', 'closed', null, 'direct', null, null, null, 'answered', '直接办结', 'Answer on the spot', 30),
    ('T04', 'submit', 'draft', null, 'may_submit', 'do_submit', 'pending_dispatch', null, null, null, null, 'dispatch', 'submitted', '提交', 'Submit', 10),
    ('T06', 'accept', 'pending_accept', null, null, 'do_accept', 'pending_dispatch', null, null, null, null, 'dispatch', 'accepted', '受理', 'Accept', 10),
    ('T10', 'refuse', 'draft pending_accept', null, 'may_refuse', 'do_refuse', 'refused', null, null, 'refuse', null, null, 'refused', '不予受理', 'Refuse', 90),
    ('T18', 'dispatch', 'pending_dispatch', null, 'may_dispatch', 'do_dispatch', 'pending_sign', null, null, null, null, null, 'dispatched', '派单', 'Dispatch', 10),
    ('T30', 'sign', 'pending_sign', 'pending_sign', 'may_sign', 'do_sign', 'handling', 'handling', null, null, null, null, 'signed', '签收', 'Sign', 10),
    ('T31', 'deemed_sign', 'pending_sign', 'pending_sign', null, 'do_deemed_sign', 'handling', 'handling', null, null, null, null, null, '视同签收', 'Deemed signed', 10),
    ('T43', 'first_contact', 'handling', 'handling audit_rejected', 'may_contact', 'do_contact', null, null, null, null, null, null, null, '先行联系', 'First contact', 10),
    ('T52', 'submit_reply', 'handling', 'handling audit_rejected', 'may_reply', 'do_reply', null, 'unit_approval', null, null, null, null, null, '提交答复', 'Submit reply', 20),
    ('T53', 'unit_approve', 'handling', 'unit_approval', null, 'do_unit_approve', 'pending_audit', 'replied', null, 'reply', 'approved', null, 'replied', '审签通过', 'Approve reply', 10),
    ('T53r', 'unit_reject', 'handling', 'unit_approval', null, 'do_unit_reject', null, 'handling', null, 'reply', 'rejected', null, null, '审签退回', 'Send reply back', 20),
    ('T60', 'audit_pass', 'pending_audit', 'replied', 'may_audit', 'do_audit_pass', 'pending_callback', null, null, null, null, 'close_waived', null, '审核通过', 'Pass audit', 10),
    ('T61', 'audit_reject', 'pending_audit', 'replied', 'may_audit_reject', 'do_audit_reject', 'handling', 'audit_rejected', null, null, null, null, null, '审核退回', 'Reject reply', 20),
    ('T62', 'audit_timeout', 'pending_audit', 'replied', null, null, null, null, null, null, null, null, null, '审核超时', 'Audit overdue', 90),
    ('T63', 'callback_attempt', 'pending_callback', 'replied', 'may_attempt', 'do_attempt', null, null, null, null, null, null, null, '登记回访', 'Record a callback attempt', 10),
    ('T64', 'callback_ok', 'pending_callback', 'replied', 'may_close', 'do_verdict_close', 'closed', 'done', null, null, null, null, 'closed', '回访办结', 'Close after callback', 20),
    ('T65', 'rework', 'pending_callback', 'replied', 'may_rework', 'do_rework', 'pending_sign', 'pending_sign', null, 'rework', null, null, 'rework', '重办', 'Rework', 30),
    ('T66', 'close_unsatisfied', 'pending_callback', 'replied', 'may_close_unsatisfied', 'do_close_unsatisfied', 'closed', 'done', 'unsat_closed', null, null, 'supervise', 'closed', '不满意办结', 'Close as unsatisfied', 40),
    ('T67', 'close_unreachable', 'pending_callback', 'replied', 'is_unreachable', 'do_close', 'closed', 'done', null, null, null, null, 'closed', '联系不上办结', 'Close as unreachable', 50),
    ('T68', 'close_waived', 'pending_callback', 'replied', 'is_waived', 'do_close', 'closed', 'done', null, null, null, null, 'closed', '免回访办结', 'Close without callback', 50),
    ('T79', 'archive', 'closed', null, 'may_archive', 'do_archive', 'archived', null, null, null, null, null, null, '归档', 'Archive', 90)
) as t(id, action, f, fa, guard, effect, t, ta, kind, approval, decides, follow, outbox, zh, en, ord);

-- Clock effects.  '*' is every clock of the ticket that runs.
insert into hotline.clock_effect (transition, kind, effect, ord) values
    ('T03', 'promise', 'meet', 1), ('T03', '*', 'stop', 2),
    ('T04', 'draft', 'meet', 0), ('T04', 'promise', 'start', 1), ('T04', 'dispatch', 'start', 2),
    ('T06', 'accept', 'meet', 1), ('T06', 'dispatch', 'start', 2),
    ('T10', '*', 'stop', 1),
    ('T18', 'dispatch', 'meet', 1), ('T18', 'sign', 'start', 2), ('T18', 'contact', 'start', 3), ('T18', 'unit', 'start', 4),
    ('T30', 'sign', 'meet', 1),
    ('T31', 'sign', 'breach', 1),
    ('T43', 'contact', 'meet', 1),
    ('T53', 'unit', 'meet', 1), ('T53', 'redo', 'meet', 2), ('T53', 'audit', 'start', 3),
    ('T60', 'audit', 'meet', 1), ('T60', 'promise', 'meet', 2), ('T60', 'callback', 'start', 3), ('T60', 'closing', 'start', 4),
    ('T61', 'audit', 'meet', 1), ('T61', 'unit', 'unmeet', 2), ('T61', 'redo', 'start', 3),
    ('T63', 'callback', 'meet', 1),
    ('T64', 'closing', 'meet', 1), ('T64', '*', 'stop', 2),
    ('T65', 'closing', 'stop', 1), ('T65', 'callback', 'stop', 2), ('T65', 'contact', 'stop', 3), ('T65', 'promise', 'unmeet', 4),
    ('T65', 'sign', 'start', 5), ('T65', 'contact', 'start', 6), ('T65', 'unit', 'start', 7),
    ('T66', 'closing', 'meet', 1), ('T66', '*', 'stop', 2),
    ('T67', 'closing', 'meet', 1), ('T67', '*', 'stop', 2),
    ('T68', 'closing', 'meet', 1), ('T68', '*', 'stop', 2);

-- T01 and T05 make the ticket; approve, reject and lapse act on what was asked.  They have effects but no row of their own kind.
insert into hotline.transition (id, action, from_states, effect, to_state, zh, en, ord)
select id, action, hotline.states(f), effect, hotline.code_of('state', t), zh, en, ord
from (values
    ('T01', 'create_draft', '', null, 'draft', '新建', 'New ticket', 1),
    ('T05', 'submit_online', '', null, 'pending_accept', '网上提交', 'Filed online', 1),
    ('ASK', 'ask', '', null, null, '提请审批', 'Asked for a decision', 1),
    ('APPROVE', 'approve', '', null, null, '同意', 'Approve', 1),
    ('REJECT', 'reject', '', null, null, '不同意', 'Reject', 2),
    ('LAPSE', 'lapse', '', null, null, '审批超时上提', 'Review overdue, passed up', 3)
) as t(id, action, f, effect, t, zh, en, ord);
insert into hotline.clock_effect (transition, kind, effect, ord) values
    ('T05', 'promise', 'start', 1), ('T05', 'accept', 'start', 2);

insert into hotline.approval_kind (kind, decider_role, up_role, budget, unit, needed, on_ask, zh, en) values
    ('refuse', 'LDR', 'SUP', 240, 'workhour', 'refuse_needs_two', null, '不予受理会签', 'Countersign a refusal'),
    ('reply', 'UAP', null, null, null, null, null, '答复审签', 'Approve the reply'),
    ('rework', 'LDR', 'SUP', 240, 'workhour', null, 'keep_verdict', '重办审批', 'Decide on rework')
on conflict (kind) do update set decider_role = excluded.decider_role, up_role = excluded.up_role, budget = excluded.budget,
    unit = excluded.unit, needed = excluded.needed, on_ask = excluded.on_ask, zh = excluded.zh, en = excluded.en;

delete from hotline.action_input;
insert into hotline.action_input (action, name, ord, type, must, min, max, choices, words, zh, en)
select action, name, row_number() over (), type, must, min, max, null, words, zh, en
from (values
    ('save_draft', 'type', 'word', false, null, null, 'appeal_type', '诉求类型', 'Type'),
    ('save_draft', 'title', 'text', false, 2, 200, null, '标题', 'Title'),
    ('save_draft', 'content', 'text', false, 2, 10000, null, '内容', 'Content'),
    ('save_draft', 'category', 'category', false, null, null, null, '类别', 'Category'),
    ('save_draft', 'division', 'division', false, null, null, null, '区域', 'Place'),
    ('save_draft', 'address', 'text', false, 0, 200, null, '详细地址', 'Address'),
    ('save_draft', 'urgency', 'word', false, null, null, 'urgency', '紧急程度', 'Urgency'),
    ('save_draft', 'secrecy', 'int', false, 0, 3, null, '保密等级', 'Secrecy level'),
    ('save_draft', 'reply_wanted', 'bool', false, null, null, null, '需要回复', 'Wants a reply'),
    ('save_draft', 'publish', 'word', false, null, null, 'publish', '是否同意公开', 'Consent to publish'),
    ('save_draft', 'anonymous', 'bool', false, null, null, null, '匿名', 'Anonymous'),
    ('save_draft', 'phone', 'phone', false, null, null, null, '联系电话', 'Phone'),
    ('save_draft', 'name', 'text', false, 1, 50, null, '姓名', 'Name'),
    ('submit', 'type', 'word', true, null, null, 'appeal_type', '诉求类型', 'Type'),
    ('submit', 'title', 'text', true, 2, 200, null, '标题', 'Title'),
    ('submit', 'content', 'text', true, 2, 10000, null, '内容', 'Content'),
    ('submit', 'category', 'category', true, null, null, null, '类别', 'Category'),
    ('submit', 'division', 'division', true, null, null, null, '区域', 'Place'),
    ('submit', 'address', 'text', false, 0, 200, null, '详细地址', 'Address'),
    ('submit', 'urgency', 'word', true, null, null, 'urgency', '紧急程度', 'Urgency'),
    ('submit', 'secrecy', 'int', true, 0, 3, null, '保密等级', 'Secrecy level'),
    ('submit', 'reply_wanted', 'bool', true, null, null, null, '需要回复', 'Wants a reply'),
    ('submit', 'publish', 'word', true, null, null, 'publish', '是否同意公开', 'Consent to publish'),
    ('submit', 'anonymous', 'bool', false, null, null, null, '匿名', 'Anonymous'),
    ('submit', 'phone', 'phone', false, null, null, null, '联系电话', 'Phone'),
    ('submit', 'name', 'text', false, 1, 50, null, '姓名', 'Name'),
    ('submit', 'dup_check', 'ids', true, 1, 1, null, '查重记录', 'Duplicate check'),
    ('submit', 'readback', 'bool', true, null, null, null, '已向诉求人复述确认', 'Read back to the citizen'),
    ('answer_on_spot', 'type', 'word', false, null, null, 'appeal_type', '诉求类型', 'Type'),
    ('answer_on_spot', 'title', 'text', false, 2, 200, null, '标题', 'Title'),
    ('answer_on_spot', 'category', 'category', true, null, null, null, '类别', 'Category'),
    ('answer_on_spot', 'answer_text', 'text', true, 5, 5000, null, '答复内容', 'Answer'),
    ('answer_on_spot', 'kb_article_ids', 'list', false, 1, 10, null, '引用的知识', 'Knowledge articles used'),
    ('answer_on_spot', 'no_kb_reason', 'text', false, 2, 200, null, '没有知识可引用的原因', 'Why no article was used'),
    ('answer_on_spot', 'appellant_ack', 'bool', true, null, null, null, '诉求人已知悉', 'Citizen has taken note'),
    ('accept', 'type', 'word', false, null, null, 'appeal_type', '诉求类型', 'Type'),
    ('accept', 'title', 'text', true, 2, 200, null, '标题', 'Title'),
    ('accept', 'content', 'text', false, 2, 10000, null, '内容（原文保留）', 'Content (the original is kept)'),
    ('accept', 'category', 'category', true, null, null, null, '类别', 'Category'),
    ('accept', 'division', 'division', true, null, null, null, '区域', 'Place'),
    ('accept', 'urgency', 'word', false, null, null, 'urgency', '紧急程度', 'Urgency'),
    ('refuse', 'refuse_code', 'word', true, null, null, 'refuse_code', '不予受理的原因', 'Reason'),
    ('refuse', 'told_text', 'text', true, 5, 1000, null, '告知诉求人的话', 'What the citizen is told'),
    ('refuse', 'alternative_channel', 'text', false, 2, 200, null, '可走的途径', 'Where to go instead'),
    ('dispatch', 'main_unit', 'unit', true, null, null, null, '主办单位', 'Main unit'),
    ('dispatch', 'co_units', 'units', false, 0, 5, null, '协办单位', 'Assisting units'),
    ('dispatch', 'item', 'item', false, null, null, null, '目录事项', 'Directory item'),
    ('dispatch', 'policy', 'policy', false, null, null, null, '时限', 'Policy'),
    ('dispatch', 'instruction', 'text', true, 2, 1000, null, '派单意见', 'Instruction'),
    ('sign', 'handler', 'person', false, null, null, null, '承办人', 'Handler'),
    ('first_contact', 'contacted', 'bool', true, null, null, null, '已联系上', 'Reached'),
    ('first_contact', 'way', 'word', true, null, null, 'way', '联系方式', 'How'),
    ('first_contact', 'at', 'time', false, null, null, null, '联系时间', 'When'),
    ('first_contact', 'fail_reason', 'text', false, 2, 200, null, '未联系上的原因', 'Why not reached'),
    ('first_contact', 'attempts', 'int', false, 1, 20, null, '尝试次数', 'Attempts'),
    ('submit_reply', 'result', 'word', true, null, null, 'result', '办理结果', 'Result'),
    ('submit_reply', 'fact_finding', 'word', true, null, null, 'fact_finding', '事实认定', 'Finding of fact'),
    ('submit_reply', 'content', 'text', true, 30, 10000, null, '答复内容', 'Reply'),
    ('submit_reply', 'measures', 'text', true, 2, 2000, null, '办理措施', 'Measures'),
    ('submit_reply', 'legal_basis', 'text', false, 2, 500, null, '法律依据', 'Legal basis'),
    ('submit_reply', 'told_at', 'time', false, null, null, null, '答复诉求人的时间', 'When the citizen was told'),
    ('submit_reply', 'told_way', 'word', false, null, null, 'way', '答复方式', 'How the citizen was told'),
    ('submit_reply', 'public_text', 'text', false, 10, 5000, null, '公开答复', 'Public text'),
    ('submit_reply', 'public_suggestion', 'word', false, null, null, 'public_suggestion', '公开建议', 'Fit to publish'),
    ('unit_approve', 'opinion', 'text', true, 1, 500, null, '审签意见', 'Opinion'),
    ('unit_reject', 'opinion', 'text', true, 2, 500, null, '退回意见', 'Opinion'),
    ('audit_pass', 'quality_score', 'int', true, 0, 100, null, '质量评分', 'Quality score'),
    ('audit_reject', 'reject_code', 'word', true, null, null, 'reject_code', '退回原因', 'Reason'),
    ('audit_reject', 'comment', 'text', true, 2, 1000, null, '说明', 'Comment'),
    ('callback_attempt', 'outcome', 'word', true, null, null, 'outcome', '结果', 'Outcome'),
    ('callback_attempt', 'contacted_by_unit', 'bool', false, null, null, null, '单位联系过诉求人', 'The unit was in contact'),
    ('callback_attempt', 'resolved', 'word', false, null, null, 'resolved', '是否解决', 'Resolved'),
    ('callback_attempt', 'sat_process', 'word', false, null, null, 'satisfaction', '过程满意度', 'Satisfied with the handling'),
    ('callback_attempt', 'sat_result', 'word', false, null, null, 'satisfaction', '结果满意度', 'Satisfied with the result'),
    ('callback_ok', 'contacted_by_unit', 'bool', true, null, null, null, '单位联系过诉求人', 'The unit was in contact'),
    ('callback_ok', 'resolved', 'word', true, null, null, 'resolved', '是否解决', 'Resolved'),
    ('callback_ok', 'sat_process', 'word', true, null, null, 'satisfaction', '过程满意度', 'Satisfied with the handling'),
    ('callback_ok', 'sat_result', 'word', true, null, null, 'satisfaction', '结果满意度', 'Satisfied with the result'),
    ('callback_ok', 'comment', 'text', false, 1, 1000, null, '诉求人的话', 'Citizen''s words'),
    ('rework', 'rework_reason', 'text', true, 2, 1000, null, '重办原因', 'Why again'),
    ('rework', 'must_do', 'list', true, 1, 10, null, '必须做到的事', 'What must be done'),
    ('rework', 'contacted_by_unit', 'bool', true, null, null, null, '单位联系过诉求人', 'The unit was in contact'),
    ('rework', 'resolved', 'word', true, null, null, 'resolved', '是否解决', 'Resolved'),
    ('rework', 'sat_process', 'word', true, null, null, 'satisfaction', '过程满意度', 'Satisfied with the handling'),
    ('rework', 'sat_result', 'word', true, null, null, 'satisfaction', '结果满意度', 'Satisfied with the result'),
    ('close_unsatisfied', 'why_no_rework', 'text', true, 2, 1000, null, '不再重办的理由', 'Why no rework'),
    ('close_unsatisfied', 'legal_basis', 'text', true, 2, 500, null, '法律依据', 'Legal basis'),
    ('approve', 'approval', 'ids', true, 1, 1, null, '审批事项', 'What was asked'),
    ('approve', 'opinion', 'text', true, 1, 500, null, '意见', 'Opinion'),
    ('reject', 'approval', 'ids', true, 1, 1, null, '审批事项', 'What was asked'),
    ('reject', 'opinion', 'text', true, 2, 500, null, '意见', 'Opinion')
) as t(action, name, type, must, min, max, words, zh, en);

delete from hotline.legal_pair;
insert into hotline.legal_pair (ticket_state, assignment_state)
select hotline.code_of('state', t), coalesce(hotline.code_of('assignment_state', a), 0)
from (values ('draft', ''), ('pending_accept', ''), ('need_supplement', ''), ('need_supplement', 'handling'), ('pending_dispatch', ''),
    ('in_consultation', ''), ('pending_sign', 'pending_sign'), ('return_review', 'return_req'), ('handling', 'handling'),
    ('handling', 'unit_approval'), ('handling', 'audit_rejected'), ('suspended', 'handling'), ('suspended', 'audit_rejected'),
    ('parked', 'handling'), ('parked', 'audit_rejected'), ('pending_audit', 'replied'), ('pending_callback', 'replied'),
    ('closed', ''), ('closed', 'done'), ('archived', ''), ('archived', 'done'), ('refused', ''), ('withdrawn', ''), ('withdrawn', 'done'),
    ('voided', ''), ('merged', ''), ('referred_out', ''), ('terminated', ''), ('terminated', 'done')) as t(t, a);
