/*
 * See script.h: walks the tree. A script runs once and ends, so texts and lists are never freed;
 * the limit on linear memory is what stops one that produces too many.
 */
#include "script.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nested expressions and calls; each level takes a few frames of the guest's stack. */
#define DEPTH_MAX 400
#define PRINT_DEPTH_MAX 8

enum value_kind { VALUE_NIL, VALUE_NUMBER, VALUE_TEXT, VALUE_LIST };

struct value {
    enum value_kind kind;
    union {
        int64_t number;
        struct text text;
        struct list *list;
    } of;
};

struct list {
    struct value *elements;
    size_t len;
    size_t capacity;
};

/* How a statement ended. */
enum outcome { OUTCOME_NEXT, OUTCOME_BREAK, OUTCOME_RETURN };

struct frame {
    struct value locals[LOCALS_MAX];
    struct value result;
};

struct machine {
    const struct function **functions;
    struct value *globals;
    struct buffer *out;
    int depth;
};

static struct value eval(struct machine *machine, struct frame *frame, const struct node *node);
static enum outcome exec(struct machine *machine, struct frame *frame, const struct node *node);

/* ---- values ---- */

static struct value nil(void)
{
    struct value value = {VALUE_NIL, {0}};
    return value;
}

static struct value number(int64_t of)
{
    struct value value = {VALUE_NUMBER, {0}};
    value.of.number = of;
    return value;
}

static struct value text_value(const void *bytes, size_t len)
{
    struct value value = {VALUE_TEXT, {0}};
    value.of.text.bytes = len > 0 ? bytes : "";
    value.of.text.len = len;
    return value;
}

static int is_true(struct value value)
{
    return value.kind == VALUE_NUMBER ? value.of.number != 0 : value.kind != VALUE_NIL;
}

static int equal(struct value a, struct value b)
{
    if (a.kind != b.kind) {
        return 0;
    }
    switch (a.kind) {
        case VALUE_NUMBER:
            return a.of.number == b.of.number;
        case VALUE_TEXT:
            return a.of.text.len == b.of.text.len
                   && (a.of.text.len == 0
                       || memcmp(a.of.text.bytes, b.of.text.bytes, a.of.text.len) == 0);
        case VALUE_LIST:
            return a.of.list == b.of.list;
        default:
            return 1;
    }
}

static void print_value(struct value value, int depth, struct buffer *out)
{
    char digits[32];
    switch (value.kind) {
        case VALUE_NIL:
            buffer_append_text(out, "nil");
            return;
        case VALUE_NUMBER:
            snprintf(digits, sizeof digits, "%" PRId64, value.of.number);
            buffer_append_text(out, digits);
            return;
        case VALUE_TEXT:
            buffer_append(out, value.of.text.bytes, value.of.text.len);
            return;
        case VALUE_LIST:
            break;
    }
    if (depth == PRINT_DEPTH_MAX) {
        /* Also what ends the printing of a list that contains itself. */
        buffer_append_text(out, "[...]");
        return;
    }
    buffer_append_text(out, "[");
    for (size_t i = 0; i < value.of.list->len; i++) {
        buffer_append_text(out, i == 0 ? "" : ", ");
        print_value(value.of.list->elements[i], depth + 1, out);
    }
    buffer_append_text(out, "]");
}

static void list_push(struct list *list, struct value value)
{
    if (list->len == list->capacity) {
        size_t capacity = list->capacity > 0 ? list->capacity * 2 : 4;
        struct value *elements = allocate(capacity * sizeof *elements);
        if (list->len > 0) {
            memcpy(elements, list->elements, list->len * sizeof *elements);
        }
        list->elements = elements;
        list->capacity = capacity;
    }
    list->elements[list->len++] = value;
}

/* ---- expressions ---- */

static struct list *expect_list(const struct node *node, struct value value)
{
    if (value.kind != VALUE_LIST) {
        script_fail(node->line, "this needs a list");
    }
    return value.of.list;
}

