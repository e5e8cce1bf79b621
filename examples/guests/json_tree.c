/* See json_tree.h. A recursive-descent parser over RFC 8259, and a printer. */
#include "json_tree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 200

/* `failed` is checked after every step; once set, the parser unwinds without reading on. */
struct parser {
    const char *text;
    size_t len;
    size_t at;
    int depth;
    const char *failed;
    size_t failed_at;
};

static struct json *parse_value(struct parser *parser);

static struct json *refuse(struct parser *parser, const char *message)
{
    if (parser->failed == NULL) {
        parser->failed = message;
        parser->failed_at = parser->at;
    }
    return NULL;
}

/* The byte at the cursor, or -1 at the end. */
static int peek(const struct parser *parser)
{
    return parser->at < parser->len ? (unsigned char)parser->text[parser->at] : -1;
}

static int peek_after_space(struct parser *parser)
{
    int c = peek(parser);
    while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        parser->at++;
        c = peek(parser);
    }
    return c;
}

static int is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static struct json *new_value(enum json_kind kind)
{
    struct json *value = allocate(sizeof *value);
    memset(value, 0, sizeof *value);
    value->kind = kind;
    return value;
}

/* ---- strings ---- */

static int parse_hex4(struct parser *parser)
{
    int code = 0;
    for (int i = 0; i < 4; i++) {
        int c = peek(parser);
        int digit = is_digit(c)            ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) {
            refuse(parser, "\\u needs four hexadecimal digits");
            return 0;
        }
        code = code << 4 | digit;
        parser->at++;
    }
    return code;
}

static void append_utf8(struct buffer *out, unsigned code)
{
    char bytes[4];
    size_t len;
    if (code < 0x80) {
        bytes[0] = (char)code;
        len = 1;
    } else if (code < 0x800) {
        bytes[0] = (char)(0xc0 | code >> 6);
        bytes[1] = (char)(0x80 | (code & 63));
        len = 2;
    } else if (code < 0x10000) {
        bytes[0] = (char)(0xe0 | code >> 12);
        bytes[1] = (char)(0x80 | (code >> 6 & 63));
        bytes[2] = (char)(0x80 | (code & 63));
        len = 3;
    } else {
        bytes[0] = (char)(0xf0 | code >> 18);
        bytes[1] = (char)(0x80 | (code >> 12 & 63));
        bytes[2] = (char)(0x80 | (code >> 6 & 63));
        bytes[3] = (char)(0x80 | (code & 63));
        len = 4;
    }
    buffer_append(out, bytes, len);
}

/* After "\u": one code unit, or two that form a surrogate pair. */
static void parse_unicode_escape(struct parser *parser, struct buffer *out)
{
    unsigned code = (unsigned)parse_hex4(parser);
    if (code >= 0xd800 && code < 0xdc00) {
        unsigned low = 0;
        if (parser->len - parser->at >= 2 && memcmp(parser->text + parser->at, "\\u", 2) == 0) {
            parser->at += 2;
            low = (unsigned)parse_hex4(parser);
        }
        if (low < 0xdc00 || low > 0xdfff) {
            refuse(parser, "a high surrogate without a low one");
            return;
        }
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xdc00 && code < 0xe000) {
        refuse(parser, "a low surrogate without a high one");
        return;
    }
    append_utf8(out, code);
}

static void parse_escape(struct parser *parser, struct buffer *out)
{
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    int c = peek(parser);
    const char *name = c > 0 ? strchr(names, c) : NULL;
    if (c == 'u') {
        parser->at++;
        parse_unicode_escape(parser, out);
    } else if (name != NULL) {
        parser->at++;
        buffer_append(out, &values[name - names], 1);
    } else {
        refuse(parser, "an unknown escape");
    }
}

