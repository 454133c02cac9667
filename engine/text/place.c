/* A name is stored by its stem (龙湖区 → 龙湖, 丹霞居委会 → 丹霞); what follows the stem in the text says how it is meant: an
 * office of the right kind (丹霞社区, 丹霞居委, 丹霞村), another thing that borrowed the name (金霞路), or nothing.  A mention keeps
 * every place it may be until the mentions beside it decide. */

#include "place.h"

#include <stdlib.h>
#include <string.h>

#include "match.h"
#include "normalise.h"
#include "utf8.h"

enum {
    SAME_NAME = 12,  /* places of one stem that are told apart */
    RAW_HITS = 2048, /* stems and blockers seen in one text */
    NAMED = 96,      /* distinct places weighed */
    NAME_BYTES = 128
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What stands right after a stem. */
enum tail {
    BARE,     /* nothing known */
    DISTRICT, /* 区 县 */
    TOWN,     /* 街道 镇 */
    URBAN,    /* 社区 居委会 */
    RURAL,    /* 村 村委会 */
    LOCAL,    /* a thing that mostly lies in the place whose name it has */
    THING,    /* a thing that has the name and may lie anywhere */
    FIRST,    /* such a thing, or the first character of another name */
    NATIVE,   /* 人: where somebody comes from */
};

struct tail_word {
    const char *text;
    enum tail tail;
};

/* The longest that fits counts, so the order is free. */
static const struct tail_word tail_words[] = {
    { "区", DISTRICT },      { "县", DISTRICT },    { "县城", DISTRICT },    { "市", DISTRICT },
    { "岛", DISTRICT },      { "城区", DISTRICT },  { "镇", TOWN },          { "乡", TOWN },
    { "街道", TOWN },        { "街办", TOWN },      { "办事处", TOWN },      { "街道办", TOWN },
    { "街道办事处", TOWN },  { "社区", URBAN },     { "居委", URBAN },       { "居委会", URBAN },
    { "居民委员会", URBAN }, { "社区居委", URBAN }, { "社区居委会", URBAN }, { "社区居民委员会", URBAN },
    { "村", RURAL },         { "村委", RURAL },     { "村委会", RURAL },     { "村民委员会", RURAL },
    { "经联社", RURAL },     { "人", NATIVE },      { "籍", NATIVE },        { "乡村", BARE },
    { "人民", BARE },        { "人大", BARE },      { "人社", BARE },        { "人行", THING },
    { "人才", BARE },        { "人口", BARE },      { "人流", BARE },        { "市民", BARE },
    { "市场", LOCAL },       { "市区", BARE },      { "学校", LOCAL },       { "中学", LOCAL },
    { "小学", LOCAL },       { "幼儿园", LOCAL },   { "医院", LOCAL },       { "卫生院", LOCAL },
    { "派出所", LOCAL },     { "工业区", LOCAL },   { "工业园", LOCAL },     { "产业园", LOCAL },
    { "车站", LOCAL },       { "汽车站", LOCAL },   { "站", LOCAL },         { "港", FIRST },
    { "片区", LOCAL },       { "路", THING },       { "街", THING },         { "大街", THING },
    { "大道", THING },       { "巷", THING },       { "里弄", THING },       { "桥", THING },
    { "大桥", THING },       { "立交", THING },     { "隧道", THING },       { "高架", THING },
    { "高速", THING },       { "公路", THING },     { "东路", THING },       { "西路", THING },
    { "南路", THING },       { "北路", THING },     { "中路", THING },       { "横路", THING },
    { "一路", THING },       { "二路", THING },     { "三路", THING },       { "东街", THING },
    { "西街", THING },       { "南街", THING },     { "北街", THING },       { "中街", THING },
    { "东区", THING },       { "西区", THING },     { "南区", THING },       { "北区", THING },
    { "新区", THING },       { "新城", THING },     { "新村", THING },       { "花园", THING },
    { "花苑", THING },       { "小区", THING },     { "苑", THING },         { "园", FIRST },
    { "公园", THING },       { "豪庭", THING },     { "华庭", THING },       { "名苑", THING },
    { "雅苑", THING },       { "山庄", THING },     { "庄", FIRST },         { "公寓", THING },
    { "宿舍", THING },       { "别墅", THING },     { "大厦", THING },       { "广场", THING },
    { "商场", THING },       { "商城", THING },     { "超市", THING },       { "酒店", THING },
    { "宾馆", THING },       { "饭店", THING },     { "酒楼", THING },       { "餐厅", THING },
    { "公司", THING },       { "集团", THING },     { "地产", THING },       { "物业", THING },
    { "银行", THING },       { "水库", THING },     { "河", FIRST },         { "溪", FIRST },
    { "湖", FIRST },         { "牌", THING },
};

/* Ordinary words that share characters with a short name across its edge: 资金|平台, 上|海门, 房|东里.  A name without its
 * town or district beside it does not count where such a word cuts it. */
static const char *const blockers[] = {
    "资金",   "基金",   "现金", "奖金", "押金", "租金", "罚金", "佣金", "定金", "本金", "薪金", "税金", "年金",
    "公积金", "保证金", "平台", "平衡", "平方", "平均", "平时", "平常", "平安", "平价", "平米", "平面", "平整",
    "平静",   "上海",   "黄海", "沿海", "出海", "大海", "房东", "水井", "窨井", "股东", "广东", "山东", "京东",
    "里面",   "里程",   "里边", "英里", "英寸", "英尺", "英文", "海鲜", "海关", "海南", "河南", "湖南", "云南",
    "越南",   "济南",   "江西", "山西", "陕西", "广西", "河北", "湖北", "九龙", "变成", "造成", "完成", "形成",
    "达成",   "组成",   "养成", "收成", "推广", "益处", "利益", "公益", "文明", "观光", "阳光", "灯光", "时光",
    "月光",   "曝光",   "风光", "田地", "中华", "精华", "繁华", "豪华", "华人", "华侨", "东西", "西方", "南方",
    "北方",   "地方",   "方面", "方式", "方便", "方案", "方向", "公和", "区和", "以上", "路上", "晚上", "网上",
    "早上",   "车上",   "街上", "身上", "马上", "村上", "村里", "屋里", "家里", "路口", "新城", "新建", "新闻",
    "新冠",   "重新",   "最新", "更新", "创新", "全新", "玉米", "和谐", "饱和", "总和", "附和", "暖和", "城镇",
    "城乡",   "城管",   "商城", "楼下", "地下", "天下", "以下", "之下", "村民", "居民", "农村", "小区",
};

/* Names that are ordinary words, or the name of half the streets in China: only with their town or district right before
 * them; with their own suffix only where a word can begin. */
static const char *const plain_words[] = {
    "和平", "东方", "光华",   "大华",     "滨海", "城南", "城北", "城东", "城西", "小公园", "红场", "龙华", "凤翔",
    "新海", "金东", "东里",   "成田",     "上华", "仙城", "花园", "港口", "巷口", "市口",   "老村", "桥头", "大路",
    "大宅", "东门", "西门",   "南门",     "北门", "河东", "河南", "河北", "湖东", "湖西",   "溪边", "山边", "新乡",
    "新华", "新兴", "光明",   "胜利",     "振兴", "跃进", "灯塔", "东北", "东南", "西南",   "华东", "中村", "头村",
    "尾村", "上村", "下村",   "三村",     "北村", "上头", "下方", "中社", "新中", "新光",   "新民", "新德", "火车头",
    "路内", "路外", "新兴街", "大学路上", "文明", "建设", "团结", "前进", "红旗", "红星",   "朝阳", "永安", "平安",
    "幸福", "中心", "新城",   "老城",     "荣华", "巷内", "大南", "大新", "前洋",
};

/* Before the suffixed name of a plain word: characters that end a word more often than they belong to the name. */
static const char *const openers[] = {
    "在", "住", "于", "到", "去", "从", "是", "的", "向", "和", "与", "及", "我", "们", "本",
    "该", "往", "对", "由", "至", "诉", "映", "询", "求", "望", "请", "府", "头", "省", "市",
};

struct place {
    char code[PLACE_CODE];
    char *name;
    int32_t parent; /* index, -1 for none */
    enum place_level level;
    enum tail kind; /* URBAN or RURAL for a village */
};

struct stem {
    char *text;
    uint32_t first, count; /* in members */
    bool plain;
    bool rare; /* three characters or more */
};

struct place_index {
    struct place *places;
    struct stem *stems;
    uint32_t *members;
    struct match *match; /* payload: stem, or -1 for a blocker */
    size_t place_count, stem_count;
};

enum form { FULL, SHORT };

struct mention {
    uint32_t start, end;
    uint32_t maybe[SAME_NAME];
    uint32_t count;
    enum form form;
    enum tail tail;
    bool beside; /* right after the district or town that holds it */
    bool plain, rare;
};

struct named {
    uint32_t place, start, length;
    double weight;   /* how surely the text means it */
    double strength; /* the same, more for the title and for repeats */
    bool inner;      /* another named place lies within it */
};

struct reading {
    const struct place_index *index;
    const char *text, *near;
    size_t len, lead;
    struct match_hit raw[RAW_HITS];
    size_t raw_count;
    struct mention mentions[PLACE_MENTIONS];
    size_t mention_count;
    struct named named[NAMED];
    size_t named_count;
};

/* ---- the index ---- */

static void *make(size_t count, size_t size)
{
    void *block = calloc(count ? count : 1, size);

    if (!block)
        abort();
    return block;
}

static char *copy(const char *text)
{
    size_t size = strlen(text) + 1;

    return memcpy(make(size, 1), text, size);
}

static bool ends_with(const char *text, size_t len, const char *end, size_t *left)
{
    size_t width = strlen(end);

    if (width >= len || memcmp(text + len - width, end, width) != 0)
        return false;
    *left = len - width;
    return true;
}

/* Takes the longest suffix of the level off a name, if two characters remain; says what it was. */
static enum tail cut_suffix(enum place_level level, char *name)
{
    size_t len = strlen(name), best = len, left;
    enum tail kind = BARE;

