// What Linux offers and `import Glibc` does not show: epoll, eventfd, signalfd, accept4, fallocate, getrandom,
// clocks as plain nanoseconds.
//
// Rules of this header: no _GNU_SOURCE here (it would change what every importer of Glibc sees; the .c file has
// it), every function does one thing, and a call that can fail returns -1 and leaves errno, as the manual says.
#ifndef CLINUX_H
#define CLINUX_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

// ---- epoll: readiness of many descriptors ----------------------------------------------------------------

// Makes an epoll instance, closed on exec.
int clinux_epoll_create(void);
// Starts watching `fd` for `events` (EPOLLIN | …); `data` comes back with each event.
int clinux_epoll_add(int epoll, int fd, uint32_t events, uint64_t data);
// Changes what `fd` is watched for.
int clinux_epoll_modify(int epoll, int fd, uint32_t events, uint64_t data);
// Stops watching `fd`.
int clinux_epoll_remove(int epoll, int fd);
// Waits up to `timeout_ms` (-1: for ever, 0: not at all); the number of events filled in. EINTR is for the caller.
int clinux_epoll_wait(int epoll, struct epoll_event *events, int capacity, int timeout_ms);
// As above with nanoseconds (-1: for ever); falls back to whole milliseconds, rounded up, before Linux 5.11.
int clinux_epoll_wait_ns(int epoll, struct epoll_event *events, int capacity, int64_t timeout_ns);

// The `data` of an event. The struct is packed: take its parts through these two, never by address.
static inline uint64_t clinux_event_data(const struct epoll_event *event) { return event->data.u64; }
// The ready bits of an event.
static inline uint32_t clinux_event_bits(const struct epoll_event *event) { return event->events; }

// The epoll bits by name, as plain integers (the enum of the system header imports as a struct).
static inline uint32_t clinux_epoll_in(void) { return EPOLLIN; }
static inline uint32_t clinux_epoll_out(void) { return EPOLLOUT; }
static inline uint32_t clinux_epoll_rdhup(void) { return EPOLLRDHUP; }
static inline uint32_t clinux_epoll_hup(void) { return EPOLLHUP; }
static inline uint32_t clinux_epoll_err(void) { return EPOLLERR; }
static inline uint32_t clinux_epoll_edge_triggered(void) { return EPOLLET; }

// A descriptor and its generation in one word, so that an event for a closed and reused descriptor is recognised.
static inline uint64_t clinux_pack(uint32_t generation, int fd) { return ((uint64_t)generation << 32) | (uint32_t)fd; }
static inline int clinux_packed_fd(uint64_t data) { return (int)(uint32_t)data; }
static inline uint32_t clinux_packed_generation(uint64_t data) { return (uint32_t)(data >> 32); }

// ---- eventfd: waking a loop from a thread ----------------------------------------------------------------

// A counter to poll on, zero at first, non-blocking, closed on exec.
int clinux_eventfd(void);
// Adds one, so that the descriptor reads as ready. 0, or -1 and errno.
int clinux_eventfd_signal(int fd);
// Takes the counter to zero; how many signals there were since last time (0: none).
uint64_t clinux_eventfd_drain(int fd);

// ---- signalfd: signals as readable events ----------------------------------------------------------------

// Blocks the `count` signals in the calling thread and those started after it; a descriptor that reads them.
int clinux_signalfd(const int *signals, int count);
// The next waiting signal, or 0 when there is none.
int clinux_signalfd_next(int fd);
// Ignores SIGPIPE for the whole process.
void clinux_ignore_sigpipe(void);

// ---- sockets ---------------------------------------------------------------------------------------------

