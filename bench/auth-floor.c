/* The floor for `npm run bench -- auth`: the same protocol and the same statement with libmariadb, nothing else.
   usage: auth-floor SOCKET DATABASE STATEMENT */
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define COLUMNS 1

static int read_all(unsigned char *to, size_t length) {
  while (length > 0) {
    ssize_t got = read(0, to, length);
    if (got <= 0) return 0;
    to += got;
    length -= (size_t)got;
  }
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 4) return 64;
  MYSQL *db = mysql_init(NULL);
  if (!mysql_real_connect(db, NULL, "root", NULL, argv[2], 0, argv[1], 0)) return fprintf(stderr, "%s\n", mysql_error(db)), 69;
  mysql_set_character_set(db, "utf8mb4");
  MYSQL_STMT *statement = mysql_stmt_init(db);
  if (mysql_stmt_prepare(statement, argv[3], strlen(argv[3]))) return fprintf(stderr, "%s\n", mysql_error(db)), 70;

  char sid[64], text[COLUMNS][512];
  unsigned long sid_length = 0, lengths[COLUMNS];
  my_bool nulls[COLUMNS];
  MYSQL_BIND in[1], out[COLUMNS];
  memset(in, 0, sizeof in);
  memset(out, 0, sizeof out);
  in[0].buffer_type = MYSQL_TYPE_STRING;
  in[0].buffer = sid;
  in[0].buffer_length = sizeof sid;
  in[0].length = &sid_length;
  mysql_stmt_bind_param(statement, in);
  for (int i = 0; i < COLUMNS; i++) {
    out[i].buffer_type = MYSQL_TYPE_STRING;
    out[i].buffer = text[i];
    out[i].buffer_length = sizeof text[i];
    out[i].length = &lengths[i];
    out[i].is_null = &nulls[i];
  }
  mysql_stmt_bind_result(statement, out);

  static unsigned char packet[65536];
  unsigned char head[2];
  while (read_all(head, 2)) {
    size_t length = (size_t)head[0] * 256 + head[1];
    if (!read_all(packet, length)) break;
    packet[length] = 0;
    int yes = 0;
    char *user = strchr((char *)packet, ':'), *server = user ? strchr(++user, ':') : NULL, *secret = NULL;
    if (server) *server++ = 0, secret = strchr(server, ':');
    if (secret && strlen(++secret) == 32) {
      memcpy(sid, secret, 32);
      sid_length = 32;
      if (mysql_stmt_execute(statement)) return 69;
      mysql_stmt_store_result(statement);
      if (mysql_stmt_fetch(statement) == 0) {
        char *field[8], *at = text[0];
        text[0][lengths[0] < 511 ? lengths[0] : 511] = 0;
        int count = 0;
        for (; count < 8 && (field[count] = at, at = strchr(at, ' ')); count++) *at++ = 0;
        char *name = count == 8 ? strchr(at, '\n') : NULL;
        yes = name && memcmp(field[0], secret, 32) == 0 && strcasecmp(name + 1, user) == 0 && *field[7] == 0 &&
              (atoi(field[2]) || atol(field[1]) >= time(NULL) - 3660);
      }
      mysql_stmt_free_result(statement);
    }
    unsigned char answer[4] = {0, 2, 0, (unsigned char)yes};
    if (write(1, answer, 4) != 4) break;
  }
  return 0;
}
