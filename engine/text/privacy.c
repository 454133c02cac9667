/* The text becomes a row of tokens, one for each character that a person sees, folded to the form in which all writings of it are
 * the same.  Each finder then marks tokens; what one has marked the later ones leave alone, so their order is their rank. */

#include "privacy.h"

#include <stdlib.h>
#include <string.h>

#include "normalise.h"
#include "utf8.h"

enum {
    GAP_MAX = 3,       /* separators between two digits of one number */
    LOCAL_PART = 64,   /* bytes of an address before the @ */
    DOMAIN_PART = 120, /* and after it */
    BEFORE_CUE = 3,    /* characters that may stand between a cue and what it announces */
    NAME_CHARS = 4,    /* of a Chinese name */
    LONG_NAME = 20,    /* of one with a middle dot */
    HOUSE_GAP = 8,     /* characters between 号 and the building within */
    KNOWN_BYTES = 200, /* of a name that is known */
    MARK_FIRST = 0x80,
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* How a digit is written: what changes its writing begins anew. */
enum writing { NO_DIGIT, FIGURE, HAN, LETTER, CHECK };

struct token {
    uint32_t at; /* byte of the text */
    uint32_t cp; /* folded */
    uint8_t width;
    uint8_t writing;
    uint8_t digit; /* 0 to 9; 10 is the X of an identity number */
    uint8_t mark;  /* kind + 1, with MARK_FIRST on a span's first; 0: free */
};

struct reading {
    struct token *t;
    size_t n;
};

static const struct {
    const char *word, *tag;
} kinds[PRIVACY_KINDS] = {
    [PRIVACY_MOBILE] = { "mobile", "【电话】" },     [PRIVACY_PHONE] = { "phone", "【电话】" },
    [PRIVACY_IDENTITY] = { "identity", "【证号】" }, [PRIVACY_CARD] = { "card", "【卡号】" },
    [PRIVACY_PLATE] = { "plate", "【车牌】" },       [PRIVACY_EMAIL] = { "email", "【邮箱】" },
    [PRIVACY_ACCOUNT] = { "account", "【账号】" },   [PRIVACY_NAME] = { "name", "【姓名】" },
    [PRIVACY_HOUSE] = { "house", "【门牌】" },
};

/* ---- words ---- */

/* Provinces as plates have them. */
static const char provinces[] = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使";

/* Family names, those first that are hardly ever another word; then those that need a cue which announces nothing but a name;
 * then those that need a title or a colon. */
static const char family_names[] =
    "王李张刘陈杨赵黄周吴徐孙胡朱林郭罗郑梁谢宋唐许韩冯邓曹彭肖董袁潘蒋蔡余杜叶魏苏吕丁沈姚卢姜崔谭陆汪范廖"
    "韦贾薛侯邹熊孟秦邱阎尹段钱汤黎贺龚庞樊殷施洪翟倪芦俞葛邢岳耿焦鲁聂卜柯辛左涂霍滕梅靳祁毕骆欧詹柳翁卓郝佘尤"
    "阮裴窦冉褚娄甄宣谌闵郗桑费邬虞佟阙姬邵缪蚁芮湛岑柴柏晏冼丘戚卞巫仇郁郎巩莫温赖";
static const char other_names[] =
    "高马方石白万安金江史田任常武康毛钟易华关夏乔宁古游伍龙严雷管祝庄凌苗麦蓝牛舒项盛童解闻鲍蒲隋屈"
    "阳齐强池习香司甘商单占幸曾何纪";
static const char weak_names[] = "于文向成平明时车连路水全候房利国包年花乐权边";

static const char *const long_names[] = { "欧阳", "上官", "司马", "司徒", "诸葛", "皇甫", "尉迟", "慕容",
                                          "夏侯", "令狐", "东方", "南宫", "独孤", "公孙", "端木", "长孙" };

/* They announce a name, whatever follows it. */
static const char *const name_cues[] = { "举报人", "投诉人", "诉求人", "反映人", "当事人", "申请人", "联系人", "来电人",
                                         "报案人", "受害人", "经办人", "收件人", "户主",   "姓名",   "我叫",   "名叫",
                                         "叫做",   "署名",   "信访人", "上访人", "求助人", "报料人", "委托人" };

/* They do when the name ends with them: 我是李明， */
static const char *const maybe_cues[] = { "我是", "本人", "业主", "房东", "患者",   "学生", "家长", "市民", "村民",
                                          "居民", "法人", "老板", "我姓", "负责人", "邻居", "老师", "医生", "职工" };

/* The first of them stand behind names alone; behind the others stand trades and groups too. */
static const char *const titles[] = { "先生", "女士", "小姐", "太太", "老师", "师傅",
                                      "阿姨", "大爷", "同志", "大姐", "大哥" };
enum { PURE_TITLES = 4 };

/* Characters that go on after a name rather than belong to it. */
static const char after_name[] =
    "反举投诉说来的称电在于住是等同和与及要因表向对去打手联身女男先您你我他她也都就已曾将被把给从"
    "到为有没不未再又还请希求问报告发现这那其所以家儿老夫妻丈父母某";

enum part { NO_PART, STREET, BUILDING, ENTRANCE, FLOOR, ROOM, LODGERS };

/* The longer before the shorter. */
static const struct {
    const char *word;
    enum part part;
} parts[] = {
    { "号楼", BUILDING }, { "号房", ROOM },   { "号室", ROOM },   { "单元", ENTRANCE }, { "号", STREET },
    { "栋", BUILDING },   { "幢", BUILDING }, { "座", BUILDING }, { "楼", FLOOR },      { "层", FLOOR },
    { "室", ROOM },       { "房", ROOM },     { "户", LODGERS },
};

/* What a Chinese character may be or begin: nearly all of a text is none of it, and that must cost little. */
enum {
    IS_FAMILY = 1,
    IS_OTHER = 2,
    IS_WEAK = 4,
    IS_AFTER = 8,
    IS_PROVINCE = 16,
    BEGINS_CUE = 32,
    BEGINS_TITLE = 64,
    BEGINS_PART = 128,
    HAN_FIRST = 0x4e00,
    HAN_COUNT = 0x5200,
};

static uint8_t roles[HAN_COUNT]; /* filled by the first scan */
static bool have_roles;

static void give_role(const char *chars, size_t len, uint8_t role)
{
    uint32_t cp;

    for (size_t i = 0; i < len; i += utf8_next(chars + i, len - i, &cp))
        if (utf8_next(chars + i, len - i, &cp) && cp >= HAN_FIRST && cp < HAN_FIRST + HAN_COUNT)
            roles[cp - HAN_FIRST] |= role;
}

static void give_roles(void)
{
    have_roles = true;
    give_role(family_names, strlen(family_names), IS_FAMILY);
    give_role(other_names, strlen(other_names), IS_OTHER);
    give_role(weak_names, strlen(weak_names), IS_WEAK);
    give_role(after_name, strlen(after_name), IS_AFTER);
    give_role(provinces, strlen(provinces), IS_PROVINCE);
    for (size_t i = 0; i < COUNT(name_cues); i++)
        give_role(name_cues[i], 3, BEGINS_CUE);
    for (size_t i = 0; i < COUNT(maybe_cues); i++)
        give_role(maybe_cues[i], 3, BEGINS_CUE);
    for (size_t i = 0; i < COUNT(titles); i++)
        give_role(titles[i], 3, BEGINS_TITLE);
    for (size_t i = 0; i < COUNT(parts); i++)
        give_role(parts[i].word, 3, BEGINS_PART);
}

/* ---- tokens ---- */

static const struct {
    uint32_t cp;
    uint8_t digit, writing;
} numerals[] = {
    { 0x25cb, 0, HAN }, { 0x25ef, 0, HAN },    { 0x2f00, 1, HAN },    { 0x2f06, 2, HAN }, { 0x2f0b, 8, HAN },
    { 0x3007, 0, HAN }, { 0x3220, 1, HAN },    { 0x3221, 2, HAN },    { 0x3222, 3, HAN }, { 0x3223, 4, HAN },
    { 0x3224, 5, HAN }, { 0x3225, 6, HAN },    { 0x3226, 7, HAN },    { 0x3227, 8, HAN }, { 0x3228, 9, HAN },
    { 0x3280, 1, HAN }, { 0x3281, 2, HAN },    { 0x3282, 3, HAN },    { 0x3283, 4, HAN }, { 0x3284, 5, HAN },
    { 0x3285, 6, HAN }, { 0x3286, 7, HAN },    { 0x3287, 8, HAN },    { 0x3288, 9, HAN }, { 0x4e00, 1, HAN },
    { 0x4e03, 7, HAN }, { 0x4e09, 3, HAN },    { 0x4e24, 2, LETTER }, { 0x4e5d, 9, HAN }, { 0x4e8c, 2, HAN },
    { 0x4e94, 5, HAN }, { 0x4f0d, 5, LETTER }, { 0x516b, 8, HAN },    { 0x516d, 6, HAN }, { 0x52fe, 9, LETTER },
    { 0x53c1, 3, HAN }, { 0x53c2, 3, LETTER }, { 0x56db, 4, HAN },    { 0x58f9, 1, HAN }, { 0x5e7a, 1, HAN },
    { 0x5f0c, 1, HAN }, { 0x62d0, 7, LETTER }, { 0x634c, 8, HAN },    { 0x67d2, 7, HAN }, { 0x6d1e, 0, LETTER },
    { 0x7396, 9, HAN }, { 0x8086, 4, HAN },    { 0x8cb3, 2, HAN },    { 0x8d30, 2, HAN }, { 0x9646, 6, LETTER },
    { 0x96f6, 0, HAN },
};

static void read_numeral(struct token *t)
{
    size_t low = 0, high = COUNT(numerals);

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (numerals[mid].cp < t->cp)
            low = mid + 1;
        else
            high = mid;
    }
    if (low < COUNT(numerals) && numerals[low].cp == t->cp) {
        t->digit = numerals[low].digit;
        t->writing = numerals[low].writing;
    }
}