    for (size_t i = 0; i < COUNT(tail_words); i++) {
        enum tail tail = tail_words[i].tail;
        bool fits = level == PLACE_DISTRICT ? tail == DISTRICT
                    : level == PLACE_TOWN   ? tail == TOWN
                                            : tail == URBAN || tail == RURAL;

        if (fits && ends_with(name, len, tail_words[i].text, &left) && left < best && utf8_chars(name, left) >= 2) {
            best = left;
            kind = tail;
        }
    }
    name[best] = '\0';
    return kind;
}

static bool is_listed(const char *const *list, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], text) == 0)
            return true;
    return false;
}

struct pair {
    const char *text;
    uint32_t at;
};

static int by_text(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int order = strcmp(x->text, y->text);

    return order ? order : (x->at > y->at) - (x->at < y->at);
}

static void link_parents(struct place_index *index, const char *const *parents)
{
    struct pair *codes = make(index->place_count, sizeof *codes);

    for (uint32_t i = 0; i < index->place_count; i++)
        codes[i] = (struct pair){ index->places[i].code, i };
    if (index->place_count)
        qsort(codes, index->place_count, sizeof *codes, by_text);
    for (size_t i = 0; i < index->place_count; i++) {
        size_t low = 0, high = index->place_count;

        index->places[i].parent = -1;
        while (parents[i] && low < high) {
            size_t mid = (low + high) / 2;

            if (strcmp(codes[mid].text, parents[i]) < 0)
                low = mid + 1;
            else
                high = mid;
        }
        /* A parent is of a higher level: bad rows cannot make a ring. */
        if (parents[i] && low < index->place_count && strcmp(codes[low].text, parents[i]) == 0 &&
            index->places[codes[low].at].level < index->places[i].level)
            index->places[i].parent = (int32_t)codes[low].at;
    }
    free(codes);
}

