/*
 * n rounds of: parse a JSON text of 20 KB to a tree, change one number in it, print the tree.
 * The printed text is the next round's input. Byte-wise dispatch, recursion, pointer chasing.
 */
#include "kernel.h"

#define TEXT_MAX (64 * 1024)
#define NODES_MAX 8192
#define RECORDS 100
#define NONE 0

enum kind { KIND_NULL, KIND_FALSE, KIND_TRUE, KIND_NUMBER, KIND_STRING, KIND_ARRAY, KIND_OBJECT };

/* Nodes refer to each other by index; index 0 is no node. Members of an object have a key. */
struct node {
    uint8_t kind;
    uint32_t key, key_len;
    uint32_t string, string_len;
    uint32_t first, next;
    double number;
};

static struct node nodes[NODES_MAX];
static uint32_t nodes_len;
static char strings[TEXT_MAX];
static uint32_t strings_len;
static char buffers[2][TEXT_MAX];

/* The text being read and the one being written. */
static const char *in;
static uint32_t in_at, in_len;
static char *out;
static uint32_t out_len;
static uint32_t errors;

/* ---- printing ---- */

static void put(char c)
{
    if (out_len < TEXT_MAX) {
        out[out_len++] = c;
    }
}

static void put_text(const char *text)
{
    while (*text) {
        put(*text++);
    }
}

static void put_string(const char *bytes, uint32_t len)
{
    static const char hex[] = "0123456789abcdef";
    put('"');
    for (uint32_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)bytes[i];
        if (c == '"' || c == '\\') {
            put('\\');
            put((char)c);
        } else if (c == '\n') {
            put_text("\\n");
        } else if (c < 0x20) {
            put_text("\\u00");
            put(hex[c >> 4]);
            put(hex[c & 15]);
        } else {
            put((char)c);
        }
    }
    put('"');
}

static void put_digits(uint64_t value, int at_least)
{
    char digits[20];
    int len = 0;
    while (value > 0 || len < at_least) {
        digits[len++] = (char)('0' + value % 10);
        value /= 10;
    }
    while (len > 0) {
        put(digits[--len]);
    }
}

/* Six decimals at most, which gives every number in the text back unchanged. */
static void put_number(double value)
{
    uint64_t millionths;
    uint64_t fraction;
    int width = 6;
    if (value < 0) {
        put('-');
        value = -value;
    }
    millionths = (uint64_t)(int64_t)(value * 1e6 + 0.5);
    put_digits(millionths / 1000000, 1);
    fraction = millionths % 1000000;
    if (fraction > 0) {
        while (fraction % 10 == 0) {
            fraction /= 10;
            width--;
        }
        put('.');
        put_digits(fraction, width);
    }
}

static void put_node(uint32_t index)
{
    const struct node *node = &nodes[index];
    static const char *const words[] = {"null", "false", "true"};
    switch (node->kind) {
        case KIND_NUMBER:
            put_number(node->number);
            break;
        case KIND_STRING:
            put_string(strings + node->string, node->string_len);
            break;
        case KIND_ARRAY:
        case KIND_OBJECT:
            put(node->kind == KIND_ARRAY ? '[' : '{');
            for (uint32_t child = node->first; child != NONE; child = nodes[child].next) {
                if (node->kind == KIND_OBJECT) {
                    put_string(strings + nodes[child].key, nodes[child].key_len);
                    put(':');
                }
                put_node(child);
                if (nodes[child].next != NONE) {
                    put(',');
                }
            }
            put(node->kind == KIND_ARRAY ? ']' : '}');
            break;
        default:
            put_text(words[node->kind]);
            break;
    }
}

/* ---- parsing ---- */

static uint32_t parse_value(void);

static char peek(void)
{
    while (in_at < in_len && (in[in_at] == ' ' || in[in_at] == '\n')) {
        in_at++;
    }
    return in_at < in_len ? in[in_at] : 0;
}

static void expect(char c)
{
    if (peek() != c) {
        errors++;
    }
    in_at++;
}

static uint32_t new_node(enum kind kind)
{
    struct node *node;
    if (nodes_len == NODES_MAX) {
        errors++;
        nodes_len = 1;
    }
    node = &nodes[nodes_len];
    node->kind = (uint8_t)kind;
    node->first = NONE;
    node->next = NONE;
    return nodes_len++;
}

static uint32_t hex_digit(char c)
{
    return c <= '9' ? (uint32_t)(c - '0') : (uint32_t)((c | 32) - 'a' + 10);
}