static void read_letter(struct token *t)
{
    static const struct {
        uint32_t cp;
        uint8_t digit, writing;
    } letters[] = {
        { 'o', 0, LETTER },   { 'l', 1, LETTER },   { 'i', 1, LETTER },    { '|', 1, LETTER },
        { 'x', 10, CHECK },   { 0xd7, 10, CHECK },  { 0x2179, 10, CHECK }, { 0x3c7, 10, CHECK },
        { 0x445, 10, CHECK }, { 0x3bf, 0, LETTER }, { 0x43e, 0, LETTER },
    };

    for (size_t i = 0; i < COUNT(letters); i++)
        if (letters[i].cp == t->cp) {
            t->digit = letters[i].digit;
            t->writing = letters[i].writing;
        }
}

static void classify(struct token *t)
{
    if (t->cp >= '0' && t->cp <= '9') {
        t->digit = (uint8_t)(t->cp - '0');
        t->writing = FIGURE;
    } else if (t->cp < 0x2200) {
        read_letter(t);
    } else {
        read_numeral(t);
    }
}

/* One character may be several tokens (⑬), and an invisible one is none. */
static void read_tokens(const char *text, size_t len, struct reading *r)
{
    char made[8];
    uint32_t cp;

    for (size_t i = 0, n; i < len; i += n ? n : 1) {
        size_t width;

        n = utf8_next(text + i, len - i, &cp);
        if (n == 0)
            continue;
        width = text_fold(cp, made);
        for (size_t k = 0, step; k < width; k += step) {
            struct token *t = &r->t[r->n++];

            *t = (struct token){ .at = (uint32_t)i, .width = (uint8_t)n };
            step = utf8_next(made + k, width - k, &t->cp);
            classify(t);
        }
    }
}

