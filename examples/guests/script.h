/*
 * A small language, as script.c runs it. The parser (script_parse.c) turns a text into a tree in
 * which every name is already a place; the evaluator (script_eval.c) walks that tree.
 *
 *   program    = { "fn" NAME "(" [NAME {"," NAME}] ")" block | statement }
 *   block      = "{" { statement } "}"
 *   statement  = "let" NAME "=" expr ";" | place "=" expr ";" | expr ";"
 *              | "if" expr block [ "else" ( block | if ) ] | "while" expr block
 *              | "for" NAME "in" expr block | "print" [ expr {"," expr} ] ";"
 *              | "return" [ expr ] ";" | "break" ";"
 *   place      = NAME | expr "[" expr "]"
 *   expr       = the usual operators: or, and, == != < <= > >=, + -, * / %, unary - and not,
 *                call f(x), index x[i], numbers, "texts", [lists], nil, true, false, (expr)
 *
 * Values are nil, 64-bit integers that wrap around, texts and lists. false, nil and 0 are false.
 * Lists are shared by reference. "#" starts a comment.
 */
#ifndef SCRIPT_H
#define SCRIPT_H

#include <stddef.h>
#include <stdint.h>

#include "guest.h"

#define LOCALS_MAX 64
#define PARAMETERS_MAX 8

enum node_kind {
    NODE_NIL,
    NODE_NUMBER,     /* number */
    NODE_TEXT,       /* text */
    NODE_LIST,       /* list of elements */
    NODE_GLOBAL,     /* slot */
    NODE_LOCAL,      /* slot */
    NODE_UNARY,      /* operator, a */
    NODE_BINARY,     /* operator, a, b */
    NODE_AND,        /* a, b */
    NODE_OR,         /* a, b */
    NODE_INDEX,      /* a[b] */
    NODE_CALL,       /* function slot, list of arguments */
    NODE_BUILTIN,    /* slot = enum builtin, list of arguments */
    NODE_ASSIGN,     /* place a, value b */
    NODE_IF,         /* condition a, block b, else c */
    NODE_WHILE,      /* condition a, block b */
    NODE_FOR,        /* place a, list expression b, block c */
    NODE_PRINT,      /* list of values */
    NODE_RETURN,     /* a, may be absent */
    NODE_BREAK,
    NODE_BLOCK       /* list of statements */
};

enum builtin { BUILTIN_LEN, BUILTIN_PUSH, BUILTIN_TEXT, BUILTIN_TAG, BUILTIN_REPORT };

enum operation {
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_DIV,
    OP_MOD,
    OP_EQ,
    OP_NE,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    OP_NEG,
    OP_NOT
};

/* Immutable bytes. */
struct text {
    size_t len;
    const char *bytes;
};

struct node {
    enum node_kind kind;
    int line;
    int slot;
    enum operation op;
    int64_t number;
    struct text text;
    struct node *a, *b, *c;
    struct node *list, *next;
};

/* `body` stays NULL for a function that is called but not defined so far. */
struct function {
    struct text name;
    int slot;
    int parameters;
    int locals;
    struct node *body;
    struct function *next;
};

struct program {
    struct function *functions;
    struct node *body;
    int function_count;
    int globals;
};

/* Both end the program with "line N: MESSAGE" when something is wrong. */
struct program *script_parse(const char *text, size_t len);
void script_run(const struct program *program, struct buffer *out);

_Noreturn void script_fail(int line, const char *message);

#endif
