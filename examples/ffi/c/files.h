/* Reading files whole, and secrets out of them. */
#ifndef FILES_H
#define FILES_H

#include <stdbool.h>
#include <stddef.h>

/* The whole of a file, to be freed by the caller. What goes wrong is told on stderr; then there is nothing to free. */
bool file_content(const char *path, unsigned char **bytes, size_t *len);

/* The first line of a file, without its end. It may be a pipe. What goes wrong is told on stderr. */
bool file_secret(const char *path, char *line, int room);

/* Overwrites a secret, also where the compiler sees that nobody reads it again. */
void wipe(volatile char *secret, size_t len);

#endif