static void group_stems(struct place_index *index, char *const *stems)
{
    struct pair *names = make(index->place_count, sizeof *names);
    size_t count = 0;

    for (uint32_t i = 0; i < index->place_count; i++)
        if (index->places[i].level > PLACE_CITY)
            names[count++] = (struct pair){ stems[i], i };
    if (count)
        qsort(names, count, sizeof *names, by_text);
    for (size_t i = 0; i < count; i++) {
        index->members[i] = names[i].at;
        if (i == 0 || strcmp(names[i].text, names[i - 1].text) != 0)
            index->stems[index->stem_count++] = (struct stem){
                .text = copy(names[i].text),
                .first = (uint32_t)i,
                .plain = is_listed(plain_words, COUNT(plain_words), names[i].text),
                .rare = utf8_chars(names[i].text, strlen(names[i].text)) >= 3,
            };
        index->stems[index->stem_count - 1].count++;
    }
    free(names);
}

static void build_match(struct place_index *index)
{
    struct match_pattern *patterns = make(index->stem_count + COUNT(blockers), sizeof *patterns);
    size_t count = 0;

    for (; count < index->stem_count; count++)
        patterns[count] = (struct match_pattern){ index->stems[count].text, (int32_t)count };
    for (size_t i = 0; i < COUNT(blockers); i++)
        patterns[count++] = (struct match_pattern){ blockers[i], -1 };
    index->match = match_new(patterns, count);
    free(patterns);
}