static bool is_han(const struct token *t)
{
    return t->cp >= 0x3400 && t->cp <= 0x9fff;
}

static bool has_role(const struct token *t, unsigned role)
{
    return t->cp >= HAN_FIRST && t->cp < HAN_FIRST + HAN_COUNT && (roles[t->cp - HAN_FIRST] & role);
}

static bool is_figure(const struct token *t)
{
    return t->cp >= '0' && t->cp <= '9';
}

static bool is_letter(const struct token *t)
{
    return t->cp >= 'a' && t->cp <= 'z';
}

/* Marks [from, to) unless something of it is taken. */
static bool mark(struct reading *r, size_t from, size_t to, enum privacy_kind kind)
{
    for (size_t i = from; i < to; i++)
        if (r->t[i].mark)
            return false;
    for (size_t i = from; i < to; i++)
        r->t[i].mark = (uint8_t)(kind + 1);
    r->t[from].mark |= MARK_FIRST;
    return true;
}

/* The tokens of word stand at i: how many they are, else 0. */
static size_t word_at(const struct reading *r, size_t i, const char *word)
{
    size_t len = strlen(word), count = 0;
    uint32_t cp = 0;

    for (size_t k = 0, n; k < len; k += n, count++) {
        n = utf8_next(word + k, len - k, &cp);
        if (i + count >= r->n || r->t[i + count].cp != cp)
            return 0;
    }
    return count;
}

static bool ends_before(const struct reading *r, size_t i, const char *word)
{
    size_t chars = utf8_chars(word, strlen(word));

    return chars <= i && word_at(r, i - chars, word) > 0;
}

/* One of the words ends right before i, or a few characters like 号码： earlier. */
static bool is_cued(const struct reading *r, size_t i, const char *const *words, size_t count)
{
    static const char *const between[] = { ":", " ", "是", "为", "号", "码", "(", "[", "-", "叫", "名" };

    for (size_t back = 0; back <= BEFORE_CUE + 1; back++) {
        bool skipped = false;

        for (size_t k = 0; k < count; k++)
            if (ends_before(r, i, words[k]))
                return true;
        for (size_t k = 0; k < COUNT(between) && !skipped; k++)
            skipped = ends_before(r, i, between[k]);
        if (!skipped)
            return false;
        i--;
    }
    return false;
}

/* ---- e-mail and accounts ---- */

static bool is_mail_char(const struct token *t)
{
    return is_letter(t) || is_figure(t) || (t->cp < 0x80 && t->cp && strchr("._%+-", (int)t->cp));
}

static void find_email(struct reading *r, size_t at)
{
    size_t from = at, to = at + 1, dots = 0;

    if (from && r->t[from - 1].cp == ' ')
        from--;
    while (from && at - from < LOCAL_PART && is_mail_char(&r->t[from - 1]))
        from--;
    if (to < r->n && r->t[to].cp == ' ')
        to++;
    for (size_t start = to; to < r->n && to - start < DOMAIN_PART; to++) {
        bool inner = to > start && to + 1 < r->n && (is_letter(&r->t[to + 1]) || is_figure(&r->t[to + 1]));

        if (r->t[to].cp == '.' && inner)
            dots++;
        else if (!is_letter(&r->t[to]) && !is_figure(&r->t[to]) && !(r->t[to].cp == '-' && inner))
            break;
    }
    if (dots && is_mail_char(&r->t[from]))
        (void)mark(r, from, to, PRIVACY_EMAIL);
}

/* 微信号：wx_123, QQ 12345678 */
static void find_account(struct reading *r, size_t i)
{
    static const char *const cues[] = { "微信", "微信号", "qq", "qq号", "vx", "wechat", "扣扣" };
    size_t to = i;

    while (to < r->n && to - i < 20 &&
           (is_letter(&r->t[to]) || is_figure(&r->t[to]) || r->t[to].cp == '_' || r->t[to].cp == '-'))
        to++;
    if (to - i >= 5 && is_cued(r, i, cues, COUNT(cues)))
        (void)mark(r, i, to, PRIVACY_ACCOUNT);
}

static void find_emails(struct reading *r)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->t[i].cp == '@')
            find_email(r, i);
}

