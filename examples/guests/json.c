/*
 * A JSON processor: parse, select, aggregate, print.
 *
 *   json [--builtin COUNT | --text JSON] [--compact] [QUERY [FOLD]]
 *
 * The input is stdin, the text after --text, or a generated list of COUNT orders. A query is a
 * chain of `.name`, `[index]` and `[*]` (every element or member); "." is the whole value. The
 * selected values are printed, one after the other, or folded into one number: count, sum, min, max
 * or avg. A path that a value does not have selects nothing.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_tree.h"

#define PROGRAM "json"

struct options {
    const char *text;
    const char *builtin_count;
    const char *query;
    const char *fold;
    int indent;
};

/* A query's values so far: printed as they come, or counted and summed up. */
struct selection {
    const struct options *options;
    struct buffer *out;
    size_t count;
    size_t numbers;
    double sum, min, max;
};

/* ---- queries ---- */

static void take(struct selection *selection, const struct json *value)
{
    selection->count++;
    if (value->kind == JSON_NUMBER) {
        double number = value->number;
        int is_first = selection->numbers == 0;
        selection->numbers++;
        selection->sum += number;
        selection->min = is_first || number < selection->min ? number : selection->min;
        selection->max = is_first || number > selection->max ? number : selection->max;
    }
    if (selection->options->fold == NULL) {
        json_print(value, selection->options->indent, selection->out);
        buffer_append_text(selection->out, "\n");
    }
}

static void select_from(struct selection *selection, const struct json *value, const char *query);

static void select_member(struct selection *selection, const struct json *value,
                          const char *query)
{
    size_t len = strcspn(query, ".[");
    const struct json *member = json_member(value, query, len);
    if (member != NULL) {
        select_from(selection, member, query + len);
    }
}

/* After the opening bracket: `*]` or `index]`. */
static void select_element(struct selection *selection, const struct json *value,
                           const char *query)
{
    const struct json *child = value->first;
    char *end;
    unsigned long index;
    if (strncmp(query, "*]", 2) == 0) {
        for (; child != NULL; child = child->next) {
            select_from(selection, child, query + 2);
        }
        return;
    }
    index = strtoul(query, &end, 10);
    if (end == query || *end != ']' || !isdigit((unsigned char)*query)) {
        fail(PROGRAM, "a query needs [INDEX] or [*]");
    }
    if (value->kind == JSON_ARRAY) {
        while (child != NULL && index > 0) {
            child = child->next;
            index--;
        }
        if (child != NULL) {
            select_from(selection, child, end + 1);
        }
    }
}

static void select_from(struct selection *selection, const struct json *value, const char *query)
{
    if (*query == '\0') {
        take(selection, value);
    } else if (*query == '[') {
        select_element(selection, value, query + 1);
    } else if (*query == '.') {
        select_member(selection, value, query + 1);
    } else {
        fail(PROGRAM, "a query is made of .NAME, [INDEX] and [*]");
    }
}

static void print_fold(const struct selection *selection)
{
    const char *fold = selection->options->fold;
    double result;
    if (strcmp(fold, "count") == 0) {
        result = (double)selection->count;
    } else if (strcmp(fold, "sum") == 0) {
        result = selection->sum;
    } else if (selection->numbers == 0) {
        fail(PROGRAM, "there is no number to fold");
    } else if (strcmp(fold, "min") == 0) {
        result = selection->min;
    } else if (strcmp(fold, "max") == 0) {
        result = selection->max;
    } else if (strcmp(fold, "avg") == 0) {
        result = selection->sum / (double)selection->numbers;
    } else {
        fail(PROGRAM, "a fold is count, sum, min, max or avg");
    }
    json_print_number(result, selection->out);
    buffer_append_text(selection->out, "\n");
}

/* ---- input ---- */