static struct value *element_at(const struct node *node, struct list *list, struct value index)
{
    if (index.kind != VALUE_NUMBER || index.of.number < 0
        || (uint64_t)index.of.number >= list->len) {
        script_fail(node->line, "the index is outside the list");
    }
    return &list->elements[index.of.number];
}

static struct value eval_index(const struct node *node, struct value base, struct value index)
{
    if (base.kind == VALUE_TEXT) {
        if (index.kind != VALUE_NUMBER || index.of.number < 0
            || (uint64_t)index.of.number >= base.of.text.len) {
            script_fail(node->line, "the index is outside the text");
        }
        return text_value(base.of.text.bytes + index.of.number, 1);
    }
    return *element_at(node, expect_list(node, base), index);
}

static struct value concatenate(struct value a, struct value b)
{
    size_t len = a.of.text.len + b.of.text.len;
    char *bytes = allocate(len);
    memcpy(bytes, a.of.text.bytes, a.of.text.len);
    memcpy(bytes + a.of.text.len, b.of.text.bytes, b.of.text.len);
    return text_value(bytes, len);
}

/* The one quotient that would overflow wraps around, as all arithmetic of the language does. */
static int64_t divide(const struct node *node, int64_t a, int64_t b)
{
    if (b == 0) {
        script_fail(node->line, "division by zero");
    }
    if (b == -1) {
        return node->op == OP_DIV ? (int64_t)(0 - (uint64_t)a) : 0;
    }
    return node->op == OP_DIV ? a / b : a % b;
}

static int compare_texts(struct text a, struct text b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.bytes, b.bytes, len) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static struct value compare(const struct node *node, struct value a, struct value b)
{
    int order;
    if (a.kind == VALUE_NUMBER && b.kind == VALUE_NUMBER) {
        order = (a.of.number > b.of.number) - (a.of.number < b.of.number);
    } else if (a.kind == VALUE_TEXT && b.kind == VALUE_TEXT) {
        order = compare_texts(a.of.text, b.of.text);
    } else {
        script_fail(node->line, "these cannot be compared");
    }
    switch (node->op) {
        case OP_LT:
            return number(order < 0);
        case OP_LE:
            return number(order <= 0);
        case OP_GT:
            return number(order > 0);
        default:
            return number(order >= 0);
    }
}

static struct value eval_binary(const struct node *node, struct value a, struct value b)
{
    uint64_t x, y;
    if (node->op == OP_EQ || node->op == OP_NE) {
        return number(equal(a, b) == (node->op == OP_EQ));
    }
    if (node->op >= OP_LT && node->op <= OP_GE) {
        return compare(node, a, b);
    }
    if (node->op == OP_ADD && a.kind == VALUE_TEXT && b.kind == VALUE_TEXT) {
        return concatenate(a, b);
    }
    if (a.kind != VALUE_NUMBER || b.kind != VALUE_NUMBER) {
        script_fail(node->line, "this needs two numbers");
    }
    x = (uint64_t)a.of.number;
    y = (uint64_t)b.of.number;
    switch (node->op) {
        case OP_ADD:
            return number((int64_t)(x + y));
        case OP_SUB:
            return number((int64_t)(x - y));
        case OP_MUL:
            return number((int64_t)(x * y));
        default:
            return number(divide(node, a.of.number, b.of.number));
    }
}

static struct value eval_unary(const struct node *node, struct value a)
{
    if (node->op == OP_NOT) {
        return number(!is_true(a));
    }
    if (a.kind != VALUE_NUMBER) {
        script_fail(node->line, "this needs a number");
    }
    return number((int64_t)(0 - (uint64_t)a.of.number));
}

static struct value eval_list(struct machine *machine, struct frame *frame,
                              const struct node *node)
{
    struct value value = {VALUE_LIST, {0}};
    value.of.list = allocate(sizeof *value.of.list);
    memset(value.of.list, 0, sizeof *value.of.list);
    for (const struct node *it = node->list; it != NULL; it = it->next) {
        list_push(value.of.list, eval(machine, frame, it));
    }
    return value;
}

