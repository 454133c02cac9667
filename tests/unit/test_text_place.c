#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "normalise.h"
#include "place.h"
#include "text_places.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct shantou shantou;
static struct place_index *city;

static struct place_result read_place(const struct place_index *index, const char *title, const char *content)
{
    struct place_result result;
    char norm[4096];
    size_t lead = text_normalise(title, strlen(title), norm, sizeof norm - 2), len;

    norm[lead] = '\n';
    len = lead + 1 + text_normalise(content, strlen(content), norm + lead + 1, sizeof norm - lead - 1);
    place_find(index, norm, len, lead, NULL, &result);
    return result;
}

/* ---- a small city of our own, so that the rules are tested where the shared data are not ---- */

static const struct place_row town_rows[] = {
    { "4405", NULL, PLACE_CITY, "汕头市" },
    { "440507", "4405", PLACE_DISTRICT, "龙湖区" },
    { "440507001", "440507", PLACE_TOWN, "金霞街道" },
    { "440507001005", "440507001", PLACE_VILLAGE, "丹霞居委会" },
    { "440507001007", "440507001", PLACE_VILLAGE, "碧霞居委会" },
    { "440507004", "440507", PLACE_TOWN, "新津街道" },
    { "440507004007", "440507004", PLACE_VILLAGE, "金凤居委会" },
    { "440513", "4405", PLACE_DISTRICT, "潮阳区" },
    { "440513102", "440513", PLACE_TOWN, "和平镇" },
    { "440513106", "440513", PLACE_TOWN, "谷饶镇" },
    { "440513106221", "440513106", PLACE_VILLAGE, "新厝村委会" },
    { "440513107", "440513", PLACE_TOWN, "贵屿镇" },
    { "440513107216", "440513107", PLACE_VILLAGE, "新厝村委会" },
    { "440514", "4405", PLACE_DISTRICT, "潮南区" },
    { "440514106", "440514", PLACE_TOWN, "两英镇" },
    { "440514106008", "440514106", PLACE_VILLAGE, "新厝居委会" },
};

static struct place_index *town;

static void expect(const char *text, const char *code)
{
    struct place_result result = read_place(town, "", text);

    if (strcmp(result.best.code, code) != 0)
        print_error("%s\n", text);
    assert_string_equal(result.best.code, code);
}

static void a_full_name_is_sure_and_its_span_is_the_name(void **state)
{
    const char *text = "住在丹霞社区,路灯不亮";
    struct place_result result;

    (void)state;
    place_find(town, text, strlen(text), 0, NULL, &result);
    assert_string_equal(result.best.code, "440507001005");
    assert_string_equal(result.best.name, "丹霞居委会");
    assert_int_equal(result.best.level, PLACE_VILLAGE);
    assert_true(result.best.confidence >= PLACE_SURE);
    assert_int_equal(result.best.start, strlen("住在"));
    assert_int_equal(result.best.length, strlen("丹霞社区"));
    assert_false(result.contested);
}

static void people_write_offices_in_many_ways(void **state)
{
    (void)state;
    expect("丹霞居委会门口积水", "440507001005");
    expect("丹霞居委的人不接电话", "440507001005");
    expect("丹霞村里没有路灯", "440507001005");
    expect("丹霞社区居民委员会的公告", "440507001005");
    expect("金霞街道办事处答复太慢", "440507001");
    expect("谷饶镇政府门前的路", "440513106");
    expect("龙湖城区内涝", "440507");
}

static void a_road_is_not_the_town_it_is_named_after(void **state)
{
    (void)state;
    expect("金霞路口的红绿灯坏了", "");
    expect("龙湖花园三期停水", "");
    expect("潮阳东路修路扬尘", "");
}

static void an_ordinary_word_needs_its_district_beside_it(void **state)
{
    (void)state;
    expect("希望邻里和平相处", "");
    expect("潮阳区和平的垃圾没人清", "440513102");
    expect("潮阳和平镇的垃圾没人清", "440513102");
}

static void a_name_cut_by_a_word_is_no_name(void **state)
{
    (void)state;
    expect("电视机两英寸的差别也要算", "");
    expect("货车从两英开过来", "440514106");
}

