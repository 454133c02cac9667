-- Who can be given a ticket.  Ids are stable and their ranges say what a unit is:
--   1 the centre · 101–199 city departments and bodies · 201–207 districts · 211–219 functional zones · 301–399 utilities ·
--   a section is its parent's id and two digits (10205) · a street or town is the last six digits of its division (507001).
-- City bodies carry the names Guangdong's cities use; the local utilities, whose firms change, are named by what they supply.
-- Functional zones have no division of their own: they lie inside districts and are chosen by name, never by place.

insert into hotline.unit (id, code, parent_id, level, kind, name, short_name, name_en, division, calendar_id)
values
    (1, 'ST-12345', null, 1, 'centre', '汕头市12345政务服务便民热线中心', '热线中心', 'Shantou 12345 Hotline Centre', null, 1),

    (101, 'ST-GAJ', 1, 2, 'department', '汕头市公安局', '市公安局', 'Municipal Public Security Bureau', null, 1),
    (102, 'ST-JJZD', 1, 2, 'department', '汕头市公安局交通警察支队', '市交警支队', 'Municipal Traffic Police', null, 1),
    (103, 'ST-FGJ', 1, 2, 'department', '汕头市发展和改革局', '市发展改革局', 'Municipal Development and Reform Bureau', null, 1),
    (104, 'ST-JYJ', 1, 2, 'department', '汕头市教育局', '市教育局', 'Municipal Education Bureau', null, 1),
    (105, 'ST-GXJ', 1, 2, 'department', '汕头市工业和信息化局', '市工信局', 'Municipal Industry and Information Technology Bureau', null, 1),
    (106, 'ST-MZJ', 1, 2, 'department', '汕头市民政局', '市民政局', 'Municipal Civil Affairs Bureau', null, 1),
    (107, 'ST-SFJ', 1, 2, 'department', '汕头市司法局', '市司法局', 'Municipal Justice Bureau', null, 1),
    (108, 'ST-RSJ', 1, 2, 'department', '汕头市人力资源和社会保障局', '市人社局', 'Municipal Human Resources and Social Security Bureau', null, 1),
    (109, 'ST-SBJ', 1, 2, 'department', '汕头市社会保险基金管理局', '市社保局', 'Municipal Social Insurance Fund Administration', null, 1),
    (110, 'ST-YBJ', 1, 2, 'department', '汕头市医疗保障局', '市医保局', 'Municipal Healthcare Security Bureau', null, 1),
    (111, 'ST-ZRZY', 1, 2, 'department', '汕头市自然资源局', '市自然资源局', 'Municipal Natural Resources Bureau', null, 1),
    (112, 'ST-STHJ', 1, 2, 'department', '汕头市生态环境局', '市生态环境局', 'Municipal Ecology and Environment Bureau', null, 1),
    (113, 'ST-ZJJ', 1, 2, 'department', '汕头市住房和城乡建设局', '市住建局', 'Municipal Housing and Urban-Rural Development Bureau', null, 1),
    (114, 'ST-CGJ', 1, 2, 'department', '汕头市城市管理和综合执法局', '市城管局', 'Municipal Urban Management and Law Enforcement Bureau', null, 1),
    (115, 'ST-JTJ', 1, 2, 'department', '汕头市交通运输局', '市交通运输局', 'Municipal Transport Bureau', null, 1),
    (116, 'ST-GLZX', 1, 2, 'department', '汕头市公路事务中心', '市公路事务中心', 'Municipal Highway Affairs Centre', null, 1),
    (117, 'ST-SWJ', 1, 2, 'department', '汕头市水务局', '市水务局', 'Municipal Water Affairs Bureau', null, 1),
    (118, 'ST-NYJ', 1, 2, 'department', '汕头市农业农村局', '市农业农村局', 'Municipal Agriculture and Rural Affairs Bureau', null, 1),
    (119, 'ST-SHW', 1, 2, 'department', '汕头市商务局', '市商务局', 'Municipal Commerce Bureau', null, 1),
    (120, 'ST-WGJ', 1, 2, 'department', '汕头市文化广电旅游体育局', '市文广旅体局', 'Municipal Culture, Radio, Television, Tourism and Sports Bureau', null, 1),
    (121, 'ST-WJJ', 1, 2, 'department', '汕头市卫生健康局', '市卫生健康局', 'Municipal Health Bureau', null, 1),
    (122, 'ST-TYJ', 1, 2, 'department', '汕头市退役军人事务局', '市退役军人局', 'Municipal Veterans Affairs Bureau', null, 1),
    (123, 'ST-YJJ', 1, 2, 'department', '汕头市应急管理局', '市应急管理局', 'Municipal Emergency Management Bureau', null, 1),
    (124, 'ST-XFZD', 1, 2, 'department', '汕头市消防救援支队', '市消防救援支队', 'Municipal Fire and Rescue Brigade', null, 1),
    (125, 'ST-SCJG', 1, 2, 'department', '汕头市市场监督管理局', '市市场监管局', 'Municipal Market Supervision Bureau', null, 1),
    (126, 'ST-ZSJ', 1, 2, 'department', '汕头市政务服务和数据管理局', '市政务和数据局', 'Municipal Government Services and Data Bureau', null, 1),
    (127, 'ST-XFJ', 1, 2, 'department', '汕头市信访局', '市信访局', 'Municipal Petitions Bureau', null, 1),
    (128, 'ST-SWUJ', 1, 2, 'department', '国家税务总局汕头市税务局', '市税务局', 'Shantou Tax Service, State Taxation Administration', null, 1),
    (129, 'ST-GJJ', 1, 2, 'department', '汕头市住房公积金管理中心', '市公积金中心', 'Municipal Housing Provident Fund Centre', null, 1),
    (130, 'ST-MZZJ', 1, 2, 'department', '汕头市民族宗教事务局', '市民族宗教局', 'Municipal Ethnic and Religious Affairs Bureau', null, 1),
    (131, 'ST-YZGL', 1, 2, 'department', '汕头市邮政管理局', '市邮政管理局', 'Shantou Postal Administration', null, 1),
    (132, 'ST-YCJ', 1, 2, 'department', '汕头市烟草专卖局', '市烟草专卖局', 'Shantou Tobacco Monopoly Administration', null, 1),
    (133, 'ST-QXJ', 1, 2, 'department', '汕头市气象局', '市气象局', 'Shantou Meteorological Bureau', null, 1),
    (134, 'ST-HSJ', 1, 2, 'department', '中华人民共和国汕头海事局', '汕头海事局', 'Shantou Maritime Safety Administration', null, 1),
    (135, 'ST-HG', 1, 2, 'department', '中华人民共和国汕头海关', '汕头海关', 'Shantou Customs', null, 1),
    (136, 'ST-JRJG', 1, 2, 'department', '国家金融监督管理总局汕头监管分局', '汕头金融监管分局', 'Shantou Office, National Financial Regulatory Administration', null, 1),
    (137, 'ST-CL', 1, 2, 'department', '汕头市残疾人联合会', '市残联', 'Municipal Disabled Persons'' Federation', null, 1),
    (138, 'ST-ZGH', 1, 2, 'department', '汕头市总工会', '市总工会', 'Municipal Federation of Trade Unions', null, 1),
    (139, 'ST-FL', 1, 2, 'department', '汕头市妇女联合会', '市妇联', 'Municipal Women''s Federation', null, 1),

    (201, 'ST-LH', 1, 2, 'district', '汕头市龙湖区人民政府', '龙湖区', 'Longhu District Government', '440507', 1),
    (202, 'ST-JP', 1, 2, 'district', '汕头市金平区人民政府', '金平区', 'Jinping District Government', '440511', 1),
    (203, 'ST-HJ', 1, 2, 'district', '汕头市濠江区人民政府', '濠江区', 'Haojiang District Government', '440512', 1),
    (204, 'ST-CY', 1, 2, 'district', '汕头市潮阳区人民政府', '潮阳区', 'Chaoyang District Government', '440513', 1),
    (205, 'ST-CN', 1, 2, 'district', '汕头市潮南区人民政府', '潮南区', 'Chaonan District Government', '440514', 1),
    (206, 'ST-CH', 1, 2, 'district', '汕头市澄海区人民政府', '澄海区', 'Chenghai District Government', '440515', 1),
    (207, 'ST-NA', 1, 2, 'district', '南澳县人民政府', '南澳县', 'Nan''ao County Government', '440523', 1),

    (211, 'ST-GXQ', 1, 2, 'department', '汕头高新技术产业开发区管理委员会', '汕头高新区', 'Shantou High-Tech Zone Administration', null, 1),
    (212, 'ST-ZBQ', 1, 2, 'department', '汕头综合保税区管理委员会', '汕头综保区', 'Shantou Comprehensive Bonded Zone Administration', null, 1),
    (213, 'ST-HQ', 1, 2, 'department', '汕头华侨经济文化合作试验区管理委员会', '华侨试验区', 'Shantou Overseas Chinese Pilot Zone Administration', null, 1),

    (301, 'ST-GS', 1, 2, 'utility', '汕头市城市供水企业', '市供水企业', 'Water Supply Company', null, 2),
    (302, 'ST-GD', 1, 2, 'utility', '广东电网有限责任公司汕头供电局', '汕头供电局', 'Shantou Power Supply Bureau', null, 2),
    (303, 'ST-RQ', 1, 2, 'utility', '汕头市管道燃气企业', '市管道燃气企业', 'Piped Gas Company', null, 2),
    (304, 'ST-PS', 1, 2, 'utility', '汕头市排水和水质净化企业', '市排水企业', 'Drainage and Water Treatment Company', null, 2),
    (305, 'ST-LD', 1, 2, 'utility', '汕头市路灯管理所', '市路灯管理所', 'Street Lighting Office', null, 2),
    (306, 'ST-GJ', 1, 2, 'utility', '汕头市公共交通企业', '市公交企业', 'Public Transport Company', null, 1),
    (307, 'ST-TC', 1, 2, 'utility', '汕头市道路停车经营企业', '市道路停车企业', 'Street Parking Company', null, 1),
    (308, 'ST-DX', 1, 2, 'utility', '中国电信股份有限公司汕头分公司', '汕头电信', 'China Telecom Shantou', null, 2),
    (309, 'ST-YD', 1, 2, 'utility', '中国移动通信集团广东有限公司汕头分公司', '汕头移动', 'China Mobile Shantou', null, 2),
    (310, 'ST-LT', 1, 2, 'utility', '中国联合网络通信有限公司汕头市分公司', '汕头联通', 'China Unicom Shantou', null, 2),
    (311, 'ST-TT', 1, 2, 'utility', '中国铁塔股份有限公司汕头市分公司', '汕头铁塔', 'China Tower Shantou', null, 2),
    (312, 'ST-GDW', 1, 2, 'utility', '广东省广播电视网络股份有限公司汕头分公司', '汕头广电网络', 'Guangdong Cable Shantou', null, 2),
    (313, 'ST-YZ', 1, 2, 'utility', '中国邮政集团有限公司汕头市分公司', '汕头邮政', 'China Post Shantou', null, 1)