struct place_index *place_index_new(const struct place_row *rows, size_t count)
{
    struct place_index *index = make(1, sizeof *index);
    char **stems = make(count, sizeof *stems);
    const char **parents = make(count, sizeof *parents);
    char name[NAME_BYTES];

    index->places = make(count, sizeof *index->places);
    index->stems = make(count, sizeof *index->stems);
    index->members = make(count, sizeof *index->members);
    for (size_t i = 0; i < count; i++) {
        struct place *place = &index->places[index->place_count];

        if (rows[i].level < PLACE_CITY || rows[i].level > PLACE_VILLAGE || strlen(rows[i].code) >= PLACE_CODE)
            continue;
        memcpy(place->code, rows[i].code, strlen(rows[i].code) + 1);
        place->level = (enum place_level)rows[i].level;
        place->name = copy(rows[i].name);
        (void)text_normalise(rows[i].name, strlen(rows[i].name), name, sizeof name);
        place->kind = cut_suffix(place->level, name);
        stems[index->place_count] = copy(name);
        parents[index->place_count++] = rows[i].parent;
    }
    link_parents(index, parents);
    group_stems(index, stems);
    build_match(index);
    for (size_t i = 0; i < index->place_count; i++)
        free(stems[i]);
    free(stems);
    free(parents);
    return index;
}

void place_index_free(struct place_index *index)
{
    if (!index)
        return;
    for (size_t i = 0; i < index->place_count; i++)
        free(index->places[i].name);
    for (size_t i = 0; i < index->stem_count; i++)
        free(index->stems[i].text);
    match_free(index->match);
    free(index->members);
    free(index->stems);
    free(index->places);
    free(index);
}

static bool is_within(const struct place_index *index, uint32_t place, uint32_t outer)
{
    for (int32_t at = index->places[place].parent; at >= 0; at = index->places[at].parent)
        if ((uint32_t)at == outer)
            return true;
    return false;
}

/* The smallest place that holds both, one of them if it holds the other; -1 if there is none. */
static int32_t common(const struct place_index *index, int32_t a, int32_t b)
{
    while (a >= 0 && b >= 0 && a != b) {
        if (index->places[a].level > index->places[b].level)
            a = index->places[a].parent;
        else if (index->places[b].level > index->places[a].level)
            b = index->places[b].parent;
        else {
            a = index->places[a].parent;
            b = index->places[b].parent;
        }
    }
    return a == b ? a : -1;
}

/* ---- what the text mentions ---- */

static bool gather(const struct match_hit *hit, void *arg)
{
    struct reading *r = arg;

    r->raw[r->raw_count++] = *hit;
    return r->raw_count < RAW_HITS;
}

static int by_start(const void *a, const void *b)
{
    const struct match_hit *x = a, *y = b;

    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return (x->length < y->length) - (x->length > y->length);
}

static enum tail tail_at(const struct reading *r, size_t at, size_t *end)
{
    enum tail tail = BARE;
    size_t best = 0;

    for (size_t i = 0; i < COUNT(tail_words); i++) {
        size_t width = strlen(tail_words[i].text);

        if (width > best && width <= r->len - at && memcmp(r->text + at, tail_words[i].text, width) == 0) {
            best = width;
            tail = tail_words[i].tail;
        }
    }
    *end = at + (tail >= DISTRICT && tail <= RURAL ? best : 0);
    return tail;
}

/* True if an ordinary word begins before start and ends inside, or begins inside and goes on after end. */
static bool is_cut(const struct reading *r, size_t at)
{
    uint32_t start = r->raw[at].offset, end = start + r->raw[at].length;
    uint32_t reach = MATCH_CHARS_MAX * 4;

    for (size_t i = at; i-- > 0 && r->raw[i].offset + reach > start;) {
        uint32_t stop = r->raw[i].offset + r->raw[i].length;

        if (r->raw[i].payload < 0 && r->raw[i].offset < start && stop > start && stop < end)
            return true;
    }
    for (size_t i = at + 1; i < r->raw_count && r->raw[i].offset < end; i++)
        if (r->raw[i].payload < 0 && r->raw[i].offset > start && r->raw[i].offset + r->raw[i].length > end)
            return true;
    return false;
}