/* The bytes of the string go to the end of `strings`; the result is where they start. */
static uint32_t parse_string(uint32_t *len)
{
    uint32_t start = strings_len;
    expect('"');
    while (in_at < in_len && in[in_at] != '"' && strings_len < TEXT_MAX) {
        char c = in[in_at++];
        if (c == '\\') {
            c = in[in_at++];
            if (c == 'n') {
                c = '\n';
            } else if (c == 'u') {
                c = (char)(hex_digit(in[in_at + 2]) << 4 | hex_digit(in[in_at + 3]));
                in_at += 4;
            }
        }
        strings[strings_len++] = c;
    }
    in_at++;
    *len = strings_len - start;
    return start;
}

static uint32_t parse_number(void)
{
    uint32_t index = new_node(KIND_NUMBER);
    double sign = 1.0;
    double scale = 1.0;
    uint64_t digits = 0;
    int after_point = 0;
    if (peek() == '-') {
        sign = -1.0;
        in_at++;
    }
    while (in_at < in_len) {
        char c = in[in_at];
        if (c == '.') {
            after_point = 1;
        } else if (c >= '0' && c <= '9') {
            digits = digits * 10 + (uint64_t)(c - '0');
            scale = after_point ? scale * 10.0 : scale;
        } else {
            break;
        }
        in_at++;
    }
    nodes[index].number = sign * (double)(int64_t)digits / scale;
    return index;
}

static uint32_t parse_list(enum kind kind, char close)
{
    uint32_t index = new_node(kind);
    uint32_t last = NONE;
    in_at++;
    while (peek() != close && errors == 0) {
        uint32_t key = 0;
        uint32_t key_len = 0;
        uint32_t child;
        if (last != NONE) {
            expect(',');
        }
        if (kind == KIND_OBJECT) {
            key = parse_string(&key_len);
            expect(':');
        }
        child = parse_value();
        nodes[child].key = key;
        nodes[child].key_len = key_len;
        if (last == NONE) {
            nodes[index].first = child;
        } else {
            nodes[last].next = child;
        }
        last = child;
    }
    in_at++;
    return index;
}

static uint32_t parse_word(enum kind kind, uint32_t len)
{
    in_at += len;
    return new_node(kind);
}

static uint32_t parse_value(void)
{
    uint32_t index;
    switch (peek()) {
        case '{':
            return parse_list(KIND_OBJECT, '}');
        case '[':
            return parse_list(KIND_ARRAY, ']');
        case '"':
            index = new_node(KIND_STRING);
            nodes[index].string = parse_string(&nodes[index].string_len);
            return index;
        case 't':
            return parse_word(KIND_TRUE, 4);
        case 'f':
            return parse_word(KIND_FALSE, 5);
        case 'n':
            return parse_word(KIND_NULL, 4);
        default:
            return parse_number();
    }
}

/* ---- the workload ---- */

static void put_member(const char *name)
{
    put('"');
    put_text(name);
    put_text("\": ");
}

static void generate_record(uint32_t id, uint32_t *random)
{
    put_text(id == 0 ? "{" : ",\n{");
    put_member("id");
    put_number((double)id);
    put_text(", ");
    put_member("name");
    put_text("\"item \\\"");
    put_digits(next_random(random) % 100000, 5);
    put_text("\\\" of\\nlot \\u000");
    put((char)('1' + id % 7));
    put_text("\", ");
    put_member("price");
    put_number((double)(int32_t)(next_random(random) % 1000000) / 1000.0);
    put_text(", ");
    put_member("offset");
    put_number((double)(int32_t)(next_random(random) % 20001) / 16.0 - 600.0);
    put_text(", ");
    put_member("flags");
    put_text(id % 3 == 0 ? "[true, null, [], {}]" : "[false, {\"deep\": [[1, 2], [3]]}]");
    put_text(", ");
    put_member("tags");
    put_text("[\"alpha\", \"beta\", \"gamma\"]}");
}

static void generate(void)
{
    uint32_t random = 123456789;
    out = buffers[0];
    out_len = 0;
    put_text("{\"round\": 0, \"records\": [");
    for (uint32_t id = 0; id < RECORDS; id++) {
        generate_record(id, &random);
    }
    put_text("]}");
}

EXPORT int64_t run(int32_t n)
{
    uint64_t hash = HASH_SEED;
    errors = 0;
    generate();
    for (int32_t round = 0; round < n; round++) {
        uint32_t root;
        in = buffers[round & 1];
        in_len = out_len;
        in_at = 0;
        nodes_len = 1;
        strings_len = 0;
        root = parse_value();
        nodes[nodes[root].first].number += 1.0;
        out = buffers[~round & 1];
        out_len = 0;
        put_node(root);
        hash = hash_word(hash_word(hash, out_len), nodes_len);
    }
    hash = hash_bytes(hash, (const uint8_t *)out, out_len);
    return (int64_t)hash_word(hash, errors);
}
