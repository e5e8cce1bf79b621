/* See script_lex.h. */
#include "script_lex.h"

#include <string.h>

static int is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static int look(const struct lexer *lexer)
{
    return lexer->at < lexer->end ? (unsigned char)*lexer->at : -1;
}

static void skip_space(struct lexer *lexer)
{
    int c;
    while ((c = look(lexer)) == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '#') {
        if (c == '#') {
            while (look(lexer) != '\n' && look(lexer) != -1) {
                lexer->at++;
            }
        } else {
            lexer->line += c == '\n';
            lexer->at++;
        }
    }
}

/* The bytes between the quotes, with \n, \t, \" and \\ replaced. */
static struct text read_text(struct lexer *lexer)
{
    struct buffer out = {0};
    struct text text;
    lexer->at++;
    while (look(lexer) != '"') {
        int c = look(lexer);
        char byte;
        if (c == -1 || c == '\n') {
            script_fail(lexer->line, "the text does not end on this line");
        }
        lexer->at++;
        if (c == '\\') {
            c = look(lexer);
            lexer->at++;
            c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
        }
        byte = (char)c;
        buffer_append(&out, &byte, 1);
    }
    lexer->at++;
    text.bytes = out.bytes;
    text.len = out.len;
    return text;
}

struct token lexer_next(struct lexer *lexer)
{
    struct token token;
    int c;
    skip_space(lexer);
    token.line = lexer->line;
    token.text.bytes = lexer->at;
    c = look(lexer);
    if (c == -1) {
        token.kind = TOKEN_END;
    } else if (c == '"') {
        token.kind = TOKEN_TEXT;
        token.text = read_text(lexer);
        return token;
    } else if (is_digit(c)) {
        token.kind = TOKEN_NUMBER;
        while (is_digit(look(lexer))) {
            lexer->at++;
        }
    } else if (is_letter(c)) {
        token.kind = TOKEN_NAME;
        while (is_letter(look(lexer)) || is_digit(look(lexer))) {
            lexer->at++;
        }
    } else {
        token.kind = TOKEN_SIGN;
        lexer->at++;
        if (strchr("=!<>", c) != NULL && look(lexer) == '=') {
            lexer->at++;
        }
    }
    token.text.len = (size_t)(lexer->at - token.text.bytes);
    return token;
}

int text_is(struct text text, const char *word)
{
    return text.len == strlen(word) && memcmp(text.bytes, word, text.len) == 0;
}

int same_text(struct text a, struct text b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.bytes, b.bytes, a.len) == 0);
}
