/* The tokens of a script: what script_parse.c reads. */
#ifndef SCRIPT_LEX_H
#define SCRIPT_LEX_H

#include "script.h"

enum token_kind { TOKEN_END, TOKEN_NUMBER, TOKEN_TEXT, TOKEN_NAME, TOKEN_SIGN };

struct token {
    enum token_kind kind;
    int line;
    struct text text;
};

/* Where reading has got to. */
struct lexer {
    const char *at;
    const char *end;
    int line;
};

/* The next token. Its text points into the script, except that of TOKEN_TEXT, whose escapes are
 * replaced. */
struct token lexer_next(struct lexer *lexer);

int text_is(struct text text, const char *word);
int same_text(struct text a, struct text b);

#endif