static void find_accounts(struct reading *r)
{
    for (size_t i = 0; i < r->n; i++)
        if ((is_letter(&r->t[i]) || is_figure(&r->t[i])) &&
            (i == 0 || !(is_letter(&r->t[i - 1]) || is_figure(&r->t[i - 1]))))
            find_account(r, i);
}

/* ---- numbers ---- */

enum gap { NO_GAP, SOFT_GAP, HARD_GAP };

/* Digits that stand together, up to separators, as the one number or the several that they may be. */
struct run {
    const struct token *t;
    uint32_t *token; /* of each digit */
    uint8_t *gap;    /* before it */
    size_t n;
};

static enum gap gap_kind(const struct token *t)
{
    if (t->mark)
        return NO_GAP;
    if (t->cp < 0x80 && t->cp && strchr(" -.()_~", (int)t->cp))
        return SOFT_GAP;
    if (t->cp == 0xb7 || t->cp == 0x30fb || t->cp == 0x2022 || t->cp == 0x2025 || t->cp == 0x2026)
        return SOFT_GAP;
    return (t->cp < 0x80 && !is_letter(t) && !is_figure(t)) || (t->cp >= 0x2000 && t->cp < 0x3100) || t->cp > 0xffff
               ? HARD_GAP
               : NO_GAP;
}

static bool is_digit(const struct token *t)
{
    return t->writing != NO_DIGIT && !t->mark;
}

/* Collects the run that begins with the digit at i; returns the token after it. */
static size_t read_run(const struct reading *r, size_t i, struct run *run)
{
    run->t = r->t;
    run->n = 0;
    for (size_t next = i; next < r->n;) {
        size_t width = next - i;
        enum gap gap = NO_GAP;

        if (!is_digit(&r->t[next])) {
            enum gap kind = gap_kind(&r->t[next]);

            if (kind == NO_GAP || width >= GAP_MAX)
                break;
            next++;
            continue;
        }
        for (size_t k = i; k < next; k++)
            if (gap_kind(&r->t[k]) > gap)
                gap = gap_kind(&r->t[k]);
        run->token[run->n] = (uint32_t)next;
        run->gap[run->n] = (uint8_t)(run->n ? gap : NO_GAP);
        run->n++;
        i = ++next;
    }
    return i;
}

static enum writing writing_of(const struct run *run, size_t i)
{
    return run->t[run->token[i]].writing;
}

static unsigned digit_of(const struct run *run, size_t i)
{
    return run->t[run->token[i]].digit;
}

/* A number can begin, or the one before can end, at digit i: the run does, a separator stands there, or the writing changes. */
static bool is_edge(const struct run *run, size_t i)
{
    return i == 0 || i >= run->n || run->gap[i] != NO_GAP || writing_of(run, i) != writing_of(run, i - 1);
}

/* Digits [i, i + n) are in groups as people write one number: not a table's columns, a date or a sum.  Odd separators are
 * believed only where every digit stands alone or the groups are those of a mobile number. */
static bool is_one_number(const struct run *run, size_t i, size_t n)
{
    size_t group = 1, first = 0, most = 0, groups = 0;
    bool hard = false, mobile = true;
    unsigned letters = 0;

    if (i + n > run->n)
        return false;
    for (size_t k = i; k < i + n; k++, group++) {
        letters += writing_of(run, k) == LETTER;
        if (k + 1 < i + n && run->gap[k + 1] == NO_GAP)
            continue;
        hard = hard || (k + 1 < i + n && run->gap[k + 1] == HARD_GAP);
        mobile = mobile && group == (groups == 0 ? 3U : 4U);
        first = groups++ ? first : group;
        most = group > most ? group : most;
        group = 0;
    }
    if (letters + 4 > n) /* a word, whatever its letters look like */
        return false;
    if (hard)
        return most == 1 || (mobile && n == 11);
    return first >= 3 || most <= 2;
}

static bool starts_with(const struct run *run, size_t i, const char *digits)
{
    size_t k = 0;

    while (digits[k] && i + k < run->n && digit_of(run, i + k) == (unsigned)(digits[k] - '0'))
        k++;
    return digits[k] == '\0';
}

static bool only_digits(const struct run *run, size_t i, size_t n)
{
    for (size_t k = i; k < i + n; k++)
        if (k >= run->n || digit_of(run, k) > 9)
            return false;
    return true;
}

static bool looks_mobile(const struct run *run, size_t i)
{
    return i + 11 <= run->n && digit_of(run, i) == 1 && digit_of(run, i + 1) >= 3 && only_digits(run, i, 11) &&
           is_one_number(run, i, 11);
}

/* Each finder: the digits of its number that begin at i, which is an edge, or 0. */

static size_t mobile_at(const struct run *run, size_t i)
{
    static const char *const prefixes[] = { "", "86", "0086", "0" };

    for (size_t p = 0; p < COUNT(prefixes); p++) {
        size_t start = i + strlen(prefixes[p]);

        if (!starts_with(run, i, prefixes[p]) || !looks_mobile(run, start))
            continue;
        if (is_edge(run, start + 11))
            return start + 11 - i;
        if (looks_mobile(run, start + 11) && is_edge(run, start + 22)) /* two without anything between */
            return start + 22 - i;
    }
    return 0;
}