static struct json_text parse_string(struct parser *parser)
{
    struct buffer out = {0};
    struct json_text string = {"", 0};
    parser->at++;
    while (parser->failed == NULL && peek(parser) != '"') {
        size_t start = parser->at;
        int c = peek(parser);
        while (c >= 0x20 && c != '"' && c != '\\') {
            parser->at++;
            c = peek(parser);
        }
        buffer_append(&out, parser->text + start, parser->at - start);
        if (c == '\\') {
            parser->at++;
            parse_escape(parser, &out);
        } else if (c < 0) {
            refuse(parser, "the string does not end");
        } else if (c < 0x20) {
            refuse(parser, "a control character in a string");
        }
    }
    parser->at++;
    /* The buffer has room to grow; the tree keeps exactly what it needs. */
    if (out.len > 0) {
        char *bytes = allocate(out.len);
        memcpy(bytes, out.bytes, out.len);
        string.bytes = bytes;
        string.len = out.len;
    }
    free(out.bytes);
    return string;
}

/* ---- the other values ---- */

static void skip_digits(struct parser *parser)
{
    if (!is_digit(peek(parser))) {
        refuse(parser, "a digit was expected");
    }
    while (is_digit(peek(parser))) {
        parser->at++;
    }
}

/* strtod accepts more than JSON does, so the shape is checked first. */
static struct json *parse_number(struct parser *parser)
{
    size_t start = parser->at;
    struct json *value;
    char digits[64];
    size_t len;
    if (peek(parser) == '-') {
        parser->at++;
    }
    if (peek(parser) == '0') {
        parser->at++;
    } else {
        skip_digits(parser);
    }
    if (peek(parser) == '.') {
        parser->at++;
        skip_digits(parser);
    }
    if (peek(parser) == 'e' || peek(parser) == 'E') {
        parser->at++;
        if (peek(parser) == '+' || peek(parser) == '-') {
            parser->at++;
        }
        skip_digits(parser);
    }
    len = parser->at - start;
    if (len >= sizeof digits) {
        return refuse(parser, "a number of more than 63 characters");
    }
    memcpy(digits, parser->text + start, len);
    digits[len] = '\0';
    value = new_value(JSON_NUMBER);
    value->number = strtod(digits, NULL);
    return value;
}

static struct json *parse_word(struct parser *parser, const char *word, enum json_kind kind)
{
    size_t len = strlen(word);
    if (parser->len - parser->at < len || memcmp(parser->text + parser->at, word, len) != 0) {
        return refuse(parser, "a value was expected");
    }
    parser->at += len;
    return new_value(kind);
}

/* An object's member up to and including the colon. */
static struct json_text parse_key(struct parser *parser)
{
    struct json_text key = {"", 0};
    if (peek_after_space(parser) != '"') {
        refuse(parser, "a member name was expected");
        return key;
    }
    key = parse_string(parser);
    if (peek_after_space(parser) != ':') {
        refuse(parser, "a colon was expected");
    }
    parser->at++;
    return key;
}

static struct json *parse_children(struct parser *parser, enum json_kind kind, char close)
{
    struct json *list = new_value(kind);
    struct json **link = &list->first;
    parser->at++;
    if (peek_after_space(parser) == close) {
        parser->at++;
        return list;
    }
    while (parser->failed == NULL) {
        struct json_text key = {"", 0};
        struct json *child;
        int c;
        if (kind == JSON_OBJECT) {
            key = parse_key(parser);
        }
        child = parse_value(parser);
        if (child == NULL) {
            return NULL;
        }
        child->key = key;
        *link = child;
        link = &child->next;
        c = peek_after_space(parser);
        if (c == close) {
            parser->at++;
            return list;
        }
        if (c != ',') {
            return refuse(parser, "a comma or the closing bracket was expected");
        }
        parser->at++;
    }
    return NULL;
}

static struct json *parse_nested(struct parser *parser, enum json_kind kind, char close)
{
    struct json *value;
    if (parser->depth == DEPTH_MAX) {
        return refuse(parser, "nested too deeply");
    }
    parser->depth++;
    value = parse_children(parser, kind, close);
    parser->depth--;
    return value;
}

static struct json *parse_value(struct parser *parser)
{
    struct json *value;
    int c = peek_after_space(parser);
    if (parser->failed != NULL) {
        return NULL;
    }
    switch (c) {
        case '{':
            return parse_nested(parser, JSON_OBJECT, '}');
        case '[':
            return parse_nested(parser, JSON_ARRAY, ']');
        case '"':
            value = new_value(JSON_STRING);
            value->string = parse_string(parser);
            return value;
        case 't':
            return parse_word(parser, "true", JSON_TRUE);
        case 'f':
            return parse_word(parser, "false", JSON_FALSE);
        case 'n':
            return parse_word(parser, "null", JSON_NULL);
        default:
            return is_digit(c) || c == '-' ? parse_number(parser)
                                           : refuse(parser, "a value was expected");
    }
}

