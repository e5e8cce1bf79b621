/* See script.h: a recursive-descent parser that resolves names to places as it goes. */
#include "script_lex.h"

#include <string.h>

#define NAMES_MAX 256
#define DEPTH_MAX 150

struct name {
    struct text text;
    int slot;
    int is_global;
};

struct parser {
    struct lexer lexer;
    struct token token;
    int depth;
    struct program *program;
    /* The names in sight, innermost last. In a function, locals follow the globals. */
    struct name names[NAMES_MAX];
    int names_len;
    struct function *function;
    int locals;
};

static struct node *parse_expression(struct parser *parser);
static struct node *parse_block(struct parser *parser);

/* ---- tokens ---- */

static void advance(struct parser *parser)
{
    parser->token = lexer_next(&parser->lexer);
}

static int at_word(const struct parser *parser, const char *word)
{
    return (parser->token.kind == TOKEN_SIGN || parser->token.kind == TOKEN_NAME)
           && text_is(parser->token.text, word);
}

static int accept(struct parser *parser, const char *word)
{
    if (!at_word(parser, word)) {
        return 0;
    }
    advance(parser);
    return 1;
}

static void expect(struct parser *parser, const char *word)
{
    if (!accept(parser, word)) {
        char message[64] = "expected ";
        strncat(message, word, sizeof message - strlen(message) - 1);
        script_fail(parser->token.line, message);
    }
}

static struct text expect_name(struct parser *parser)
{
    struct text name = parser->token.text;
    if (parser->token.kind != TOKEN_NAME) {
        script_fail(parser->token.line, "expected a name");
    }
    advance(parser);
    return name;
}

/* ---- nodes and names ---- */

static struct node *new_node(const struct parser *parser, enum node_kind kind)
{
    struct node *node = allocate(sizeof *node);
    memset(node, 0, sizeof *node);
    node->kind = kind;
    node->line = parser->token.line;
    return node;
}

/* A new name in the current scope, as the place it stands for. */
static struct node *declare(struct parser *parser, struct text text)
{
    struct node *place;
    struct name *name;
    if (parser->names_len == NAMES_MAX) {
        script_fail(parser->token.line, "too many names");
    }
    name = &parser->names[parser->names_len++];
    name->text = text;
    name->is_global = parser->function == NULL;
    name->slot = name->is_global ? parser->program->globals++ : parser->locals++;
    if (!name->is_global && parser->locals > LOCALS_MAX) {
        script_fail(parser->token.line, "too many variables in a function");
    }
    if (!name->is_global && parser->locals > parser->function->locals) {
        parser->function->locals = parser->locals;
    }
    place = new_node(parser, name->is_global ? NODE_GLOBAL : NODE_LOCAL);
    place->slot = name->slot;
    return place;
}

static struct node *resolve(struct parser *parser, struct text text)
{
    for (int i = parser->names_len - 1; i >= 0; i--) {
        const struct name *name = &parser->names[i];
        if (same_text(name->text, text)) {
            struct node *place = new_node(parser, name->is_global ? NODE_GLOBAL : NODE_LOCAL);
            place->slot = name->slot;
            return place;
        }
    }
    script_fail(parser->token.line, "an unknown name");
}

static struct function *find_function(struct parser *parser, struct text name)
{
    struct function **link = &parser->program->functions;
    struct function *function;
    for (; *link != NULL; link = &(*link)->next) {
        if (same_text((*link)->name, name)) {
            return *link;
        }
    }
    function = allocate(sizeof *function);
    memset(function, 0, sizeof *function);
    function->name = name;
    function->slot = parser->program->function_count++;
    *link = function;
    return function;
}

/* ---- expressions ---- */

/* Elements up to and including the closing bracket. */
static void parse_list(struct parser *parser, struct node *node, const char *close)
{
    struct node **link = &node->list;
    if (accept(parser, close)) {
        return;
    }
    do {
        *link = parse_expression(parser);
        link = &(*link)->next;
    } while (accept(parser, ","));
    expect(parser, close);
}

static int count_list(const struct node *node)
{
    int count = 0;
    for (const struct node *element = node->list; element != NULL; element = element->next) {
        count++;
    }
    return count;
}

static struct node *parse_call(struct parser *parser, struct text name)
{
    static const char *const builtins[] = {"len", "push", "text", "tag", "report"};
    static const int arguments[] = {1, 2, 1, 0, 2};
    struct node *node = new_node(parser, NODE_CALL);
    for (int i = 0; i < 5; i++) {
        if (text_is(name, builtins[i])) {
            node->kind = NODE_BUILTIN;
            node->slot = i;
        }
    }
    if (node->kind == NODE_CALL) {
        node->slot = find_function(parser, name)->slot;
    }
    parse_list(parser, node, ")");
    node->number = count_list(node);
    if (node->kind == NODE_BUILTIN && node->number != arguments[node->slot]) {
        script_fail(node->line, "the wrong number of arguments");
    }
    return node;
}

