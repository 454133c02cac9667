-- What administrators may change, with which inputs; and the one step of the workflow that follows from it by itself.

insert into hotline.transition (id, action, from_states, effect, zh, en, ord) values
    ('CAL', 'calendar_adjust', hotline.states('draft pending_accept need_supplement pending_dispatch in_consultation pending_sign return_review handling '
        'suspended parked pending_audit pending_callback closed'), 'do_calendar_adjust', '日历调整', 'Calendar changed', 99);

insert into hotline.role_right (role, action, scope) values ('SYS', 'calendar_adjust', 'all');
-- The shift lead confirms that a changed calendar may bring due times forward; another administrator may too.
insert into hotline.role_right (role, action, scope) values ('LDR', 'calendar.confirm', 'all'), ('ADM', 'calendar.confirm', 'all');
insert into hotline.role_right (role, action, scope)
select 'ADM', a, 'all'
from unnest('{admin.read,admin.unit,admin.user,admin.role,admin.directory,admin.category,admin.policy,admin.calendar,admin.template,admin.refusal,admin.link,admin.key,admin.notice}'::text[]) a;

insert into hotline.action_input (action, name, ord, type, must, min, max, choices, zh, en)
select 'admin.' || kind, name, row_number() over (), type, must, min, max, choices::text[], zh, en
from (values
    ('unit', 'name', 'text', false, 2, 100, null, '名称', 'Name'),
    ('unit', 'short_name', 'text', false, 1, 50, null, '简称', 'Short name'),
    ('unit', 'name_en', 'text', false, 2, 200, null, '英文名称', 'Name in English'),
    ('unit', 'parent', 'unit', false, null, null, null, '上级单位', 'Parent'),
    ('unit', 'kind', 'word', false, null, null, '{department,district,utility,street,section}', '类别', 'Kind'),
    ('unit', 'division', 'division', false, null, null, null, '所辖区域', 'Place'),
    ('unit', 'calendar', 'int', false, 1, null, null, '日历', 'Calendar'),
    ('unit', 'valid_from', 'text', false, 10, 10, null, '生效日期', 'Valid from'),
    ('unit', 'valid_to', 'text', false, 10, 10, null, '终止日期（当日起无效）', 'Valid to (not that day)'),
    ('user', 'name', 'text', false, 1, 50, null, '姓名', 'Name'),
    ('user', 'unit', 'unit', false, null, null, null, '单位', 'Unit'),
    ('user', 'roles', 'list', false, 1, 10, null, '角色', 'Roles'),
    ('user', 'disabled', 'bool', false, null, null, null, '停用', 'Closed'),
    ('role', 'name', 'text', false, 2, 50, null, '名称', 'Name in Chinese'),
    ('role', 'name_en', 'text', false, 2, 100, null, '英文名称', 'Name in English'),
    ('role', 'centre', 'bool', false, null, null, null, '热线中心的角色', 'A role of the centre'),
    ('role', 'rights', 'list', false, 0, 200, null, '权限（操作:范围）', 'Rights (action:scope)'),
    ('directory', 'name', 'text', false, 2, 100, null, '事项', 'Matter'),
    ('directory', 'category', 'category', false, null, null, null, '类别', 'Category'),
    ('directory', 'division', 'division', false, null, null, null, '限定区域', 'Only in'),
    ('directory', 'keywords', 'list', false, 1, 50, null, '关键词', 'Keywords'),
    ('directory', 'rule', 'word', false, null, null, '{unit,district,street}', '主办规则', 'Who is responsible'),
    ('directory', 'unit', 'unit', false, null, null, null, '主办单位', 'Main unit'),
    ('directory', 'co_units', 'units', false, 0, 5, null, '协办单位', 'Assisting units'),
    ('directory', 'policy', 'policy', false, null, null, null, '时限', 'Policy'),
    ('directory', 'types', 'list', false, 0, 7, null, '诉求类型', 'Types'),
    ('directory', 'duty', 'bool', false, null, null, null, '职能部门职责，不派街道', 'A department''s duty'),
    ('directory', 'legal_basis', 'text', false, 2, 500, null, '法律依据', 'Legal basis'),
    ('directory', 'valid_to', 'text', false, 10, 10, null, '终止日期（当日起无效）', 'Valid to (not that day)'),
    ('category', 'name', 'text', false, 2, 100, null, '名称', 'Name'),
    ('category', 'name_en', 'text', false, 2, 200, null, '英文名称', 'Name in English'),
    ('category', 'parent', 'text', false, 2, 12, null, '上级类别编码', 'Code of the parent'),
    ('category', 'type', 'word', false, null, null, '{consult,help,complaint,report,suggestion,praise,other}', '默认诉求类型', 'Usual type'),
    ('category', 'maps', 'list', false, 0, 10, null, '对应编码（方案:编码）', 'In other schemes (scheme:code)'),
    ('category', 'valid_from', 'text', false, 10, 10, null, '生效日期', 'Valid from'),
    ('category', 'valid_to', 'text', false, 10, 10, null, '终止日期（当日起无效）', 'Valid to (not that day)'),
    ('policy', 'name', 'text', false, 2, 100, null, '名称', 'Name'),
    ('policy', 'name_en', 'text', false, 2, 200, null, '英文名称', 'Name in English'),
    ('policy', 'promise', 'text', false, 5, 20, null, '承诺时限（数量 单位）', 'Promise (number and unit)'),
    ('policy', 'clocks', 'list', false, 0, 20, null, '各环节时限（环节 数量 单位）', 'Clocks (kind, number, unit)'),
    ('policy', 'extensions', 'list', false, 0, 2, null, '延期（第几次 数量 单位）', 'Extensions (which, number, unit)'),
    ('policy', 'valid_from', 'text', false, 10, 10, null, '生效日期', 'Valid from'),
    ('calendar', 'name', 'text', false, 2, 100, null, '名称', 'Name'),
    ('calendar', 'hours', 'list', false, 1, 2, null, '办公时间', 'Office hours'),
    ('calendar', 'days', 'list', false, 0, 50, null, '调整的日期（日期 off/work/published 名称）', 'Days (date, off, work or published, name)'),
    ('calendar', 'years', 'list', false, 0, 10, null, '已公布放假安排的年份', 'Years whose holidays are published'),
    ('calendar', 'bring_forward', 'bool', false, null, null, null, '期限可提前（须另一人确认）', 'Due times may become earlier (another person confirms)'),
    ('calendar', 'confirm', 'ids', false, 1, 1, null, '确认提前期限（调整编号）', 'Confirm earlier due times (the change)'),
    ('template', 'title', 'text', false, 2, 100, null, '标题', 'Title'),
    ('template', 'body', 'text', false, 2, 5000, null, '正文', 'Text'),
    ('template', 'body_en', 'text', false, 2, 5000, null, '英文正文', 'Text in English'),
    ('template', 'category', 'category', false, null, null, null, '类别', 'Category'),
    ('template', 'valid_to', 'text', false, 10, 10, null, '终止日期（当日起无效）', 'Valid to (not that day)'),
    ('refusal', 'body', 'text', false, 5, 1000, null, '告知诉求人的话', 'What the citizen is told'),
    ('refusal', 'body_en', 'text', false, 5, 1000, null, '英文', 'The same in English'),
    ('refusal', 'title', 'text', false, 2, 200, null, '可走的途径', 'Where to go instead'),
    ('link', 'unit', 'unit', false, null, null, null, '单位', 'Unit'),
    ('link', 'way', 'word', false, null, null, '{webhook,email}', '方式', 'Way'),
    ('link', 'address', 'text', false, 5, 500, null, '网址或邮箱', 'URL or mailbox'),
    ('link', 'active', 'bool', false, null, null, null, '启用', 'In use'),
    ('link', 'new_secret', 'bool', false, null, null, null, '更换签名密钥', 'A new secret to sign with'),
    ('key', 'unit', 'unit', false, null, null, null, '单位', 'Unit'),
    ('key', 'roles', 'list', false, 1, 3, null, '角色（UDP、UHD、UAP）', 'Roles (UDP, UHD, UAP)'),
    ('key', 'expires', 'text', false, 10, 10, null, '有效期至（当日起无效）', 'Valid to (not that day)'),
    ('key', 'active', 'bool', false, null, null, null, '启用', 'In use'),
    ('key', 'renew', 'bool', false, null, null, null, '更换密钥', 'A new key'),
    ('notice', 'do', 'word', false, null, null, '{retry,drop}', '重新发送或放弃', 'Try again or give up')
) as t(kind, name, type, must, min, max, choices, zh, en);