// accept4 with SOCK_NONBLOCK | SOCK_CLOEXEC; the peer's address is written when `address` is not null.
int clinux_accept(int listener, struct sockaddr *address, socklen_t *length);
// socket() with SOCK_NONBLOCK | SOCK_CLOEXEC added to `type`.
int clinux_socket(int domain, int type, int protocol);
// send() with MSG_NOSIGNAL (a closed peer is an errno, never a signal).
ssize_t clinux_send(int fd, const void *bytes, size_t count);
// sendmsg() of a list of parts with MSG_NOSIGNAL.
ssize_t clinux_sendv(int fd, const struct iovec *parts, int count);
// recv() without flags.
ssize_t clinux_recv(int fd, void *bytes, size_t count);
// TCP_NODELAY on. 0, or -1 and errno.
int clinux_set_nodelay(int fd);

// ---- files -----------------------------------------------------------------------------------------------

// open(2) relative to `directory` (or AT_FDCWD) with O_CLOEXEC added; `mode` is for files it creates.
int clinux_openat(int directory, const char *path, int flags, uint32_t mode);
// Reserves [0, bytes) with real blocks and makes the file that long. EOPNOTSUPP where the file system cannot.
int clinux_fallocate(int fd, int64_t bytes);
// The first byte from `offset` on that was ever written, or the end of the file; `offset` itself where the file system does
// not tell. What lies before it reads as zeros.
int64_t clinux_next_data(int fd, int64_t offset, int64_t end);
// The first byte from `offset` on that was never written, or the end of the file.
int64_t clinux_next_hole(int fd, int64_t offset, int64_t end);
// pwritev(2): several parts in one call at one offset.
ssize_t clinux_pwritev(int fd, const struct iovec *parts, int count, int64_t offset);
// fdatasync(2).
int clinux_fdatasync(int fd);
// sync_file_range(2) with SYNC_FILE_RANGE_WRITE: starts writing dirty pages, waits for none. No durability.
int clinux_start_writeback(int fd, int64_t offset, int64_t bytes);
// flock(2), exclusive (1) or shared (0), without waiting: EWOULDBLOCK when another process holds it.
int clinux_try_lock(int fd, int exclusive);
// posix_fadvise(SEQUENTIAL).
void clinux_advise_sequential(int fd);

// ---- chance, clocks, memory ------------------------------------------------------------------------------

// Fills `bytes` from the kernel's random source. 0, or -1 and errno.
int clinux_random(void *bytes, size_t count);
// Nanoseconds of CLOCK_MONOTONIC (stands still in suspend).
int64_t clinux_monotonic_ns(void);
// Nanoseconds of CLOCK_BOOTTIME (goes on in suspend).
int64_t clinux_boottime_ns(void);
// Nanoseconds since 1970 of CLOCK_REALTIME.
int64_t clinux_realtime_ns(void);
// Physical memory of the machine in bytes, 0 when unknown. A cgroup's limit is the caller's to read.
uint64_t clinux_memory_total(void);
// What the kernel knows of the calling thread since its start.
struct clinux_thread_usage {
    int64_t cpu_ns;       // time on a processor
    int64_t page_faults;  // fresh or shared pages that it touched for the first time
    int64_t waits;        // how often it gave its processor up to wait for something: a disk, a lock
    int64_t preemptions;  // how often its processor was given to somebody else
};
// Two system calls, less than a microsecond.
struct clinux_thread_usage clinux_thread_usage(void);
// Asks that the calling thread, which never runs long at a time, need not wait for those that do when it wakes: a short
// slice of the processor (Linux 6.12; earlier ones take no notice). Or takes that back.
void clinux_run_soon(bool soon);
// Sleeps for about so long, or until a signal comes.
void clinux_sleep_ns(int64_t nanoseconds);
// Lets the calling thread give way to all others: nice 10, and the last place in the queue for the disk.
void clinux_give_way(void);
// Names the calling thread (15 bytes at most) for top and gdb.
void clinux_name_thread(const char *name);

// ---- processes -------------------------------------------------------------------------------------------

// Starts the program `arguments[0]` in a process group of its own, with no signal blocked, reading /dev/null and writing to
// `output`. The kernel kills it when the calling thread ends, however that ends. Its pid, or -1 and errno.
pid_t clinux_spawn_bound(char *const arguments[], char *const environment[], int output);

#endif