static struct value eval_call(struct machine *machine, struct frame *frame,
                              const struct node *node)
{
    const struct function *function = machine->functions[node->slot];
    /* Frames live on the heap, which leaves the guest's stack to the recursion itself. */
    struct frame *callee;
    struct value result;
    int i = 0;
    if (function->body == NULL) {
        script_fail(node->line, "an unknown function");
    }
    if (function->parameters != node->number) {
        script_fail(node->line, "the wrong number of arguments");
    }
    callee = allocate(sizeof *callee);
    callee->result = nil();
    for (const struct node *it = node->list; it != NULL; it = it->next) {
        callee->locals[i++] = eval(machine, frame, it);
    }
    for (; i < function->locals; i++) {
        callee->locals[i] = nil();
    }
    if (exec(machine, callee, function->body) == OUTCOME_BREAK) {
        script_fail(node->line, "break outside a loop");
    }
    result = callee->result;
    free(callee);
    return result;
}

static struct value to_text(struct value value)
{
    struct buffer out = {0};
    print_value(value, 0, &out);
    return text_value(out.bytes, out.len);
}

static struct value eval_builtin(struct machine *machine, struct frame *frame,
                                 const struct node *node)
{
    struct value a = node->number > 0 ? eval(machine, frame, node->list) : nil();
    struct value b = node->number > 1 ? eval(machine, frame, node->list->next) : nil();
    switch ((enum builtin)node->slot) {
        case BUILTIN_LEN:
            return number((int64_t)(a.kind == VALUE_TEXT ? a.of.text.len
                                                         : expect_list(node, a)->len));
        case BUILTIN_PUSH:
            list_push(expect_list(node, a), b);
            return a;
        case BUILTIN_TEXT:
            return to_text(a);
        case BUILTIN_TAG:
            return text_value(guest_tag(), strlen(guest_tag()));
        case BUILTIN_REPORT:
            if (a.kind != VALUE_NUMBER || b.kind != VALUE_NUMBER) {
                script_fail(node->line, "this needs two numbers");
            }
            host_report((int32_t)a.of.number, b.of.number);
            return nil();
    }
    return nil();
}

static struct value eval_node(struct machine *machine, struct frame *frame,
                              const struct node *node)
{
    struct value a;
    switch (node->kind) {
        case NODE_NUMBER:
            return number(node->number);
        case NODE_TEXT:
            return text_value(node->text.bytes, node->text.len);
        case NODE_GLOBAL:
            return machine->globals[node->slot];
        case NODE_LOCAL:
            return frame->locals[node->slot];
        case NODE_LIST:
            return eval_list(machine, frame, node);
        case NODE_UNARY:
            return eval_unary(node, eval(machine, frame, node->a));
        case NODE_BINARY:
            a = eval(machine, frame, node->a);
            return eval_binary(node, a, eval(machine, frame, node->b));
        case NODE_AND:
            a = eval(machine, frame, node->a);
            return is_true(a) ? eval(machine, frame, node->b) : a;
        case NODE_OR:
            a = eval(machine, frame, node->a);
            return is_true(a) ? a : eval(machine, frame, node->b);
        case NODE_INDEX:
            a = eval(machine, frame, node->a);
            return eval_index(node, a, eval(machine, frame, node->b));
        case NODE_CALL:
            return eval_call(machine, frame, node);
        case NODE_BUILTIN:
            return eval_builtin(machine, frame, node);
        default:
            return nil();
    }
}

static struct value eval(struct machine *machine, struct frame *frame, const struct node *node)
{
    struct value value;
    if (++machine->depth > DEPTH_MAX) {
        script_fail(node->line, "nested too deeply");
    }
    value = eval_node(machine, frame, node);
    machine->depth--;
    return value;
}