on conflict (id) do update
    set
        code = excluded.code,
        parent_id = excluded.parent_id,
        level = excluded.level,
        kind = excluded.kind,
        name = excluded.name,
        short_name = excluded.short_name,
        name_en = excluded.name_en,
        division = excluded.division,
        calendar_id = excluded.calendar_id
    where not hotline.is_administered('unit', unit.code);

-- Streets and towns: under their district, without powers of enforcement of their own.
insert into hotline.unit (id, code, parent_id, level, kind, name, short_name, name_en, division, grassroots, calendar_id)
select
    right(place.code, 6)::int,
    'ST-' || place.code,
    district.id,
    3,
    'street',
    territory.name || place.name || case right(place.name, 1) when '镇' then '人民政府' else '办事处' end,
    place.name,
    place.name_en,
    place.code,
    true,
    1
from hotline.division as place
join hotline.division as territory on territory.code = place.parent
join hotline.unit as district on district.kind = 'district' and district.division = place.parent
where place.level = 3
on conflict (id) do update
    set
        code = excluded.code,
        parent_id = excluded.parent_id,
        level = excluded.level,
        kind = excluded.kind,
        name = excluded.name,
        short_name = excluded.short_name,
        name_en = excluded.name_en,
        division = excluded.division,
        grassroots = excluded.grassroots,
        calendar_id = excluded.calendar_id
    where not hotline.is_administered('unit', unit.code);