static void append_order(struct buffer *text, unsigned long id, uint32_t *random)
{
    static const char *const customers[] = {"Ada", "Bj\\u00f6rn", "Chen \\\"C\\\" Li", "Dara"};
    static const char *const parts[] = {"bolt", "gear", "lamp", "rope", "tile"};
    char line[160];
    uint32_t lines = 1 + next_random(random) % 4;
    uint32_t customer = next_random(random) >> 9 & 3;
    uint32_t paid = next_random(random) & 512;
    snprintf(line, sizeof line, "%s{\"id\": %lu, \"customer\": \"%s\", \"paid\": %s, \"lines\": [",
             id == 0 ? "" : ",\n ", id, customers[customer], paid != 0 ? "true" : "false");
    buffer_append_text(text, line);
    for (uint32_t i = 0; i < lines; i++) {
        uint32_t cents = 50 + next_random(random) % 20000;
        uint32_t part = next_random(random) % 5;
        uint32_t count = 1 + next_random(random) % 9;
        snprintf(line, sizeof line, "%s{\"part\": \"%s\", \"count\": %u, \"price\": %u.%02u}",
                 i == 0 ? "" : ", ", parts[part], (unsigned)count, (unsigned)(cents / 100),
                 (unsigned)(cents % 100));
        buffer_append_text(text, line);
    }
    buffer_append_text(text, id % 5 == 0 ? "], \"note\": null}" : "]}");
}

static struct buffer builtin_orders(unsigned long count)
{
    struct buffer text = {0};
    uint32_t random = 19930430;
    buffer_append_text(&text, "{\"orders\": [\n ");
    for (unsigned long id = 0; id < count && id < 100000; id++) {
        append_order(&text, id, &random);
    }
    buffer_append_text(&text, "\n]}\n");
    return text;
}

static struct buffer read_input(const struct options *options)
{
    struct buffer input = {0};
    if (options->text != NULL) {
        buffer_append_text(&input, options->text);
    } else if (options->builtin_count != NULL) {
        input = builtin_orders(strtoul(options->builtin_count, NULL, 10));
    } else {
        input = read_stdin();
    }
    return input;
}

/* ---- the program ---- */

static struct options parse_options(int argc, char **argv)
{
    struct options options = {0};
    options.indent = 2;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--compact") == 0) {
            options.indent = 0;
        } else if (strcmp(argv[i], "--text") == 0 && i + 1 < argc) {
            options.text = argv[++i];
        } else if (strcmp(argv[i], "--builtin") == 0 && i + 1 < argc) {
            options.builtin_count = argv[++i];
        } else if (options.query == NULL && (argv[i][0] == '.' || argv[i][0] == '[')) {
            options.query = argv[i];
        } else if (options.query != NULL && options.fold == NULL) {
            options.fold = argv[i];
        } else {
            fail(PROGRAM, "usage: json [--builtin COUNT | --text JSON] [--compact] [QUERY [FOLD]]");
        }
    }
    if (options.query == NULL || strcmp(options.query, ".") == 0) {
        options.query = "";
    }
    return options;
}

static struct json *parse_or_fail(const struct buffer *input)
{
    struct json_error error = {0};
    struct json *root = json_parse(input->bytes, input->len, &error);
    if (root == NULL) {
        char message[128];
        snprintf(message, sizeof message, "line %zu, column %zu: %s", error.line, error.column,
                 error.message);
        fail(PROGRAM, message);
    }
    return root;
}

int main(int argc, char **argv)
{
    struct options options = parse_options(argc, argv);
    struct buffer input = read_input(&options);
    struct json *root = parse_or_fail(&input);
    struct buffer out = {0};
    struct selection selection = {0};
    selection.options = &options;
    selection.out = &out;
    select_from(&selection, root, options.query);
    if (options.fold != NULL) {
        print_fold(&selection);
    }
    if (out.len > 0) {
        fwrite(out.bytes, 1, out.len, stdout);
    }
    report_result(PROGRAM, input.len, out.len, checksum_of(out.bytes, out.len));
    return 0;
}
