#define _XOPEN_SOURCE 700 /* wcwidth */
#include "paper.h"

#include <locale.h>
#include <stdio.h>
#include <wchar.h>

/* A character: what is printed for it, how many columns that takes, and how many bytes of the text it was. */
struct glyph {
  const char *shown;
  size_t shown_len, columns, len;
};

bool paper_init(void) {
  return setlocale(LC_CTYPE, "C.UTF-8") || setlocale(LC_CTYPE, "");
}

static bool turns_direction(wchar_t c) {
  return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* A name is a stranger's text, and the printer must not obey it: control characters become question marks. */
static struct glyph next_glyph(const char *at, size_t left) {
  wchar_t c = 0;
  mbstate_t state = {0};
  size_t len = mbrtowc(&c, at, left, &state);
  bool is_read = len > 0 && len <= left;
  int columns = is_read && !turns_direction(c) ? wcwidth(c) : -1;
  if (columns < 0) {
    return (struct glyph){"?", 1, 1, is_read ? len : 1};
  }
  return (struct glyph){at, len, (size_t)columns, len};
}

/* Columns of what follows up to where a line may be broken: at a space, and on either side of a wide character. */
static size_t unbroken(const char *at, size_t left) {
  size_t columns = 0;
  while (left > 0 && *at != ' ') {
    struct glyph glyph = next_glyph(at, left);
    if (glyph.columns > 1) {
      return columns > 0 ? columns : glyph.columns;
    }
    columns += glyph.columns;
    at += glyph.len;
    left -= glyph.len;
  }
  return columns;
}

static void begin_line(struct line *line) {
  if (!line->begun) {
    fputs("| ", stdout);
    line->begun = true;
  }
}

void paper_end_line(struct line *line) {
  begin_line(line);
  printf("%*s |\n", (int)(line->columns - line->used), "");
  line->used = 0;
  line->begun = false;
}

void paper_put(struct line *line, const void *text, size_t len) {
  const char *at = text;
  bool begins_word = true;
  while (len > 0) {
    struct glyph glyph = next_glyph(at, len);
    size_t word = begins_word ? unbroken(at, len) : 0;
    size_t needed = word > glyph.columns && word <= line->columns ? word : glyph.columns;
    if (line->used > 0 && line->used + needed > line->columns) {
      paper_end_line(line);
    }
    bool is_space = *at == ' ';
    if (!is_space || line->used > 0) { /* no line begins with a space */
      begin_line(line);
      fwrite(glyph.shown, 1, glyph.shown_len, stdout);
      line->used += glyph.columns;
    }
    begins_word = is_space || glyph.columns > 1;
    at += glyph.len;
    len -= glyph.len;
  }
}

void paper_edge(size_t columns) {
  putchar('+');
  for (size_t i = 0; i < columns + 2; i++) {
    putchar('-');
  }
  fputs("+\n", stdout);
}
