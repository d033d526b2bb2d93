#include "files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool file_content(const char *path, unsigned char **bytes, size_t *len) {
  FILE *file = fopen(path, "rb");
  unsigned char *read = NULL, *larger;
  size_t room = 0, used = 0, got;
  do {
    got = 0;
    if (!file) {
      break;
    }
    if (used == room) {
      room = room > 0 ? 2 * room : 65536;
      larger = realloc(read, room);
      if (!larger) {
        break;
      }
      read = larger;
    }
    got = fread(read + used, 1, room - used, file);
    used += got;
  } while (got > 0);
  if (!file || !feof(file)) {
    fprintf(stderr, "label: ");
    perror(path);
    free(read);
    read = NULL;
  }
  if (file) {
    fclose(file);
  }
  *bytes = read;
  *len = used;
  return read != NULL;
}

bool file_secret(const char *path, char *line, int room) {
  FILE *file = fopen(path, "r");
  /* Unbuffered: there is one copy to wipe, the caller's. */
  bool is_read = file && setvbuf(file, NULL, _IONBF, 0) == 0 && fgets(line, room, file);
  if (is_read) {
    line[strcspn(line, "\r\n")] = '\0';
  } else {
    fprintf(stderr, "label: %s: it is empty, or cannot be read\n", path);
  }
  if (file) {
    fclose(file);
  }
  return is_read;
}

void wipe(volatile char *secret, size_t len) {
  while (len > 0) {
    secret[--len] = 0;
  }
}