static void a_village_of_another_kind_alone_is_a_proposal_only(void **state)
{
    double same = read_place(town, "", "碧霞社区停电").best.confidence;
    double other = read_place(town, "", "碧霞村停电").best.confidence;
    double held = read_place(town, "", "金霞街道碧霞村停电").best.confidence;

    (void)state;
    assert_true(same >= PLACE_SURE && held >= PLACE_SURE);
    assert_true(other > 0.5 && other < PLACE_SURE);
    expect("家住龙湖村朱家山", "");
}

static void one_name_in_two_towns_goes_to_the_town_that_is_named(void **state)
{
    (void)state;
    expect("谷饶镇新厝村的路坏了", "440513106221");
    expect("贵屿新厝村的路坏了", "440513107216");
    expect("新厝村的路坏了,我们是谷饶镇的", "440513106221");
    expect("潮南区新厝村的路坏了", "440514106008");
}

static void expect_near(const char *near, const char *text, const char *code)
{
    struct place_result result;

    place_find(town, text, strlen(text), 0, near, &result);
    if (strcmp(result.best.code, code) != 0)
        print_error("%s near %s\n", text, near);
    assert_string_equal(result.best.code, code);
}

static void of_two_towns_the_one_named_just_before_decides(void **state)
{
    (void)state;
    expect("我在贵屿镇上班,家在谷饶镇,就是新厝村的路坏了", "440513106221");
    expect("我在谷饶镇上班,家在贵屿镇,就是新厝村的路坏了", "440513107216");
}

static void where_the_citizen_is_tells_one_name_apart(void **state)
{
    struct place_result result;

    (void)state;
    expect_near("440513107", "新厝村的路坏了", "440513107216");
    expect_near("440513106221", "新厝村的路坏了", "440513106221");
    expect_near("440513107999", "新厝村的路坏了", "440513107216"); /* another village of the same town */
    expect_near("440514", "新厝村的路坏了", "440514106008");
    expect_near("440513", "新厝村的路坏了", "440513");             /* two of that name in the district */
    expect_near("440507", "谷饶镇新厝村的路坏了", "440513106221"); /* what the text says is stronger */
    expect_near("440507", "路灯坏了", "");
    place_find(town, "新厝村的路坏了", strlen("新厝村的路坏了"), 0, "440513107", &result);
    assert_true(result.best.confidence >= PLACE_SURE);
}

static void what_stays_ambiguous_goes_to_what_holds_all(void **state)
{
    struct place_result result;

    (void)state;
    expect("潮阳区新厝村的路坏了", "440513");
    expect("金霞街道和新津街道交界的桥", "440507");
    expect("丹霞社区和碧霞社区之间的巷子", "440507001");
    result = read_place(town, "", "从龙湖区到潮阳区的公交车班次太少");
    assert_string_equal(result.best.code, "");
    assert_true(result.contested);
    assert_int_equal(result.count, 2);
    assert_string_equal(result.candidates[0].code, "440507");
    assert_string_equal(result.candidates[1].code, "440513");
}

static void where_a_person_comes_from_is_not_where_the_matter_is(void **state)
{
    (void)state;
    expect("我是潮阳人,租住在龙湖区金霞街道,楼上漏水", "440507001");
}

static void the_title_weighs_more_than_the_content(void **state)
{
    struct place_result result = read_place(town, "龙湖区路灯不亮", "我在潮阳区上班,每天晚上才回家");

    (void)state;
    assert_string_equal(result.candidates[0].code, "440507");
}

static void a_name_of_several_levels_is_surer_than_its_last_part(void **state)
{
    double alone = read_place(town, "", "碧霞社区停电").best.confidence;
    double whole = read_place(town, "", "龙湖区金霞街道碧霞社区停电").best.confidence;

    (void)state;
    assert_true(whole > alone);
}

static void a_text_without_a_place_has_none(void **state)
{
    struct place_result result = read_place(town, "", "公交车司机态度很差");

    (void)state;
    assert_string_equal(result.best.code, "");
    assert_int_equal(result.count, 0);
    result = read_place(town, "", "");
    assert_int_equal(result.count, 0);
}