/* A word can begin here: the text does, something other than a Chinese character ends, or one of the openers. */
static bool is_open(const struct reading *r, size_t at)
{
    if (at < 3 || (unsigned char)r->text[at - 1] < 0x80)
        return true;
    for (size_t i = 0; i < COUNT(openers); i++)
        if (memcmp(r->text + at - 3, openers[i], 3) == 0)
            return true;
    return false;
}

static bool joins(const struct reading *r, uint32_t from, uint32_t to)
{
    if (from == to)
        return true;
    if (to == from + 1)
        return strchr(" ,-/(.", r->text[from]) != NULL;
    return to == from + 3 && memcmp(r->text + from, "的", 3) == 0;
}

static bool fits_tail(const struct place *place, enum tail tail)
{
    switch (tail) {
    case DISTRICT:
        return place->level == PLACE_DISTRICT;
    case TOWN:
        return place->level == PLACE_TOWN;
    case URBAN:
    case RURAL:
        return place->level == PLACE_VILLAGE;
    default:
        return true;
    }
}

/* Keeps of a mention's places those for which keep says yes, if there is one; returns whether there was. */
typedef bool keep_fn(const struct reading *r, const struct mention *m, uint32_t place, const void *arg);

static bool narrow(const struct reading *r, struct mention *m, keep_fn *keep, const void *arg)
{
    uint32_t kept[SAME_NAME], count = 0;

    for (uint32_t i = 0; i < m->count; i++)
        if (keep(r, m, m->maybe[i], arg))
            kept[count++] = m->maybe[i];
    if (count) {
        memcpy(m->maybe, kept, count * sizeof kept[0]);
        m->count = count;
    }
    return count > 0;
}

static bool keep_inside(const struct reading *r, const struct mention *m, uint32_t place, const void *arg)
{
    const struct mention *outer = arg;

    (void)m;
    for (uint32_t i = 0; i < outer->count; i++)
        if (is_within(r->index, place, outer->maybe[i]))
            return true;
    return false;
}

static bool keep_fitting(const struct reading *r, const struct mention *m, uint32_t place, const void *arg)
{
    (void)arg;
    return fits_tail(&r->index->places[place], m->tail);
}

static bool keep_highest(const struct reading *r, const struct mention *m, uint32_t place, const void *arg)
{
    (void)arg;
    for (uint32_t i = 0; i < m->count; i++)
        if (r->index->places[m->maybe[i]].level < r->index->places[place].level)
            return false;
    return true;
}

/* 澄海溪南: 溪 begins the next name rather than ending this one. */
static bool begins_name(const struct reading *r, size_t at, size_t offset)
{
    for (; at < r->raw_count && r->raw[at].offset <= offset; at++)
        if (r->raw[at].offset == offset && r->raw[at].payload >= 0)
            return true;
    return false;
}

/* Decides whether a stem that was seen is a mention, given the one before it; most are not. */
static bool judge(const struct reading *r, size_t at, const struct mention *before, struct mention *m)
{
    const struct match_hit *hit = &r->raw[at];
    const struct stem *stem = &r->index->stems[hit->payload];
    size_t stem_end = hit->offset + hit->length, end;

    *m = (struct mention){ .start = hit->offset, .plain = stem->plain, .rare = stem->rare };
    m->tail = tail_at(r, stem_end, &end);
    if (m->tail == FIRST)
        m->tail = begins_name(r, at + 1, stem_end) ? BARE : THING;
    if (m->tail == THING)
        return false;
    m->count = stem->count < SAME_NAME ? stem->count : SAME_NAME;
    memcpy(m->maybe, r->index->members + stem->first, m->count * sizeof m->maybe[0]);
    m->form = m->tail >= DISTRICT && m->tail <= RURAL ? FULL : SHORT;
    if (m->form == FULL && !narrow(r, m, keep_fitting, NULL)) {
        /* 高新区 names no village, 海门市 no town, 龙湖村 no district; 谷饶村 may be meant for the town */
        if (m->tail == DISTRICT || m->tail == TOWN || r->index->places[m->maybe[0]].level == PLACE_DISTRICT)
            return false;
        m->form = SHORT;
    }
    if (before && joins(r, before->end, m->start))
        m->beside = narrow(r, m, keep_inside, before);
    m->end = (uint32_t)(m->form == FULL ? end : stem_end);
    if (m->beside)
        return m->tail != NATIVE || m->form == FULL;
    if (m->form == SHORT) {
        (void)narrow(r, m, keep_highest, NULL);
        if (r->index->places[m->maybe[0]].level == PLACE_VILLAGE)
            return stem->rare && !stem->plain && !is_cut(r, at);
        return !stem->plain && !is_cut(r, at);
    }
    if (m->tail == DISTRICT || m->tail == TOWN)
        return true;
    return stem->plain ? is_open(r, m->start) : !is_cut(r, at);
}

