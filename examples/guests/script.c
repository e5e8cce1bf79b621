/*
 * Runs a script: of stdin, of the argument after -e, or the built-in one.
 *
 *   script [-e TEXT | --builtin]
 *
 * The language is described in script.h. What the script prints appears once it has ended, or up
 * to the point where it failed; `tag()` and `report(key, number)` reach the host's natives.
 */
#include <stdio.h>
#include <string.h>

#include "script.h"

#define PROGRAM "script"

/* Primes by trial division, a recursive function, a sort, and text building. */
static const char builtin_script[] =
    "fn fib(n) { if n < 2 { return n; } return fib(n - 1) + fib(n - 2); }\n"
    "fn is_prime(n) {\n"
    "  let d = 2;\n"
    "  while d * d <= n { if n % d == 0 { return false; } d = d + 1; }\n"
    "  return n > 1;\n"
    "}\n"
    "fn sort(xs) {\n"
    "  let i = 1;\n"
    "  while i < len(xs) {\n"
    "    let x = xs[i];\n"
    "    let j = i;\n"
    "    while j > 0 and xs[j - 1] > x { xs[j] = xs[j - 1]; j = j - 1; }\n"
    "    xs[j] = x;\n"
    "    i = i + 1;\n"
    "  }\n"
    "  return xs;\n"
    "}\n"
    "let primes = [];\n"
    "let n = 0;\n"
    "while len(primes) < 200 { if is_prime(n) { push(primes, n); } n = n + 1; }\n"
    "print \"fib(18) =\", fib(18);\n"
    "print \"prime 200 =\", primes[199];\n"
    "let mixed = [];\n"
    "for p in primes { push(mixed, p * 7919 % 1009); }\n"
    "sort(mixed);\n"
    "print \"sorted =\", [mixed[0], mixed[100], mixed[199]];\n"
    "let line = \"\";\n"
    "for word in [\"one\", \"context\", \"per\", \"thread\"] { line = line + word + \".\"; }\n"
    "print line, len(line);\n";

/* Outlives main's frame, so that a failing script still shows what it had printed. */
static struct buffer output;

static void write_output(void)
{
    if (output.len > 0) {
        fwrite(output.bytes, 1, output.len, stdout);
    }
}

void script_fail(int line, const char *message)
{
    char text[128];
    write_output();
    snprintf(text, sizeof text, "line %d: %s", line, message);
    fail(PROGRAM, text);
}

int main(int argc, char **argv)
{
    struct buffer input = {0};
    if (argc == 1) {
        input = read_stdin();
    } else if (argc == 2 && strcmp(argv[1], "--builtin") == 0) {
        buffer_append_text(&input, builtin_script);
    } else if (argc == 3 && strcmp(argv[1], "-e") == 0) {
        buffer_append_text(&input, argv[2]);
    } else {
        fail(PROGRAM, "usage: script [-e TEXT | --builtin]");
    }
    script_run(script_parse(input.bytes, input.len), &output);
    write_output();
    report_result(PROGRAM, input.len, output.len, checksum_of(output.bytes, output.len));
    return 0;
}