static void bad_rows_are_left_out(void **state)
{
    const struct place_row rows[] = {
        { "440507", "440507", PLACE_DISTRICT, "龙湖区" }, /* its own parent */
        { "1", "2", PLACE_TOWN, "甲乙镇" },               /* each other's */
        { "2", "1", PLACE_TOWN, "丙丁镇" },
        { "01234567890123456789", NULL, PLACE_TOWN, "码太长镇" },
        { "3", NULL, 9, "级不对镇" },
        { "4", NULL, PLACE_TOWN, "" },
    };
    struct place_index *index = place_index_new(rows, COUNT(rows));

    (void)state;
    assert_string_equal(read_place(index, "", "龙湖区").best.code, "440507");
    assert_string_equal(read_place(index, "", "甲乙镇").best.code, "1");
    assert_string_equal(read_place(index, "", "码太长镇").best.code, "");
    assert_string_equal(read_place(index, "", "级不对镇").best.code, "");
    place_index_free(index);
    index = place_index_new(NULL, 0);
    assert_string_equal(read_place(index, "", "龙湖区").best.code, "");
    place_index_free(index);
    place_index_free(NULL);
}

/* ---- the real city ---- */

static const struct {
    const char *text, *code;
} sentences[] = {
    { "龙湖区金霞街道丹霞社区的路灯坏了半个月没人修", "440507001005" },
    { "丹霞居委会楼下烧烤店油烟扰民", "440507001005" },
    { "我家住在金叶岛社区,晚上施工噪音很大", "440507003023" },
    { "妈屿社区停水三天了", "440507013001" },
    { "汕头市龙湖区外砂街道蓬中村垃圾堆积如山", "440507009201" },
    { "外砂镇蓬中村的水沟堵塞", "440507009201" },
    { "金平区鮀江街道蓬洲东社区违章搭建", "440511016006" },
    { "鮀江夏趾村村道没有路灯", "440511016002" },
    { "小公园街道永安社区老房子漏电", "440511018007" },
    { "珠池街道永安居委会不给开证明", "440507003012" },
    { "潮南区永安村河道被填", "440514112206" },
    { "永安社区的下水道堵了", "" },
    { "潮阳区谷饶镇新厝村工厂排污", "440513106221" },
    { "贵屿新厝村夜里焚烧电子垃圾", "440513107216" },
    { "潮阳新厝村有人焚烧垃圾", "440513" },
    { "两英新厝社区道路破损", "440514106008" },
    { "澄海区莲下镇程洋岗村古宅被拆", "440515102216" },
    { "程洋岗村古宅要保护", "440515102216" },
    { "澄海区东里镇南社村鱼塘污染", "440515105219" },
    { "澄海溪南南社村鱼塘污染", "440515104220" },
    { "澄海区南社村鱼塘污染", "440515" },
    { "龙华街道南社村鱼塘污染", "440507010207" },
    { "潮阳区金灶镇东里村停电", "440513110233" },
    { "澄海东里的玩具厂拖欠工资", "440515105" },
    { "房东里外不一,不退押金", "" },
    { "峡山街道溪南村水管爆裂", "440514001208" },
    { "澄海区溪南镇自来水发黄", "440515104" },
    { "南澳县深澳镇后花园村民宿违建", "440523102205" },
    { "南澳岛环岛路堵车严重", "440523" },
    { "云澳镇澳前村码头收费混乱", "440523101201" },
    { "濠江区礐石街道中村社区没有公交", "440512003016" },
    { "城中村改造什么时候开始", "" },
    { "红场镇中村村的桥塌了", "440514109225" },
    { "潮阳区和平镇下寨社区高压线太低", "440513102002" },
    { "莲华镇下寨村道路太窄", "440515107221" },
    { "希望和平解决邻里纠纷", "" },
    { "某网络平台的资金平台跑路了,退不了款", "" },
    { "在上海门店买的手机不给保修", "" },
    { "金砂东路公交站台广告牌掉下来", "" },
    { "长平路与天山路交界处积水", "" },
    { "龙湖花园物业乱收费", "" },
    { "从龙湖区到澄海区的公交线路太少", "" },
    { "金霞街道与珠池街道交界处占道经营", "440507" },
    { "我是潮阳人,现住龙湖区珠池街道,小区停车难", "440507003" },
    { "铜盂的练江支流发臭", "440513108" },
    { "司马浦华里西村偷排废水", "440514104204" },
    { "住在两英,没有天然气", "440514106" },
    { "达濠街道的海鲜市场缺斤少两", "440512001" },
    { "汕头市潮南区陈店镇文光社区内衣厂噪音", "440514105002" },
    { "潮阳区文光街道文光社区占道摆摊", "440513001001" },
    { "文光社区占道摆摊", "" },
    { "棉北街道平西社区井盖丢失", "440513002002" },
    { "石炮台街道平西社区井盖丢失", "440511001013" },
    { "光明村的电费怎么算", "440523100206" }, /* the other 光明 is a community */
    { "南澳后宅光明村电压不稳", "440523100206" },
    { "幸福花园社区的物业不作为", "" },
    { "汕头火车站打车难", "" },
    { "12345你好,请问社保卡怎么补办", "" },
    { "司机说要去广东和社区没有关系", "" },
    { "龙湖区政府、金霞街道办互相推诿", "440507001" },
    { "潮阳区海门镇莲花峰景区门票太贵", "440513100" },
    { "海门渔港的船只污染严重", "440513100" },
    { "海门市场卖假货", "440513100" },
    { "澄海区广益街道龙田社区幼儿园收费不合理", "440515002010" },
    { "澄海龙田的小学门口堵车", "440515002010" },
    { "濠江区达濠街道青云岩景区停车乱收费", "440512001" },
    { "潮汕路欧汀段大货车夜间扰民", "" },
    { "龙湖区鸥汀街道金洲社区停电", "440507005008" },
    { "外砂金洲村道路积水", "440507009207" },
    { "龙湖区金洲村道路积水", "440507009207" },
    { "金平区月浦街道沟南社区河涌黑臭", "440511017006" },
    { "谷饶沟南村内衣厂排污水", "440513106213" },
    { "汕头市第二人民医院态度差", "" },
    { "潮南区两英镇圆山村土地纠纷", "440514106210" },
    { "深澳圆山村民宿噪音", "440523102212" },
    { "南澳县后宅镇的自来水有异味", "440523100" },
    { "在潮南峡山买的二手车有问题", "440514001" },
    { "峡山洋汾陈社区路面塌陷", "440514001211" },
    { "潮南区胪岗镇上厝社区有人聚众赌博", "440514108003" },
    { "盐鸿上厝村有人聚众赌博", "440515106204" },
    { "上厝村有人聚众赌博", "440515106204" },
    { "投诉龙湖区新津街道绿茵社区工作人员不作为", "440507004015" },
    { "绿茵庄小区电梯坏了", "" },
    { "反映珠池街道金晖社区居委会干部问题", "440507003017" },
    { "金环路公交车不按站停靠", "" },
    { "金砂街道东门社区垃圾屋臭味", "440511002002" },
    { "东门市场占道经营", "" },
    { "我父亲是南澳人,在金平区石炮台街道看病", "440511001" },
    { "请问从汕头到广州的高铁票怎么退", "" },
    { "华侨试验区珠港新城的路灯", "" },
    { "广东省汕头市潮阳区棉北街道平北社区有线电视欠费", "440513002003" },
    { "潮阳区城南街道新华社区的公园", "440513003003" },
    { "贵屿镇渡头村焚烧塑料", "440513107207" },
    { "上华镇渡头村桥梁损坏", "440515100201" },
    { "龙祥街道龙腾社区停车位被占", "440507008009" },
    { "濠江区河浦街道的幼儿园", "440512006" },
    { "两英镇河浦村的路灯", "440514106009" },
    { "隆都镇东山村水管漏水", "440515101201" },
    { "和平镇里美社区的工厂噪音", "440513102011" },
    { "莲上镇里美村的狮头鹅养殖场臭味", "440515103208" },
    { "今天上午我在光华路被骗了", "" },
    { "新乡村建设资金被挪用", "" },
    { "村上领导不作为", "" },
    { "我们村的河南面被人填了", "" },
    { "潮阳谷饶的某某公司拖欠工资,老板是潮南人", "440513106" },
    { "汕头市龙湖区珠池街道中泰社区中泰花园电梯故障", "440507003010" },
    { "中泰花园电梯故障", "" },
    { "龙眼路市场旁边违建", "" },
    { "在澄海莲下程洋岗买的房", "440515102216" },
    { "铜盂镇和贵屿镇都有焚烧垃圾的情况", "440513" },
    { "司马浦镇港美村、上底村两村之间道路没有路灯", "440514104" },
};

