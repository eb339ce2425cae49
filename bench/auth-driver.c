/* Asks programs as ejabberd does: one packet, one answer, through two pipes.
   usage: auth-driver REQUESTS WARMUP PROGRAM ARGUMENT... [-- PROGRAM ARGUMENT...]
   REQUESTS: a file of packets (2-byte length, text), each of which must be answered yes. Several programs take turns of
   TURN questions, so that whatever else the machine does slows all of them. Prints a line of JSON for each:
   milliseconds to the first answer, requests a second and latencies in microseconds after WARMUP, wrong answers, resident memory. */
#define _GNU_SOURCE
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

#define TURN 250
#define PROGRAMS 4

struct program {
  char **argv;
  pid_t pid;
  int to, from;
  off_t at;
  long count, timed, wrong;
  double first, took, cpu, *times;
};

static int start(struct program *p) {
  int to[2], from[2];
  if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC)) return 0;
  p->pid = fork();
  if (p->pid == 0) {
    dup2(to[0], 0);
    dup2(from[1], 1);
    execvp(p->argv[0], p->argv);
    _exit(127);
  }
  close(to[0]), close(from[1]);
  p->to = to[1], p->from = from[0];
  return p->pid > 0;
}

/* Returns 0 when the program is gone. */
static int ask(struct program *p, const unsigned char *packet, size_t length, int timed) {
  double asked = now();
  if (write(p->to, packet, length) != (ssize_t)length) return 0;
  unsigned char answer[4];
  for (size_t got = 0; got < 4;) {
    ssize_t part = read(p->from, answer + got, 4 - got);
    if (part <= 0) return 0;
    got += (size_t)part;
  }
  if (memcmp(answer, "\0\2\0\1", 4)) p->wrong++;
  if (timed) p->times[p->timed++] = now() - asked;
  return 1;
}

int main(int argc, char **argv) {
  if (argc < 4) return 64;
  struct stat info;
  int file = open(argv[1], O_RDONLY | O_CLOEXEC);
  if (file < 0 || fstat(file, &info)) return 66;
  unsigned char *requests = malloc((size_t)info.st_size);
  for (off_t at = 0; at < info.st_size;) {
    ssize_t got = read(file, requests + at, (size_t)(info.st_size - at));
    if (got <= 0) return 66;
    at += got;
  }
  long warmup = atol(argv[2]);
  struct program programs[PROGRAMS];
  memset(programs, 0, sizeof programs);
  int several = 1;
  programs[0].argv = argv + 3;
  for (int i = 3; i < argc && several < PROGRAMS; i++)
    if (strcmp(argv[i], "--") == 0) argv[i] = NULL, programs[several++].argv = argv + i + 1;

  int going = several;
  while (going > 0) {
    going = 0;
    for (struct program *p = programs; p < programs + several; p++) {
      double begin = now();
      if (p->pid == 0) {
        p->times = malloc(sizeof(double) * (size_t)(info.st_size / 4 + 1));
        if (!start(p)) return 71;
      }
      for (int turn = 0; turn < TURN && p->at < info.st_size; turn++, p->count++) {
        size_t length = 2 + (size_t)requests[p->at] * 256 + requests[p->at + 1];
        if (p->count == warmup) begin = now(), p->cpu = used(p->pid);
        if (!ask(p, requests + p->at, length, p->count >= warmup)) return fprintf(stderr, "%s ended\n", p->argv[0]), 74;
        if (p->count == 0) p->first = now() - begin;
        p->at += (off_t)length;
      }
      if (p->count > warmup) p->took += now() - begin;
      if (p->at < info.st_size) going++;
    }
  }
  for (struct program *p = programs; p < programs + several; p++) {
    double cpu = used(p->pid) - p->cpu;
    long kb = resident(p->pid);
    int status;
    close(p->to);
    waitpid(p->pid, &status, 0);
    qsort(p->times, (size_t)p->timed, sizeof(double), ascending);
    long n = p->timed;
    printf("{\"firstMs\":%.1f,\"perSecond\":%.0f,\"p50\":%.0f,\"p99\":%.0f,\"wrong\":%ld,\"rssKb\":%ld,\"cpu\":%.0f,\"status\":%d}\n",
           p->first / 1000, n > 0 ? (double)n / p->took * 1e6 : 0, n > 0 ? p->times[n / 2] : 0, n > 0 ? p->times[n * 99 / 100] : 0,
           p->wrong, kb, n > 0 ? cpu / (double)n : 0, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
  }
  return 0;
}