struct json *json_parse(const char *text, size_t len, struct json_error *error)
{
    struct parser parser = {0};
    struct json *value;
    parser.text = text;
    parser.len = len;
    value = parse_value(&parser);
    if (value != NULL && peek_after_space(&parser) != -1) {
        refuse(&parser, "more text after the value");
    }
    if (parser.failed == NULL) {
        return value;
    }
    error->message = parser.failed;
    error->line = 1;
    error->column = 1;
    for (size_t i = 0; i < parser.failed_at && i < len; i++) {
        error->column = text[i] == '\n' ? 1 : error->column + 1;
        error->line += text[i] == '\n';
    }
    return NULL;
}

/* ---- printing ---- */

void json_print_number(double number, struct buffer *out)
{
    char digits[40];
    int precision = 15;
    if (!isfinite(number)) {
        /* JSON has no word for it; a number that overflowed while parsing ends up here. */
        buffer_append_text(out, "null");
        return;
    }
    do {
        snprintf(digits, sizeof digits, "%.*g", precision, number);
        precision++;
    } while (precision <= 17 && strtod(digits, NULL) != number);
    buffer_append_text(out, digits);
}

static void print_string(struct json_text string, struct buffer *out)
{
    size_t start = 0;
    buffer_append_text(out, "\"");
    for (size_t i = 0; i < string.len; i++) {
        unsigned char c = (unsigned char)string.bytes[i];
        char escape[8];
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        buffer_append(out, string.bytes + start, i - start);
        start = i + 1;
        if (c == '"' || c == '\\') {
            snprintf(escape, sizeof escape, "\\%c", c);
        } else if (c == '\n' || c == '\t') {
            snprintf(escape, sizeof escape, "\\%c", c == '\n' ? 'n' : 't');
        } else {
            snprintf(escape, sizeof escape, "\\u%04x", c);
        }
        buffer_append_text(out, escape);
    }
    buffer_append(out, string.bytes + start, string.len - start);
    buffer_append_text(out, "\"");
}

static void print_line_start(int indent, int level, struct buffer *out)
{
    if (indent > 0) {
        buffer_append_text(out, "\n");
        for (int i = 0; i < indent * level; i++) {
            buffer_append_text(out, " ");
        }
    }
}

static void print_at(const struct json *value, int indent, int level, struct buffer *out)
{
    static const char *const words[] = {"null", "false", "true"};
    int is_object = value->kind == JSON_OBJECT;
    switch (value->kind) {
        case JSON_NUMBER:
            json_print_number(value->number, out);
            return;
        case JSON_STRING:
            print_string(value->string, out);
            return;
        case JSON_ARRAY:
        case JSON_OBJECT:
            break;
        default:
            buffer_append_text(out, words[value->kind]);
            return;
    }
    buffer_append_text(out, is_object ? "{" : "[");
    for (const struct json *child = value->first; child != NULL; child = child->next) {
        print_line_start(indent, level + 1, out);
        if (is_object) {
            print_string(child->key, out);
            buffer_append_text(out, indent > 0 ? ": " : ":");
        }
        print_at(child, indent, level + 1, out);
        if (child->next != NULL) {
            buffer_append_text(out, ",");
        }
    }
    if (value->first != NULL) {
        print_line_start(indent, level, out);
    }
    buffer_append_text(out, is_object ? "}" : "]");
}

void json_print(const struct json *value, int indent, struct buffer *out)
{
    print_at(value, indent, 0, out);
}

const struct json *json_member(const struct json *object, const char *name, size_t len)
{
    const struct json *found = NULL;
    if (object->kind == JSON_OBJECT) {
        for (const struct json *child = object->first; child != NULL; child = child->next) {
            /* Of two members with one name the later counts. */
            if (child->key.len == len && memcmp(child->key.bytes, name, len) == 0) {
                found = child;
            }
        }
    }
    return found;
}
