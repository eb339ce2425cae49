/* Asks a program as ejabberd does: one packet, one answer, through two pipes.
   usage: auth-driver REQUESTS WARMUP PROGRAM ARGUMENT...
   REQUESTS: a file of packets (2-byte length, text), each of which must be answered yes. Prints one line of JSON:
   milliseconds to the first answer, requests a second and latencies in microseconds after WARMUP, wrong answers, resident memory. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int ascending(const void *a, const void *b) {
  double d = *(const double *)a - *(const double *)b;
  return d < 0 ? -1 : d > 0;
}

static long resident(pid_t pid) {
  char path[64], line[256];
  long kb = -1;
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  FILE *file = fopen(path, "r");
  while (file && fgets(line, sizeof line, file)) sscanf(line, "VmRSS: %ld", &kb);
  if (file) fclose(file);
  return kb;
}

/* User and system time in microseconds. */
static double used(pid_t pid) {
  char path[64], line[1024];
  unsigned long user = 0, sys = 0;
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE *file = fopen(path, "r");
  if (file && fgets(line, sizeof line, file)) {
    char *rest = strrchr(line, ')');
    if (rest) sscanf(rest + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &sys);
  }
  if (file) fclose(file);
  return (double)(user + sys) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

int main(int argc, char **argv) {
  if (argc < 4) return 64;
  struct stat info;
  int file = open(argv[1], O_RDONLY);
  if (file < 0 || fstat(file, &info)) return 66;
  unsigned char *requests = malloc((size_t)info.st_size);
  for (off_t at = 0; at < info.st_size;) {
    ssize_t got = read(file, requests + at, (size_t)(info.st_size - at));
    if (got <= 0) return 66;
    at += got;
  }
  long warmup = atol(argv[2]), count = 0, wrong = 0;
  double *times = malloc(sizeof(double) * (size_t)(info.st_size / 4 + 1));

  int to[2], from[2];
  if (pipe(to) || pipe(from)) return 71;
  double begin = now();
  pid_t pid = fork();
  if (pid == 0) {
    dup2(to[0], 0);
    dup2(from[1], 1);
    close(to[0]), close(to[1]), close(from[0]), close(from[1]);
    execvp(argv[3], argv + 3);
    _exit(127);
  }
  close(to[0]), close(from[1]);

  double first = 0, since = 0, cpu = 0;
  long timed = 0;
  for (off_t at = 0; at < info.st_size; count++) {
    size_t length = 2 + (size_t)requests[at] * 256 + requests[at + 1];
    if (count == warmup) since = now(), cpu = used(pid);
    double asked = now();
    if (write(to[1], requests + at, length) != (ssize_t)length) return 74;
    unsigned char answer[4];
    for (size_t got = 0; got < 4;) {
      ssize_t part = read(from[0], answer + got, 4 - got);
      if (part <= 0) return fprintf(stderr, "the program ended\n"), 74;
      got += (size_t)part;
    }
    if (count == 0) first = now() - begin;
    if (memcmp(answer, "\0\2\0\1", 4)) wrong++;
    if (count >= warmup) times[timed++] = now() - asked;
    at += (off_t)length;
  }
  double took = now() - since;
  cpu = used(pid) - cpu;
  long kb = resident(pid);
  close(to[1]);
  int status;
  waitpid(pid, &status, 0);
  qsort(times, (size_t)timed, sizeof(double), ascending);
  printf("{\"firstMs\":%.1f,\"perSecond\":%.0f,\"p50\":%.0f,\"p99\":%.0f,\"wrong\":%ld,\"rssKb\":%ld,\"cpu\":%.0f,\"status\":%d}\n", first / 1000,
         timed > 0 ? (double)timed / took * 1e6 : 0, timed > 0 ? times[timed / 2] : 0, timed > 0 ? times[timed * 99 / 100] : 0, wrong, kb,
         timed > 0 ? cpu / (double)timed : 0, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
  return 0;
}