/* Reads from left to right; of two mentions that overlap the longer stays, the earlier if they are equal. */
static void read_mentions(struct reading *r)
{
    for (size_t i = 0; i < r->raw_count && r->mention_count < PLACE_MENTIONS; i++) {
        struct mention *last = r->mention_count ? &r->mentions[r->mention_count - 1] : NULL;
        const struct mention *before = last;
        struct mention m;

        if (r->raw[i].payload < 0)
            continue;
        if (before && before->end > r->raw[i].offset)
            before = r->mention_count > 1 ? before - 1 : NULL;
        if (!judge(r, i, before, &m))
            continue;
        if (!last || last->end <= m.start)
            r->mentions[r->mention_count++] = m;
        else if (m.end - m.start > last->end - last->start && (!before || before->end <= m.start))
            *last = m;
    }
}

/* ---- which of the places of one name ---- */

static enum place_level level_of(const struct reading *r, const struct mention *m)
{
    return r->index->places[m->maybe[0]].level;
}

/* Districts and towns the text names for certain, to decide the rest. */
struct context {
    uint32_t places[PLACE_MENTIONS];
    size_t count;
};

static bool keep_in_context(const struct reading *r, const struct mention *m, uint32_t place, const void *arg)
{
    const struct context *context = arg;

    (void)m;
    for (size_t i = 0; i < context->count; i++)
        if (is_within(r->index, place, context->places[i]))
            return true;
    return false;
}

static bool keep_kind(const struct reading *r, const struct mention *m, uint32_t place, const void *arg)
{
    (void)arg;
    return r->index->places[place].kind == m->tail;
}

/* The town or district named last before a mention, in the same sentence. */
static const struct mention *named_before(const struct reading *r, const struct mention *m)
{
    for (const struct mention *before = m; before-- > r->mentions;) {
        if (memchr(r->text + before->end, '.', before[1].start - before->end))
            break;
        if (before->count == 1 && level_of(r, before) < PLACE_VILLAGE && before->tail != NATIVE)
            return before;
    }
    return NULL;
}

static bool keep_near(const struct reading *r, const struct mention *m, uint32_t place, const void *arg)
{
    const size_t *digits = arg;

    (void)m;
    return strncmp(r->index->places[place].code, r->near, *digits) == 0;
}

/* Where the citizen is: the place itself, else its town, else its district. */
static void narrow_to_near(const struct reading *r, struct mention *m)
{
    static const size_t widths[] = { 12, 9, 6 };
    size_t len = r->near ? strlen(r->near) : 0;

    for (size_t i = 0; i < COUNT(widths) && m->count > 1; i++)
        if (len >= widths[i])
            (void)narrow(r, m, keep_near, &widths[i]);
}

/* Tells apart the places of one name that all the text names leaves: first by what was named just before, then by where the
 * citizen is.  How sure the one that is left is; 0 when there are still several, or there was one already. */
static double settle(const struct reading *r, struct mention *m)
{
    const struct mention *before;

    if (m->count < 2)
        return 0;
    before = named_before(r, m);
    if (before && narrow(r, m, keep_inside, before) && m->count == 1)
        return 0.85;
    narrow_to_near(r, m);
    return m->count == 1 ? 0.8 : 0;
}