static struct node *parse_name(struct parser *parser)
{
    struct text name = expect_name(parser);
    struct node *node;
    if (accept(parser, "(")) {
        return parse_call(parser, name);
    }
    if (text_is(name, "nil")) {
        return new_node(parser, NODE_NIL);
    }
    if (text_is(name, "true") || text_is(name, "false")) {
        node = new_node(parser, NODE_NUMBER);
        node->number = text_is(name, "true");
        return node;
    }
    return resolve(parser, name);
}

static struct node *parse_primary(struct parser *parser)
{
    struct token token = parser->token;
    struct node *node;
    if (token.kind == TOKEN_NUMBER) {
        node = new_node(parser, NODE_NUMBER);
        for (size_t i = 0; i < token.text.len; i++) {
            node->number = (int64_t)((uint64_t)node->number * 10
                                     + (uint64_t)(token.text.bytes[i] - '0'));
        }
        advance(parser);
        return node;
    }
    if (token.kind == TOKEN_TEXT) {
        node = new_node(parser, NODE_TEXT);
        node->text = token.text;
        advance(parser);
        return node;
    }
    if (token.kind == TOKEN_NAME) {
        return parse_name(parser);
    }
    if (accept(parser, "[")) {
        node = new_node(parser, NODE_LIST);
        parse_list(parser, node, "]");
        return node;
    }
    if (!accept(parser, "(")) {
        script_fail(token.line, "expected an expression");
    }
    node = parse_expression(parser);
    expect(parser, ")");
    return node;
}

static struct node *parse_postfix(struct parser *parser)
{
    struct node *node = parse_primary(parser);
    while (accept(parser, "[")) {
        struct node *index = new_node(parser, NODE_INDEX);
        index->a = node;
        index->b = parse_expression(parser);
        expect(parser, "]");
        node = index;
    }
    return node;
}

static struct node *parse_unary(struct parser *parser)
{
    struct node *node;
    int is_not = at_word(parser, "not");
    if (!is_not && !at_word(parser, "-")) {
        return parse_postfix(parser);
    }
    if (++parser->depth > DEPTH_MAX) {
        script_fail(parser->token.line, "nested too deeply");
    }
    node = new_node(parser, NODE_UNARY);
    node->op = is_not ? OP_NOT : OP_NEG;
    advance(parser);
    node->a = parse_unary(parser);
    parser->depth--;
    return node;
}

/* Binary operators by level, loosest first; each level is left-associative. */
struct infix {
    const char *sign;
    int level;
    enum node_kind kind;
    enum operation op;
};

static const struct infix infixes[] = {
    {"or", 0, NODE_OR, OP_EQ},      {"and", 1, NODE_AND, OP_EQ},
    {"==", 2, NODE_BINARY, OP_EQ},  {"!=", 2, NODE_BINARY, OP_NE},
    {"<", 3, NODE_BINARY, OP_LT},   {"<=", 3, NODE_BINARY, OP_LE},
    {">", 3, NODE_BINARY, OP_GT},   {">=", 3, NODE_BINARY, OP_GE},
    {"+", 4, NODE_BINARY, OP_ADD},  {"-", 4, NODE_BINARY, OP_SUB},
    {"*", 5, NODE_BINARY, OP_MUL},  {"/", 5, NODE_BINARY, OP_DIV},
    {"%", 5, NODE_BINARY, OP_MOD},
};

static const struct infix *infix_at(const struct parser *parser, int level_min)
{
    for (size_t i = 0; i < sizeof infixes / sizeof infixes[0]; i++) {
        if (infixes[i].level >= level_min && at_word(parser, infixes[i].sign)) {
            return &infixes[i];
        }
    }
    return NULL;
}

static struct node *parse_infix(struct parser *parser, int level_min)
{
    struct node *left = parse_unary(parser);
    const struct infix *infix;
    while ((infix = infix_at(parser, level_min)) != NULL) {
        struct node *node = new_node(parser, infix->kind);
        advance(parser);
        node->op = infix->op;
        node->a = left;
        node->b = parse_infix(parser, infix->level + 1);
        left = node;
    }
    return left;
}

static struct node *parse_expression(struct parser *parser)
{
    struct node *node;
    if (++parser->depth > DEPTH_MAX) {
        script_fail(parser->token.line, "nested too deeply");
    }
    node = parse_infix(parser, 0);
    parser->depth--;
    return node;
}

/* ---- statements ---- */