static void most_sentences_of_the_real_city_are_read_right(void **state)
{
    size_t right = 0, given = 0, sure = 0, sure_right = 0;

    (void)state;
    if (!city)
        skip();
    for (size_t i = 0; i < COUNT(sentences); i++) {
        struct place_result result = read_place(city, "", sentences[i].text);
        bool good = strcmp(result.best.code, sentences[i].code) == 0;

        if (!good)
            printf("# %s: %s %.2f instead of %s\n", sentences[i].text, result.best.code, result.best.confidence,
                   sentences[i].code);
        right += good;
        given += result.best.code[0] != '\0';
        if (result.best.confidence >= PLACE_SURE) {
            sure++;
            sure_right += good;
        }
    }
    printf("# %zu sentences: %zu right, %zu with a place; of %zu sure ones %zu right\n", COUNT(sentences), right, given,
           sure, sure_right);
    assert_int_equal(sure_right, sure);
    assert_true(right * 100 >= COUNT(sentences) * 97);
}

static void append(char *text, size_t size, const char *more)
{
    size_t len = strlen(text);

    snprintf(text + len, size - len, "%s", more);
}

/* Every place, written from its district down, is found and is sure. */
static void every_place_is_found_by_its_whole_address(void **state)
{
    size_t wrong = 0;

    (void)state;
    if (!city)
        skip();
    for (size_t i = 0; i < shantou.count; i++) {
        const struct place_row *row = &shantou.rows[i];
        struct place_result result;
        char text[512] = "";

        if (row->level < PLACE_DISTRICT)
            continue;
        for (size_t j = 0; j < i; j++) /* what holds it stands before it in the list */
            if (shantou.rows[j].level >= PLACE_DISTRICT && strlen(shantou.rows[j].code) < strlen(row->code) &&
                strncmp(shantou.rows[j].code, row->code, strlen(shantou.rows[j].code)) == 0)
                append(text, sizeof text, shantou.rows[j].name);
        append(text, sizeof text, row->name);
        append(text, sizeof text, "的路灯不亮");
        result = read_place(city, "投诉", text);
        if (strcmp(result.best.code, row->code) != 0 || result.best.confidence < PLACE_SURE) {
            printf("# %s: %s %.2f instead of %s\n", text, result.best.code, result.best.confidence, row->code);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static double milliseconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void repeated_names_do_not_make_it_slow(void **state)
{
    static const char *const parts[] = { "龙湖区", "新厝村", "和平", "上海", "新厝", "谷饶镇新厝村潮阳区", "村" };
    static char text[2 << 20];
    struct place_result result;

    (void)state;
    for (size_t i = 0; i < COUNT(parts); i++) {
        size_t width = strlen(parts[i]), len = 0;
        double start;

        for (; len + width < sizeof text; len += width)
            memcpy(text + len, parts[i], width);
        start = milliseconds();
        place_find(city ? city : town, text, len, 0, NULL, &result);
        assert_true(milliseconds() - start < 1000);
    }
}

static int set_up(void **state)
{
    (void)state;
    town = place_index_new(town_rows, COUNT(town_rows));
    if (shantou_load(&shantou))
        city = place_index_new(shantou.rows, shantou.count);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    place_index_free(town);
    place_index_free(city);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_name_is_sure_and_its_span_is_the_name),
        cmocka_unit_test(people_write_offices_in_many_ways),
        cmocka_unit_test(a_road_is_not_the_town_it_is_named_after),
        cmocka_unit_test(an_ordinary_word_needs_its_district_beside_it),
        cmocka_unit_test(a_name_cut_by_a_word_is_no_name),
        cmocka_unit_test(a_village_of_another_kind_alone_is_a_proposal_only),
        cmocka_unit_test(one_name_in_two_towns_goes_to_the_town_that_is_named),
        cmocka_unit_test(of_two_towns_the_one_named_just_before_decides),
        cmocka_unit_test(where_the_citizen_is_tells_one_name_apart),
        cmocka_unit_test(what_stays_ambiguous_goes_to_what_holds_all),
        cmocka_unit_test(where_a_person_comes_from_is_not_where_the_matter_is),
        cmocka_unit_test(the_title_weighs_more_than_the_content),
        cmocka_unit_test(a_name_of_several_levels_is_surer_than_its_last_part),
        cmocka_unit_test(a_text_without_a_place_has_none),
        cmocka_unit_test(bad_rows_are_left_out),
        cmocka_unit_test(most_sentences_of_the_real_city_are_read_right),
        cmocka_unit_test(every_place_is_found_by_its_whole_address),
        cmocka_unit_test(repeated_names_do_not_make_it_slow),
    };

    return cmocka_run_group_tests_name("place", tests, set_up, tear_down);
}