static size_t landline_at(const struct run *run, size_t i)
{
    size_t area, prefix = starts_with(run, i, "0086") ? 4 : starts_with(run, i, "86") ? 2 : 0;
    size_t first = run->token[i];
    bool abroad =
        prefix && i + prefix < run->n && (run->gap[i + prefix] != NO_GAP || (first && run->t[first - 1].cp == '+'));

    if (!abroad)
        prefix = 0;
    if (starts_with(run, i + prefix, "010") || starts_with(run, i + prefix, "02"))
        area = 3;
    else if (starts_with(run, i + prefix, "0") && i + prefix + 1 < run->n && digit_of(run, i + prefix + 1) >= 3)
        area = 4;
    else if (abroad && i + prefix < run->n && digit_of(run, i + prefix) >= 1)
        area = starts_with(run, i + prefix, "10") || starts_with(run, i + prefix, "2") ? 2 : 3;
    else
        return 0;
    for (size_t local = 8; local >= 7; local--) {
        size_t n = area + local, start = i + prefix + area;

        if (only_digits(run, i + prefix, n) && start < run->n && digit_of(run, start) >= 2 &&
            digit_of(run, start) <= 8 && is_one_number(run, i + prefix, n) && is_edge(run, i + prefix + n))
            return prefix + n;
    }
    return 0;
}

static size_t service_at(const struct run *run, size_t i)
{
    bool fits = starts_with(run, i, "400") || starts_with(run, i, "800");

    return fits && only_digits(run, i, 10) && is_one_number(run, i, 10) && is_edge(run, i + 10) ? 10 : 0;
}

/* Without an area code only where the text says that a number comes. */
static size_t local_at(const struct reading *r, const struct run *run, size_t i)
{
    static const char *const cues[] = { "电话", "致电", "拨打", "来电", "座机",
                                        "固话", "tel",  "手机", "号码", "联系方式" };

    if (digit_of(run, i) < 2 || digit_of(run, i) > 8)
        return 0;
    for (size_t n = 8; n >= 7; n--)
        if (only_digits(run, i, n) && is_one_number(run, i, n) && is_edge(run, i + n))
            return is_cued(r, run->token[i], cues, COUNT(cues)) ? n : 0;
    return 0;
}

static bool is_province(unsigned code)
{
    static const unsigned char last[] = { 0, 15, 23, 37, 46, 54, 65, 71, 83, 91 }; /* of each region's ten */
    unsigned region = code / 10;

    return region >= 1 && region <= 9 && code > region * 10 - (region == 5) && code <= last[region];
}

static unsigned number_of(const struct run *run, size_t i, size_t n)
{
    unsigned sum = 0;

    for (size_t k = i; k < i + n; k++)
        sum = sum * 10 + digit_of(run, k);
    return sum;
}

