-- What forms ask about some matters: what a unit otherwise has to ring back for.

insert into hotline.category_attribute (category_id, code, ord, datatype, required, zh, en, hint_zh, hint_en, choices) values
    (10000, 'seen_at', 10, 'datetime', false, '发现时间', 'When you saw it', '带时区的时间', 'With a time zone', '[]'),
    (10302, 'cover', 20, 'singlevaluelist', true, '井盖种类', 'Kind of cover', '盖面上通常写有', 'Usually written on it',
        '[{"key": "rain", "zh": "雨水", "en": "Rain water"}, {"key": "sewage", "zh": "污水", "en": "Sewage"}, {"key": "power", "zh": "电力", "en": "Power"},
          {"key": "telecom", "zh": "通信", "en": "Telecom"}, {"key": "unknown", "zh": "不清楚", "en": "Do not know"}]'),
    (10304, 'lamp', 20, 'string', false, '灯杆编号', 'Number on the lamp post', null, null, '[]'),
    (70300, 'hours', 10, 'multivaluelist', false, '发生时段', 'At what hours', null, null,
        '[{"key": "morning", "zh": "上午", "en": "Morning"}, {"key": "noon", "zh": "中午", "en": "Noon"}, {"key": "evening", "zh": "晚上", "en": "Evening"},
          {"key": "night", "zh": "深夜", "en": "At night"}]'),
    (80101, 'people', 10, 'number', false, '被欠薪人数', 'How many are owed', null, null, '[]'),
    (80101, 'employer', 20, 'string', true, '用人单位', 'Employer', null, null, '[]'),
    (120401, 'story', 10, 'text', false, '购买经过', 'How it was bought', null, null, '[]')
on conflict (category_id, code) do update set ord = excluded.ord, datatype = excluded.datatype, required = excluded.required, zh = excluded.zh,
    en = excluded.en, hint_zh = excluded.hint_zh, hint_en = excluded.hint_en, choices = excluded.choices;
