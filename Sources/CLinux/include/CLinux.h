// What Linux offers and `import Glibc` does not show: epoll, eventfd, signalfd, accept4 and the like.
#ifndef CLINUX_H
#define CLINUX_H
#include <stdint.h>
#endif