static void list_context(const struct reading *r, enum place_level level, struct context *context)
{
    context->count = 0;
    for (size_t i = 0; i < r->mention_count; i++) {
        const struct mention *m = &r->mentions[i];
        bool seen = m->count != 1 || level_of(r, m) != level || m->tail == NATIVE;

        for (size_t j = 0; j < context->count && !seen; j++)
            seen = context->places[j] == m->maybe[0];
        if (!seen)
            context->places[context->count++] = m->maybe[0];
    }
}

static void note(struct reading *r, uint32_t place, const struct mention *m, double weight)
{
    struct named *named = r->named;
    double title = m->start < r->lead ? 0.25 : 0.0;

    while (named < r->named + r->named_count && named->place != place)
        named++;
    if (named == r->named + r->named_count) {
        if (r->named_count == NAMED)
            return;
        r->named_count++;
        *named = (struct named){ place, m->start, m->end - m->start, weight, weight + title, false };
        return;
    }
    if (weight > named->weight) {
        named->strength += weight - named->weight;
        *named = (struct named){ place, m->start, m->end - m->start, weight, named->strength, false };
    }
    if (named->strength < named->weight + 0.55)
        named->strength += 0.08;
}

/* Some places of the name are left: what holds them all is certain enough, each of them is a guess. */
static void note_group(struct reading *r, const struct mention *m)
{
    int32_t all = (int32_t)m->maybe[0];

    for (uint32_t i = 1; i < m->count; i++)
        all = common(r->index, all, (int32_t)m->maybe[i]);
    if (all >= 0 && r->index->places[all].level > PLACE_CITY)
        note(r, (uint32_t)all, m, 0.6);
    for (uint32_t i = 0; i < m->count; i++)
        note(r, m->maybe[i], m, 0.1);
}

static double weigh_district(const struct mention *m)
{
    if (m->tail == NATIVE)
        return 0.3;
    if (m->form == FULL)
        return 0.9;
    return m->tail == LOCAL ? 0.45 : 0.75;
}

static void weigh_town(struct reading *r, struct mention *m, const struct context *districts)
{
    bool held = m->beside || narrow(r, m, keep_in_context, districts);
    double weight = held ? 0.7 : districts->count ? 0.3 : 0.5, settled = m->form == FULL ? settle(r, m) : 0;

    if (settled > 0)
        weight = settled;
    else if (m->form == FULL)
        weight = held || !districts->count ? 0.9 : 0.7;
    else if (m->beside)
        weight = 0.85;
    if (m->form == SHORT && (m->tail == LOCAL || m->tail == NATIVE))
        weight *= 0.6;
    if (m->count == 1)
        note(r, m->maybe[0], m, weight);
    else
        note_group(r, m);
}

static void weigh_village(struct reading *r, struct mention *m, const struct context *towns,
                          const struct context *districts)
{
    bool in_town = narrow(r, m, keep_in_context, towns);
    bool held = narrow(r, m, keep_in_context, districts);
    double settled = m->form == FULL ? settle(r, m) : 0;
    bool single = m->count == 1, elsewhere = towns->count || districts->count;
    double weight = m->beside ? 0.95 : in_town ? 0.92 : held ? 0.88 : elsewhere ? 0.6 : 0.8;

    if (m->form == SHORT)
        weight = m->beside ? (m->tail == LOCAL ? 0.6 : 0.75) : in_town || held ? 0.5 : 0.0;
    else if (settled > 0)
        weight = settled;
    else if (!narrow(r, m, keep_kind, NULL) && !(m->beside || held || elsewhere))
        weight = 0.7; /* a 村 where we have a 社区: as likely the village of another city */
    if (weight <= 0.0)
        return;
    if (m->count > 1)
        note_group(r, m);
    else
        note(r, m->maybe[0], m, single || weight < 0.65 ? weight : 0.65); /* only 村 or 社区 told it apart */
}

static void weigh(struct reading *r)
{
    struct context towns, districts;

    list_context(r, PLACE_DISTRICT, &districts);
    for (size_t i = 0; i < r->mention_count; i++) {
        struct mention *m = &r->mentions[i];

        if (level_of(r, m) == PLACE_DISTRICT)
            note(r, m->maybe[0], m, weigh_district(m));
        else if (level_of(r, m) == PLACE_TOWN)
            weigh_town(r, m, &districts);
    }
    list_context(r, PLACE_TOWN, &towns);
    for (size_t i = 0; i < r->mention_count; i++)
        if (level_of(r, &r->mentions[i]) == PLACE_VILLAGE)
            weigh_village(r, &r->mentions[i], &towns, &districts);
}