-- Sections that serve one district each: every body below has one in all seven.  Their two digits are the district's own (01–07).
insert into hotline.unit (id, code, parent_id, level, kind, name, short_name, division, calendar_id)
select
    parent.id * 100 + district.id - 200,
    parent.code || right(district.code, 3),
    parent.id,
    3,
    'section',
    format(section.name, left(place.name, 2), place.name),
    format(section.short_name, left(place.name, 2)),
    district.division,
    parent.calendar_id
from (
    values
        ('ST-GAJ', '汕头市公安局%1$s分局', '公安%1$s分局'),
        ('ST-JJZD', '汕头市公安局交通警察支队%1$s大队', '交警%1$s大队'),
        ('ST-STHJ', '汕头市生态环境局%1$s分局', '生态环境%1$s分局'),
        ('ST-XFZD', '汕头市%2$s消防救援大队', '消防%1$s大队'),
        ('ST-SWUJ', '国家税务总局汕头市%2$s税务局', '税务%1$s局'),
        ('ST-GD', '广东电网有限责任公司汕头%1$s供电局', '%1$s供电局')
    ) as section (parent_code, name, short_name)
join hotline.unit as parent on parent.code = section.parent_code
cross join hotline.unit as district
join hotline.division as place on place.code = district.division
where district.kind = 'district'
on conflict (id) do update
    set
        code = excluded.code,
        parent_id = excluded.parent_id,
        level = excluded.level,
        kind = excluded.kind,
        name = excluded.name,
        short_name = excluded.short_name,
        division = excluded.division,
        calendar_id = excluded.calendar_id
    where not hotline.is_administered('unit', unit.code);

