/*
 * For tests, by LD_PRELOAD: a kernel that does with one call of sendmmsg after the other what the
 * letters of FAULTS say, and then as it should.
 *   .  as it should      p  sends the first datagram only      i  was interrupted
 *   d  may not send      f, n  has no room
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags) {
  static const char *faults = NULL;
  int (*real)(int, struct mmsghdr *, unsigned int, int) = dlsym(RTLD_NEXT, "sendmmsg");
  if (faults == NULL) faults = getenv("FAULTS") != NULL ? getenv("FAULTS") : "";
  char fault = *faults == '\0' ? '.' : *faults++;
  switch (fault) {
    case 'p': return real(fd, messages, 1, flags);
    case 'i': errno = EINTR; return -1;
    case 'd': errno = EPERM; return -1;
    case 'f': errno = EAGAIN; return -1;
    case 'n': errno = ENOBUFS; return -1;
    default: return real(fd, messages, count, flags);
  }
}