static struct node *parse_let(struct parser *parser)
{
    struct node *node = new_node(parser, NODE_ASSIGN);
    struct text name = expect_name(parser);
    expect(parser, "=");
    node->b = parse_expression(parser);
    node->a = declare(parser, name);
    expect(parser, ";");
    return node;
}

static struct node *parse_if(struct parser *parser)
{
    struct node *node = new_node(parser, NODE_IF);
    node->a = parse_expression(parser);
    node->b = parse_block(parser);
    if (accept(parser, "else")) {
        if (++parser->depth > DEPTH_MAX) {
            script_fail(parser->token.line, "nested too deeply");
        }
        node->c = accept(parser, "if") ? parse_if(parser) : parse_block(parser);
        parser->depth--;
    }
    return node;
}

static struct node *parse_for(struct parser *parser)
{
    struct node *node = new_node(parser, NODE_FOR);
    struct text name = expect_name(parser);
    int names_len = parser->names_len;
    expect(parser, "in");
    node->b = parse_expression(parser);
    node->a = declare(parser, name);
    node->c = parse_block(parser);
    parser->names_len = names_len;
    return node;
}

static struct node *parse_print(struct parser *parser)
{
    struct node *node = new_node(parser, NODE_PRINT);
    parse_list(parser, node, ";");
    return node;
}

static struct node *parse_assignment(struct parser *parser)
{
    struct node *value = parse_expression(parser);
    if (at_word(parser, "=")) {
        struct node *node = new_node(parser, NODE_ASSIGN);
        if (value->kind != NODE_GLOBAL && value->kind != NODE_LOCAL && value->kind != NODE_INDEX) {
            script_fail(node->line, "cannot assign to this");
        }
        advance(parser);
        node->a = value;
        node->b = parse_expression(parser);
        value = node;
    }
    expect(parser, ";");
    return value;
}

static struct node *parse_statement(struct parser *parser)
{
    struct node *node;
    if (accept(parser, "let")) {
        return parse_let(parser);
    }
    if (accept(parser, "if")) {
        return parse_if(parser);
    }
    if (accept(parser, "while")) {
        node = new_node(parser, NODE_WHILE);
        node->a = parse_expression(parser);
        node->b = parse_block(parser);
        return node;
    }
    if (accept(parser, "for")) {
        return parse_for(parser);
    }
    if (accept(parser, "print")) {
        return parse_print(parser);
    }
    if (accept(parser, "return")) {
        node = new_node(parser, NODE_RETURN);
        node->a = at_word(parser, ";") ? NULL : parse_expression(parser);
        expect(parser, ";");
        return node;
    }
    if (accept(parser, "break")) {
        node = new_node(parser, NODE_BREAK);
        expect(parser, ";");
        return node;
    }
    return parse_assignment(parser);
}

/* What a block declares goes out of sight at its end; its slots are used again. */
static struct node *parse_block(struct parser *parser)
{
    struct node *block = new_node(parser, NODE_BLOCK);
    struct node **link = &block->list;
    int names_len = parser->names_len;
    int locals = parser->locals;
    if (++parser->depth > DEPTH_MAX) {
        script_fail(parser->token.line, "nested too deeply");
    }
    expect(parser, "{");
    while (!accept(parser, "}")) {
        *link = parse_statement(parser);
        link = &(*link)->next;
    }
    parser->depth--;
    parser->names_len = names_len;
    parser->locals = locals;
    return block;
}

static void parse_function(struct parser *parser)
{
    struct function *function = find_function(parser, expect_name(parser));
    int names_len = parser->names_len;
    if (function->body != NULL) {
        script_fail(parser->token.line, "the function is defined twice");
    }
    parser->function = function;
    parser->locals = 0;
    expect(parser, "(");
    while (!accept(parser, ")")) {
        declare(parser, expect_name(parser));
        if (++function->parameters > PARAMETERS_MAX) {
            script_fail(parser->token.line, "too many parameters");
        }
        if (!at_word(parser, ")")) {
            expect(parser, ",");
        }
    }
    function->body = parse_block(parser);
    parser->function = NULL;
    parser->names_len = names_len;
}

struct program *script_parse(const char *text, size_t len)
{
    struct parser *parser = allocate(sizeof *parser);
    struct node **link;
    memset(parser, 0, sizeof *parser);
    parser->lexer.at = text;
    parser->lexer.end = text + len;
    parser->lexer.line = 1;
    parser->program = allocate(sizeof *parser->program);
    memset(parser->program, 0, sizeof *parser->program);
    advance(parser);
    parser->program->body = new_node(parser, NODE_BLOCK);
    link = &parser->program->body->list;
    while (parser->token.kind != TOKEN_END) {
        if (accept(parser, "fn")) {
            parse_function(parser);
        } else {
            *link = parse_statement(parser);
            link = &(*link)->next;
        }
    }
    return parser->program;
}