/* ---- which place the text is about ---- */

/* The strength of a place and of all that holds it, up to but without stop. */
static double path(const struct reading *r, int32_t place, int32_t stop)
{
    double sum = 0;

    for (; place >= 0 && place != stop; place = r->index->places[place].parent)
        for (size_t i = 0; i < r->named_count; i++)
            if (r->named[i].place == (uint32_t)place)
                sum += r->named[i].strength;
    return sum;
}

static void fill(const struct reading *r, const struct named *named, double confidence, struct place_hit *hit)
{
    const struct place *place = &r->index->places[named->place];

    memcpy(hit->code, place->code, sizeof hit->code);
    hit->name = place->name;
    hit->level = place->level;
    hit->confidence = confidence;
    hit->start = named->start;
    hit->length = named->length;
}

struct ranked {
    const struct named *named;
    double path;
};

static int by_path(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->path != y->path)
        return x->path > y->path ? -1 : 1;
    return (x->named->start > y->named->start) - (x->named->start < y->named->start);
}

/* Places with nothing surer inside them, the strongest path first.  A guess among several of one name (0.1) hides nothing. */
static size_t rank(struct reading *r, struct ranked *ranked)
{
    size_t count = 0;

    for (size_t i = 0; i < r->named_count; i++)
        for (size_t j = 0; j < r->named_count; j++)
            if (r->named[j].weight > 0.2 && is_within(r->index, r->named[j].place, r->named[i].place))
                r->named[i].inner = true;
    for (size_t i = 0; i < r->named_count; i++)
        if (!r->named[i].inner) {
            bool guess = r->named[i].weight <= 0.2;
            double sum = path(r, (int32_t)r->named[i].place, -1);

            ranked[count++] = (struct ranked){ &r->named[i], guess ? r->named[i].weight : sum };
        }
    if (count)
        qsort(ranked, count, sizeof *ranked, by_path);
    return count;
}

/* The best, or what holds it and every other that is nearly as strong. */
static void decide(const struct reading *r, const struct ranked *ranked, size_t count, struct place_result *out)
{
    const struct named *best = ranked[0].named;
    int32_t all = (int32_t)best->place;
    double rival = 0, confidence = best->weight;

    if (best->weight <= 0.2)
        return;
    for (size_t i = 1; i < count; i++) {
        int32_t other = (int32_t)ranked[i].named->place, shared = common(r->index, (int32_t)best->place, other);
        double mine = path(r, (int32_t)best->place, shared), its = path(r, other, shared);

        if (shared == other || ranked[i].named->weight <= 0.2)
            continue;
        if (its >= 0.75 * mine)
            all = common(r->index, all, other);
        else if (its / mine > rival)
            rival = its / mine;
    }
    out->contested = all != (int32_t)best->place;
    if (all < 0 || r->index->places[all].level == PLACE_CITY)
        return;
    if (out->contested)
        confidence *= 0.9;
    else if (rival > 0.3)
        confidence *= 1.0 - 0.5 * rival;
    fill(r, best, confidence, &out->best);
    memcpy(out->best.code, r->index->places[all].code, sizeof out->best.code);
    out->best.name = r->index->places[all].name;
    out->best.level = r->index->places[all].level;
}

void place_find(const struct place_index *index, const char *norm, size_t len, size_t lead, const char *near,
                struct place_result *out)
{
    struct reading reading, *r = &reading; /* 55 kB of stack, of which a short text touches little */
    struct ranked ranked[NAMED];
    size_t count;

    memset(out, 0, sizeof *out);
    r->index = index;
    r->text = norm;
    r->len = len;
    r->lead = lead;
    r->near = near;
    r->raw_count = r->mention_count = r->named_count = 0;
    (void)match_scan(index->match, norm, len, gather, r);
    if (r->raw_count)
        qsort(r->raw, r->raw_count, sizeof r->raw[0], by_start);
    read_mentions(r);
    weigh(r);
    count = rank(r, ranked);
    if (count)
        decide(r, ranked, count, out);
    for (size_t i = 0; i < count && i < PLACE_CANDIDATES; i++)
        fill(r, ranked[i].named, ranked[i].named->weight, &out->candidates[out->count++]);
}