static bool is_birthday(unsigned year, unsigned month, unsigned day)
{
    return year >= 1880 && year < 2100 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* GB 11643: weights 2^(17 - k) mod 11. */
static bool checks(const struct run *run, size_t i)
{
    unsigned weight = 1, sum = 0;

    for (size_t k = 18; k-- > 0; weight = weight * 2 % 11)
        sum += weight * digit_of(run, i + k);
    return sum % 11 == 1;
}

static size_t identity_at(const struct reading *r, const struct run *run, size_t i)
{
    static const char *const cues[] = { "身份证", "身份证号", "身份证件", "证件", "证号", "公民身份" };

    if (i + 18 <= run->n && only_digits(run, i, 17) && is_one_number(run, i, 18) && is_edge(run, i + 18) &&
        is_province(number_of(run, i, 2)) &&
        is_birthday(number_of(run, i + 6, 4), number_of(run, i + 10, 2), number_of(run, i + 12, 2)) &&
        (checks(run, i) || is_cued(r, run->token[i], cues, COUNT(cues))))
        return 18;
    if (only_digits(run, i, 15) && is_one_number(run, i, 15) && is_edge(run, i + 15) &&
        is_province(number_of(run, i, 2)) &&
        is_birthday(1900 + number_of(run, i + 6, 2), number_of(run, i + 8, 2), number_of(run, i + 10, 2)))
        return 15;
    return 0;
}

static bool passes_luhn(const struct run *run, size_t i, size_t n)
{
    unsigned sum = 0;

    for (size_t k = 0; k < n; k++) {
        unsigned d = digit_of(run, i + n - 1 - k);

        sum += k % 2 == 0 ? d : d < 5 ? 2 * d : 2 * d - 9;
    }
    return sum % 10 == 0;
}

static size_t card_at(const struct run *run, size_t i)
{
    unsigned first = digit_of(run, i);

    if (first < 3 || first > 9 || first == 7 || first == 8)
        return 0;
    for (size_t n = 19; n >= 16; n--)
        if (only_digits(run, i, n) && is_one_number(run, i, n) && is_edge(run, i + n) && passes_luhn(run, i, n))
            return n;
    return 0;
}

static size_t number_at(const struct reading *r, const struct run *run, size_t i, enum privacy_kind *kind)
{
    size_t n;

    if ((n = identity_at(r, run, i))) {
        *kind = PRIVACY_IDENTITY;
    } else if ((n = card_at(run, i))) {
        *kind = PRIVACY_CARD;
    } else if ((n = mobile_at(run, i))) {
        *kind = PRIVACY_MOBILE;
    } else {
        n = landline_at(run, i);
        n = n ? n : service_at(run, i);
        n = n ? n : local_at(r, run, i);
        *kind = PRIVACY_PHONE;
    }
    return n;
}

/* A bracket that was opened before the number is closed within it. */
static bool is_closed(const struct run *run, size_t i, size_t n)
{
    for (size_t k = run->token[i]; k < run->token[i + n - 1]; k++)
        if (run->t[k].cp == ')')
            return true;
    return false;
}

static void find_in_run(struct reading *r, const struct run *run)
{
    enum privacy_kind kind;

    for (size_t i = 0, n; i < run->n; i += n ? n : 1) {
        n = is_edge(run, i) ? number_at(r, run, i, &kind) : 0;
        if (n) {
            size_t from = run->token[i];

            if (from && (r->t[from - 1].cp == '+' || r->t[from - 1].cp == '('))
                from -= r->t[from - 1].cp == '+' || is_closed(run, i, n);
            (void)mark(r, from, run->token[i + n - 1] + 1, kind);
        }
    }
}

static void find_numbers(struct reading *r)
{
    struct run run = { .token = malloc((r->n + 1) * sizeof *run.token), .gap = malloc(r->n + 1) };

    if (!run.token || !run.gap)
        abort();
    for (size_t i = 0; i < r->n;)
        if (is_digit(&r->t[i])) {
            i = read_run(r, i, &run);
            if (run.n >= 7)
                find_in_run(r, &run);
        } else {
            i++;
        }
    free(run.token);
    free(run.gap);
}

/* ---- plates ---- */

static bool is_in(uint32_t cp, const char *chars)
{
    size_t len = strlen(chars);
    uint32_t one = 0;

    for (size_t i = 0, n; i < len; i += n) {
        n = utf8_next(chars + i, len - i, &one);
        if (one == cp)
            return true;
    }
    return false;
}

static bool is_plate_gap(const struct token *t)
{
    return t->cp == ' ' || t->cp == '.' || t->cp == '-' || t->cp == 0xb7 || t->cp == 0x2022 || t->cp == 0x30fb;
}

/* 粤D·12345, 粤D12345学, 粤DD12345, 粤D12345F */
static void find_plate(struct reading *r, size_t i)
{
    size_t to = i + 1, signs = 0, figures = 0;

    to += to < r->n && is_plate_gap(&r->t[to]);
    if (to >= r->n || !is_letter(&r->t[to]))
        return;
    to++;
    for (size_t end = to; end < r->n && signs < 7; end++) {
        if (is_plate_gap(&r->t[end]) && !signs && end == to)
            continue;
        if (!is_letter(&r->t[end]) && !is_figure(&r->t[end]))
            break;
        figures += is_figure(&r->t[end]);
        signs++;
        to = end + 1;
    }
    if (signs == 4 && to < r->n && is_in(r->t[to].cp, "学警港澳挂领试超使")) {
        signs++;
        to++;
    }
    if ((signs == 5 && figures >= 2) || (signs == 6 && figures >= 4))
        (void)mark(r, i, to, PRIVACY_PLATE);
}

static void find_plates(struct reading *r)
{
    for (size_t i = 0; i < r->n; i++)
        if (has_role(&r->t[i], IS_PROVINCE))
            find_plate(r, i);
}

/* ---- house numbers ---- */

struct item {
    size_t from, to; /* tokens */
    size_t digits;
    enum part part;
};

static bool is_count(const struct token *t)
{
    return is_figure(t) || t->writing == HAN || t->cp == 0x5341 || t->cp == 0x767e; /* 十 百 */
}

/* The number that ends right before i: 12, 十二, 3A, B. */
static size_t count_before(const struct reading *r, size_t i, size_t *digits)
{
    size_t end = i && r->t[i - 1].cp == ' ' ? i - 1 : i, from = end;

    while (from && end - from < 6 && (is_count(&r->t[from - 1]) || is_letter(&r->t[from - 1])))
        from--;
    *digits = end - from;
    return from;
}

static enum part part_at(const struct reading *r, size_t i, size_t *width)
{
    if (!has_role(&r->t[i], BEGINS_PART))
        return NO_PART;
    for (size_t k = 0; k < COUNT(parts); k++)
        if ((*width = word_at(r, i, parts[k].word)))
            return parts[k].part;
    return NO_PART;
}

/* 5号线, 12月5号, 3房屋: the word goes on, or it is a day. */
static bool is_other_word(const struct reading *r, const struct item *item)
{
    uint32_t after = item->to < r->n ? r->t[item->to].cp : 0;

    if (item->part == STREET)
        return is_in(after, "线召称码令文机型井桩") || (item->from && is_in(r->t[item->from - 1].cp, "月第"));
    if (item->part == ROOM)
        return is_in(after, "间屋子产价东租贷型源管地内外厅");
    return false;
}

static bool is_break(const struct token *t)
{
    return t->cp < 0x80 && t->cp && strchr(",.;!?\"", (int)t->cp);
}

/* The number after 栋 or 单元 that is a flat without saying so: 3栋402. */
static size_t bare_flat(const struct reading *r, size_t i)
{
    size_t to = i;

    while (to < r->n && to - i < 5 && (is_figure(&r->t[to]) || r->t[to].writing == HAN))
        to++;
    if (to - i < 3 || to - i > 4 || (to < r->n && is_in(r->t[to].cp, "户人米元平多余个间家年月日号室房万块")))
        return i;
    return to;
}

/* A chain of items is a dwelling when it goes from the street or the building on into it. */
struct chain {
    struct item item[8];
    size_t n;
};

static bool is_dwelling(const struct chain *chain)
{
    const struct item *items = chain->item;

    if (chain->n == 1)
        return items[0].part == ROOM && items[0].digits >= 3;
    for (size_t i = 1; i < chain->n; i++)
        if (items[i].part == ROOM || (items[i].part == LODGERS && items[i - 1].part == ENTRANCE) ||
            (items[i].part == ENTRANCE && items[i - 1].part <= BUILDING) ||
            (items[i].part == BUILDING && items[i - 1].part == STREET))
            return true;
    return items[0].part == ROOM && items[0].digits >= 3;
}

static void end_chain(struct reading *r, struct chain *chain)
{
    if (chain->n && is_dwelling(chain))
        for (size_t i = 0; i < chain->n;) {
            size_t from = chain->item[i].from, to = chain->item[i].to;

            for (i++; i < chain->n && chain->item[i].from <= to + 1; i++)
                to = chain->item[i].to;
            (void)mark(r, from, to, PRIVACY_HOUSE);
        }
    chain->n = 0;
}

static void add_item(struct reading *r, struct chain *chain, struct item item)
{
    size_t flat;
    enum part last = chain->n ? chain->item[chain->n - 1].part : NO_PART;

    if (item.part == STREET && (last == BUILDING || last == ENTRANCE) &&
        item.from == chain->item[chain->n - 1].to) /* 3栋402号 */
        item.part = ROOM;
    flat = item.part == BUILDING || item.part == ENTRANCE ? bare_flat(r, item.to) : item.to;

    /* 300户 and 5层 alone are counts, and a street number after a building begins another address. */
    if ((chain->n && item.part == STREET && last != STREET) || chain->n == COUNT(chain->item))
        end_chain(r, chain);
    if (!chain->n && item.part == LODGERS)
        return;
    chain->item[chain->n++] = item;
    if (flat > item.to && chain->n < COUNT(chain->item))
        chain->item[chain->n++] = (struct item){ item.to, flat, flat - item.to, ROOM };
}

static void find_houses(struct reading *r)
{
    struct chain chain = { .n = 0 };
    size_t last = 0, broken = 0; /* where the last item ended; the last break */

    for (size_t i = 0, width; i < r->n; i++) {
        struct item item = { .part = part_at(r, i, &width) };

        if (is_break(&r->t[i]))
            broken = i + 1;
        if (item.part == NO_PART)
            continue;
        item.from = count_before(r, i, &item.digits);
        item.to = i + width;
        if (item.digits == 0 || item.from < last || is_other_word(r, &item))
            continue;
        if (chain.n && (broken > last || item.from - last > HOUSE_GAP))
            end_chain(r, &chain);
        add_item(r, &chain, item);
        if (chain.n)
            last = chain.item[chain.n - 1].to;
        i = item.to - 1;
    }
    end_chain(r, &chain);
}

/* ---- names ---- */

static size_t long_family(const struct reading *r, size_t i)
{
    for (size_t k = 0; k < COUNT(long_names); k++)
        if (word_at(r, i, long_names[k]))
            return 2;
    return 0;
}

/* Characters of a family name of the roles that are believed here. */
static size_t family_at(const struct reading *r, size_t i, unsigned believed)
{
    size_t two = i < r->n && is_han(&r->t[i]) ? long_family(r, i) : 0;

    return two ? two : i < r->n && has_role(&r->t[i], believed);
}

/* Which title stands at i, from 1; else 0. */
static size_t title_at(const struct reading *r, size_t i)
{
    if (i >= r->n || !has_role(&r->t[i], BEGINS_TITLE))
        return 0;
    for (size_t k = 0; k < COUNT(titles); k++)
        if (word_at(r, i, titles[k]))
            return k + 1;
    return 0;
}

static bool is_name_end(const struct reading *r, size_t i)
{
    return i >= r->n || !is_han(&r->t[i]) || has_role(&r->t[i], IS_AFTER) || title_at(r, i);
}

/* A family name at i and one or two characters: their end, or i.  sure: what follows need not show that it ends. */
static size_t name_at(const struct reading *r, size_t i, unsigned believed, bool sure)
{
    size_t family = family_at(r, i, believed), to = i + family;

    if (!family || to >= r->n || !is_han(&r->t[to]) || is_in(r->t[to].cp, "某的是") || title_at(r, to))
        return i;
    to++;
    if (is_name_end(r, to))
        return to;
    return sure || is_name_end(r, to + 1) ? to + 1 : i;
}

/* After a colon a word of two to four Chinese characters is a name, and so is a longer one with a dot in it. */
static size_t labelled_at(const struct reading *r, size_t i)
{
    size_t to = i;
    bool dotted = false;

    while (to < r->n && to - i < LONG_NAME && (is_han(&r->t[to]) || (to > i && r->t[to].cp == 0xb7))) {
        dotted = dotted || r->t[to].cp == 0xb7;
        to++;
    }
    if (to - i >= 2 && (to - i <= NAME_CHARS || dotted) && r->t[to - 1].cp != 0xb7)
        return to - i > 2 && title_at(r, to - 2) ? to - 2 : to;
    return name_at(r, i, IS_FAMILY | IS_OTHER | IS_WEAK, true);
}

static void find_cued(struct reading *r, size_t i, const char *const *cues, size_t count, bool sure)
{
    size_t width = 0, from, to;
    bool label = false;

    for (size_t k = 0; k < count && !width; k++)
        width = word_at(r, i, cues[k]);
    if (!width)
        return;
    for (from = i + width; from < r->n && from < i + width + BEFORE_CUE && is_in(r->t[from].cp, ": 是为叫("); from++)
        label = label || r->t[from].cp == ':';
    if (label && sure)
        to = labelled_at(r, from);
    else
        to = name_at(r, from,
                     label  ? IS_FAMILY | IS_OTHER | IS_WEAK
                     : sure ? IS_FAMILY | IS_OTHER
                            : IS_FAMILY,
                     sure || label);
    if (to > from)
        (void)mark(r, from, to, PRIVACY_NAME);
}

/* 张先生, 张小明先生, 欧阳女士; the title stays. */
static void find_titled(struct reading *r, size_t i)
{
    size_t from = i, title = title_at(r, i);
    unsigned believed = title <= PURE_TITLES ? IS_FAMILY | IS_OTHER | IS_WEAK : IS_FAMILY;

    if (!title || i == 0 || is_in(r->t[i - 1].cp, "某的"))
        return;
    for (size_t back = 1; back <= 3 && back <= i && is_han(&r->t[i - back]) && !r->t[i - back].mark; back++)
        if (family_at(r, i - back, back == 1 ? believed : IS_FAMILY))
            from = i - back;
    if (from < i)
        (void)mark(r, from, i, PRIVACY_NAME);
}

/* The name that is known, wherever it stands. */
static void find_known(struct reading *r, const char *name)
{
    char known[KNOWN_BYTES * 4];
    size_t len = strnlen(name, KNOWN_BYTES), width;

    len = text_normalise(name, len, known, sizeof known);
    width = utf8_chars(known, len);
    if (width < 2 || len < 4)
        return;
    for (size_t i = 0; i + width <= r->n; i++)
        if (word_at(r, i, known))
            (void)mark(r, i, i + width, PRIVACY_NAME);
}

static void find_names(struct reading *r, const char *name)
{
    if (name)
        find_known(r, name);
    for (size_t i = 0; i < r->n; i++) {
        if (has_role(&r->t[i], BEGINS_CUE))
            find_cued(r, i, name_cues, COUNT(name_cues), true);
        find_titled(r, i);
    }
    for (size_t i = 0; i < r->n; i++)
        if (has_role(&r->t[i], BEGINS_CUE))
            find_cued(r, i, maybe_cues, COUNT(maybe_cues), false);
}

/* ---- the text ---- */

static void report(const struct reading *r, privacy_fn *fn, void *arg)
{
    struct privacy_span span;

    for (size_t i = 0; i < r->n;) {
        size_t to = i + 1;

        if (!r->t[i].mark) {
            i = to;
            continue;
        }
        while (to < r->n && r->t[to].mark && !(r->t[to].mark & MARK_FIRST))
            to++;
        span.kind = (enum privacy_kind)((r->t[i].mark & ~MARK_FIRST) - 1);
        span.start = r->t[i].at;
        span.length = r->t[to - 1].at + r->t[to - 1].width - span.start;
        fn(&span, arg);
        /* What else a character of several tokens was is gone with it. */
        while (to < r->n && r->t[to].at < span.start + span.length)
            to++;
        i = to;
    }
}

void privacy_scan(const char *text, size_t len, const char *name, privacy_fn *fn, void *arg)
{
    /* A character folds to no more tokens than it has bytes. */
    struct reading r = { .t = malloc((len + 1) * sizeof *r.t), .n = 0 };

    if (!r.t)
        abort();
    if (!have_roles)
        give_roles();
    read_tokens(text, len, &r);
    find_emails(&r);
    find_numbers(&r);
    find_accounts(&r);
    find_plates(&r);
    find_houses(&r);
    find_names(&r, name);
    report(&r, fn, arg);
    free(r.t);
}

static void add_kind(const struct privacy_span *span, void *arg)
{
    *(unsigned *)arg |= 1U << span->kind;
}

unsigned privacy_kinds(const char *text, size_t len, const char *name)
{
    unsigned found = 0;

    privacy_scan(text, len, name, add_kind, &found);
    return found;
}

struct masking {
    const char *text;
    size_t read;
    char *out;
    size_t used;
    unsigned kinds;
};

static void put(struct masking *m, const char *text, size_t len)
{
    memcpy(m->out + m->used, text, len);
    m->used += len;
}

static void mask_span(const struct privacy_span *span, void *arg)
{
    struct masking *m = arg;

    put(m, m->text + m->read, span->start - m->read);
    put(m, kinds[span->kind].tag, strlen(kinds[span->kind].tag));
    m->read = span->start + span->length;
    m->kinds |= 1U << span->kind;
}

size_t privacy_mask(const char *text, size_t len, const char *name, char *out, unsigned *found)
{
    struct masking m = { .text = text, .out = out };

    privacy_scan(text, len, name, mask_span, &m);
    put(&m, text + m.read, len - m.read);
    out[m.used] = '\0';
    if (found)
        *found = m.kinds;
    return m.used;
}

const char *privacy_word(enum privacy_kind kind)
{
    return kinds[kind].word;
}
