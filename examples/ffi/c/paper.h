/* Lines of text in a frame, in columns of a printer: a Chinese character has two. */
#ifndef PAPER_H
#define PAPER_H

#include <stdbool.h>
#include <stddef.h>

/* A line while it is written. Begin with {columns, 0, false}. */
struct line {
  size_t columns, used;
  bool begun;
};

/* Has the C library read letters as UTF-8. False where it cannot. */
bool paper_init(void);

/* Writes text into the line, and goes on in the next one where it is full: nothing is cut off. */
void paper_put(struct line *line, const void *text, size_t len);

/* Ends the line; an empty one, if nothing was written. */
void paper_end_line(struct line *line);

/* Writes the upper or lower edge of the frame around lines of so many columns. */
void paper_edge(size_t columns);

#endif