-- Sections with a trade: from 51 on.
insert into hotline.unit (id, code, parent_id, level, kind, name, short_name)
values
    (10151, 'ST-GAJ-CRJ', 101, 3, 'section', '汕头市公安局出入境管理支队', '市出入境管理支队'),
    (10152, 'ST-GAJ-HZ', 101, 3, 'section', '汕头市公安局户政管理支队', '市户政管理支队'),
    (10251, 'ST-JJZD-CGS', 102, 3, 'section', '汕头市公安局交通警察支队车辆管理所', '市车管所'),
    (10851, 'ST-RSJ-LDJC', 108, 3, 'section', '汕头市劳动保障监察机构', '市劳动监察'),
    (10852, 'ST-RSJ-ZCY', 108, 3, 'section', '汕头市劳动人事争议仲裁院', '市劳动仲裁院'),
    (11151, 'ST-ZRZY-BDC', 111, 3, 'section', '汕头市不动产登记中心', '市不动产登记中心'),
    (11351, 'ST-ZJJ-WY', 113, 3, 'section', '汕头市住房和城乡建设局物业管理科', '市住建局物业科'),
    (11352, 'ST-ZJJ-ZJZ', 113, 3, 'section', '汕头市建设工程质量安全监督站', '市质安站'),
    (11353, 'ST-ZJJ-ZBZX', 113, 3, 'section', '汕头市住房保障中心', '市住房保障中心'),
    (11451, 'ST-CGJ-SZ', 114, 3, 'section', '汕头市市政设施管理机构', '市市政设施管理'),
    (11452, 'ST-CGJ-HW', 114, 3, 'section', '汕头市环境卫生管理机构', '市环卫管理'),
    (11453, 'ST-CGJ-YL', 114, 3, 'section', '汕头市园林绿化管理机构', '市园林管理'),
    (12551, 'ST-SCJG-XW', 125, 3, 'section', '汕头市消费者委员会', '市消委会'),
    (12552, 'ST-SCJG-TZ', 125, 3, 'section', '汕头市市场监督管理局特种设备科', '市监特种设备科')
on conflict (id) do update
    set
        code = excluded.code,
        parent_id = excluded.parent_id,
        level = excluded.level,
        kind = excluded.kind,
        name = excluded.name,
        short_name = excluded.short_name
    where not hotline.is_administered('unit', unit.code);