/* ---- statements ---- */

static void assign(struct machine *machine, struct frame *frame, const struct node *place,
                   struct value value)
{
    if (place->kind == NODE_GLOBAL) {
        machine->globals[place->slot] = value;
    } else if (place->kind == NODE_LOCAL) {
        frame->locals[place->slot] = value;
    } else {
        struct list *list = expect_list(place, eval(machine, frame, place->a));
        *element_at(place, list, eval(machine, frame, place->b)) = value;
    }
}

static enum outcome exec_while(struct machine *machine, struct frame *frame,
                               const struct node *node)
{
    while (is_true(eval(machine, frame, node->a))) {
        enum outcome outcome = exec(machine, frame, node->b);
        if (outcome != OUTCOME_NEXT) {
            return outcome == OUTCOME_BREAK ? OUTCOME_NEXT : outcome;
        }
    }
    return OUTCOME_NEXT;
}

static enum outcome exec_for(struct machine *machine, struct frame *frame,
                             const struct node *node)
{
    struct list *list = expect_list(node, eval(machine, frame, node->b));
    for (size_t i = 0; i < list->len; i++) {
        enum outcome outcome;
        assign(machine, frame, node->a, list->elements[i]);
        outcome = exec(machine, frame, node->c);
        if (outcome != OUTCOME_NEXT) {
            return outcome == OUTCOME_BREAK ? OUTCOME_NEXT : outcome;
        }
    }
    return OUTCOME_NEXT;
}

static void exec_print(struct machine *machine, struct frame *frame, const struct node *node)
{
    for (const struct node *it = node->list; it != NULL; it = it->next) {
        buffer_append_text(machine->out, it == node->list ? "" : " ");
        print_value(eval(machine, frame, it), 0, machine->out);
    }
    buffer_append_text(machine->out, "\n");
}

static enum outcome exec_block(struct machine *machine, struct frame *frame,
                               const struct node *node)
{
    enum outcome outcome = OUTCOME_NEXT;
    for (const struct node *it = node->list; it != NULL && outcome == OUTCOME_NEXT;
         it = it->next) {
        outcome = exec(machine, frame, it);
    }
    return outcome;
}

static enum outcome exec(struct machine *machine, struct frame *frame, const struct node *node)
{
    switch (node->kind) {
        case NODE_ASSIGN:
            assign(machine, frame, node->a, eval(machine, frame, node->b));
            return OUTCOME_NEXT;
        case NODE_IF:
            if (is_true(eval(machine, frame, node->a))) {
                return exec(machine, frame, node->b);
            }
            return node->c != NULL ? exec(machine, frame, node->c) : OUTCOME_NEXT;
        case NODE_WHILE:
            return exec_while(machine, frame, node);
        case NODE_FOR:
            return exec_for(machine, frame, node);
        case NODE_PRINT:
            exec_print(machine, frame, node);
            return OUTCOME_NEXT;
        case NODE_RETURN:
            frame->result = node->a != NULL ? eval(machine, frame, node->a) : nil();
            return OUTCOME_RETURN;
        case NODE_BREAK:
            return OUTCOME_BREAK;
        case NODE_BLOCK:
            return exec_block(machine, frame, node);
        default:
            eval(machine, frame, node);
            return OUTCOME_NEXT;
    }
}

void script_run(const struct program *program, struct buffer *out)
{
    struct machine machine = {0};
    struct frame *frame = allocate(sizeof *frame);
    machine.out = out;
    machine.functions = allocate((size_t)program->function_count * sizeof *machine.functions);
    machine.globals = allocate((size_t)program->globals * sizeof *machine.globals);
    for (int i = 0; i < program->globals; i++) {
        machine.globals[i] = nil();
    }
    for (const struct function *it = program->functions; it != NULL; it = it->next) {
        machine.functions[it->slot] = it;
    }
    exec(&machine, frame, program->body);
}
