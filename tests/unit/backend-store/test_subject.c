/* Subjects apart and together; body text from HTML and back. */
#include "backend/store/message_subject.h"
#include "backend/store/message_text.h"
#include "tests/mutate.h"
#include "tests/unit.h"

static struct arena *a;

static const char *str(struct blob b) { return arena_str(a, b); }

TEST(split_by_form)
{
    a = arena_new(1 << 20);
    static const struct { const char *subject, *prefix, *normal; } t[] = {
        { "RE: Budget", "RE: ", "Budget" }, { "Fwd: RE: x", "Fwd: ", "RE: x" }, { "AW: ", "AW: ", "" }, { "Antwort: nein", "", "Antwort: nein" },
        { "R2: nein", "", "R2: nein" }, { "RE:x", "", "RE:x" }, { ": x", "", ": x" }, { "", "", "" }, { "V\xc3\xa1: magyar", "V\xc3\xa1: ", "magyar" },
        { "\xe5\x9b\x9e\xe5\xa4\x8d: x", "\xe5\x9b\x9e\xe5\xa4\x8d: ", "x" }, { "RE", "", "RE" }, { "RE:", "", "RE:" },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct subject s = message_subject_split(blob_str(t[i].subject));
        CHECK_STR(str(s.prefix), t[i].prefix);
        CHECK_STR(str(s.normal), t[i].normal);
        CHECK_STR(str(message_subject_join(a, &s)), t[i].subject);
    }
    arena_free(a);
}

static struct subject changed(const char *was_prefix, const char *was_normal, const char *subject, const char *prefix, const char *normal)
{
    struct subject was = { blob_str(was_prefix), blob_str(was_normal), was_normal != NULL };
    struct msg over = { 0 };
    if (subject != NULL)
        props_set(a, &over.set, pv_str(PidTagSubject, subject));
    if (prefix != NULL)
        props_set(a, &over.set, pv_str(PidTagSubjectPrefix, prefix));
    if (normal != NULL)
        props_set(a, &over.set, pv_str(PidTagNormalizedSubject, normal));
    return message_subject_change(&was, &over);
}

TEST(changes_win_by_what_is_explicit)
{
    a = arena_new(1 << 20);
    static const struct { const char *was_p, *was_n, *s, *p, *n, *prefix, *normal; } t[] = {
        { NULL, NULL, "RE: a", NULL, NULL, "RE: ", "a" },
        { NULL, NULL, "Antwort: a", "Antwort: ", NULL, "Antwort: ", "a" },      /* explicit prefix */
        { NULL, NULL, "RE: a", "FW: ", NULL, "RE: ", "a" },                     /* does not fit: by form */
        { NULL, NULL, "Antwort: a", NULL, "a", "Antwort: ", "a" },              /* explicit normalized subject */
        { "RE: ", "a", NULL, NULL, "b", "RE: ", "b" },
        { "RE: ", "a", NULL, "FW: ", NULL, "FW: ", "a" },
        { "RE: ", "a", "c", NULL, NULL, "", "c" },
        { "RE: ", "a", NULL, "", NULL, "", "a" },                               /* OXCMSG R1802 */
        { NULL, NULL, "x: y", "AW: ", "z", "AW: ", "z" },                       /* both parts given */
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct subject s = changed(t[i].was_p, t[i].was_n, t[i].s, t[i].p, t[i].n);
        CHECK(s.set);
        CHECK_STR(str(s.prefix), t[i].prefix);
        CHECK_STR(str(s.normal), t[i].normal);
    }
    struct subject none = changed(NULL, NULL, NULL, NULL, NULL);
    CHECK(!none.set);
    arena_free(a);
}

TEST(deleted_subject_is_gone)
{
    a = arena_new(1 << 20);
    struct subject was = { blob_str("RE: "), blob_str("a"), true };
    struct msg over = { 0 };
    tags_add(a, &over.del, PidTagSubject);
    CHECK(!message_subject_change(&was, &over).set);
    over = (struct msg){ 0 };
    tags_add(a, &over.del, PidTagSubjectPrefix);
    CHECK_STR(str(message_subject_change(&was, &over).normal), "a");
    CHECK_INT(message_subject_change(&was, &over).prefix.n, 0);
    arena_free(a);
}

/* OXCMSG R60, R66 */
TEST(length_is_bounded)
{
    a = arena_new(1 << 20);
    char longer[1001];
    memset(longer, 'x', sizeof longer - 1);
    longer[1000] = '\0';
    memcpy(longer, "RE: ", 4);
    struct subject s = message_subject_split(blob_str(longer));
    CHECK_INT(s.prefix.n + s.normal.n, SUBJECT_MAX);
    arena_free(a);
}

TEST(text_from_html)
{
    a = arena_new(1 << 20);
    static const struct { const char *html, *text; } t[] = {
        { "<html><head><title>t</title><style>p{}</style></head><body><p>Hello  <b>World</b></p><p>2nd</p></body></html>", "Hello World\r\n\r\n2nd\r\n" },
        { "a<br>b<BR/>c", "a\r\nb\r\nc" },
        { "1 &lt; 2 &amp;&nbsp;3 &#228;&#xe4; &unknown; &#0; &", "1 < 2 & 3 \xc3\xa4\xc3\xa4 &unknown; &#0; &" },
        { "<ul><li>one<li>two</ul>end", "* one\r\n* two\r\nend" },
        { "<!-- no <b> --><a href=\"x>y\">link</a><script>if (a<b) c()</script>!", "link!" },
        { "<pre>x\n  y</pre>z", "x\r\n  y\r\nz" },
        { "a <b>b", "a b" }, { "<", "<" }, { "", "" }, { "<style>", "" }, { "x < y", "x < y" },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        CHECK_STR(str(message_text_from_html(a, blob_str(t[i].html))), t[i].text);
    arena_free(a);
}

TEST(html_from_text_comes_back)
{
    a = arena_new(1 << 20);
    struct blob html = message_html_from_text(a, blob_str("a < b & c\r\n  d"));
    CHECK(memmem(html.p, html.n, "a &lt; b &amp; c", 16) != NULL);
    CHECK_STR(str(message_text_from_html(a, html)), "a < b & c\r\n  d\r\n");
    arena_free(a);
}

static void convert(void *ctx, struct blob variant)
{
    (void)ctx;
    struct arena *own = arena_new(1 << 20);
    struct blob text = message_text_from_html(own, variant);
    CHECK(text.n <= variant.n * 2 + 16);
    struct subject s = message_subject_split(variant);
    CHECK(s.prefix.n + s.normal.n <= variant.n);
    message_html_from_text(own, variant);
    arena_free(own);
}

TEST(damaged_html_is_text_all_the_same)
{
    static const char html[] = "<!-- c --><p a=\"x>y\" b='z'>T&amp;&#228;&#x20ac; &nbsp;<br/><li>i<td>c</td><pre>a\n b</pre><script>s</script>RE: \xc3\xa4</p>";
    CHECK(mutate_all(blob_of(html, sizeof html - 1), convert, NULL) > 1000);
}
