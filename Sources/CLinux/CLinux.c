// Thin wrappers: each calls the one system function that its name says. See the header for what they promise.
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// ---- epoll -----------------------------------------------------------------------------------------------

int clinux_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static int control(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
    struct epoll_event event = {.events = events, .data = {.u64 = data}};
    return epoll_ctl(epoll, operation, fd, &event);
}

int clinux_epoll_add(int epoll, int fd, uint32_t events, uint64_t data) {
    return control(epoll, EPOLL_CTL_ADD, fd, events, data);
}

int clinux_epoll_modify(int epoll, int fd, uint32_t events, uint64_t data) {
    return control(epoll, EPOLL_CTL_MOD, fd, events, data);
}

int clinux_epoll_remove(int epoll, int fd) { return control(epoll, EPOLL_CTL_DEL, fd, 0, 0); }

int clinux_epoll_wait(int epoll, struct epoll_event *events, int capacity, int timeout_ms) {
    return epoll_wait(epoll, events, capacity, timeout_ms);
}

int clinux_epoll_wait_ns(int epoll, struct epoll_event *events, int capacity, int64_t timeout_ns) {
    if (timeout_ns < 0) return epoll_wait(epoll, events, capacity, -1);
    if (timeout_ns == 0) return epoll_wait(epoll, events, capacity, 0);
#ifdef SYS_epoll_pwait2
    // Written by one thread in practice, and only ever from 1 to 0: a relaxed flag is enough.
    static int known = 1;
    if (__atomic_load_n(&known, __ATOMIC_RELAXED)) {
        struct timespec wait = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
        long count = syscall(SYS_epoll_pwait2, epoll, events, capacity, &wait, NULL, 0);
        if (count >= 0 || errno != ENOSYS) return (int)count;
        __atomic_store_n(&known, 0, __ATOMIC_RELAXED);
    }
#endif
    int64_t milliseconds = timeout_ns / 1000000 + (timeout_ns % 1000000 != 0);
    return epoll_wait(epoll, events, capacity, milliseconds > 2000000000 ? 2000000000 : (int)milliseconds);
}

// ---- eventfd ---------------------------------------------------------------------------------------------

int clinux_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

int clinux_eventfd_signal(int fd) {
    uint64_t one = 1;
    for (;;) {
        if (write(fd, &one, sizeof one) == (ssize_t)sizeof one) return 0;
        if (errno == EAGAIN) return 0;  // The counter is full, so the descriptor is ready anyway.
        if (errno != EINTR) return -1;
    }
}

uint64_t clinux_eventfd_drain(int fd) {
    uint64_t count = 0;
    for (;;) {
        if (read(fd, &count, sizeof count) == (ssize_t)sizeof count) return count;
        if (errno != EINTR) return 0;
    }
}

// ---- signalfd --------------------------------------------------------------------------------------------

int clinux_signalfd(const int *signals, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++) sigaddset(&set, signals[i]);
    int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (error != 0) {
        errno = error;
        return -1;
    }
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int clinux_signalfd_next(int fd) {
    struct signalfd_siginfo information;
    for (;;) {
        if (read(fd, &information, sizeof information) == (ssize_t)sizeof information) {
            return (int)information.ssi_signo;
        }
        if (errno != EINTR) return 0;
    }
}

void clinux_ignore_sigpipe(void) { signal(SIGPIPE, SIG_IGN); }

// ---- sockets ---------------------------------------------------------------------------------------------

int clinux_accept(int listener, struct sockaddr *address, socklen_t *length) {
    return accept4(listener, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int clinux_socket(int domain, int type, int protocol) {
    return socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

ssize_t clinux_send(int fd, const void *bytes, size_t count) { return send(fd, bytes, count, MSG_NOSIGNAL); }

ssize_t clinux_sendv(int fd, const struct iovec *parts, int count) {
    struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

ssize_t clinux_recv(int fd, void *bytes, size_t count) { return recv(fd, bytes, count, 0); }

int clinux_set_nodelay(int fd) {
    int on = 1;
    return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// ---- files -----------------------------------------------------------------------------------------------

int clinux_openat(int directory, const char *path, int flags, uint32_t mode) {
    return openat(directory, path, flags | O_CLOEXEC, (mode_t)mode);
}

int clinux_fallocate(int fd, int64_t bytes) { return fallocate(fd, 0, 0, (off_t)bytes); }

int64_t clinux_next_data(int fd, int64_t offset, int64_t end) {
    const off_t found = lseek(fd, offset, SEEK_DATA);
    if (found >= 0) return found;
    return errno == ENXIO ? end : offset;
}

int64_t clinux_next_hole(int fd, int64_t offset, int64_t end) {
    const off_t found = lseek(fd, offset, SEEK_HOLE);
    return found >= 0 ? found : end;
}

ssize_t clinux_pwritev(int fd, const struct iovec *parts, int count, int64_t offset) {
    return pwritev(fd, parts, count, (off_t)offset);
}

int clinux_fdatasync(int fd) { return fdatasync(fd); }

int clinux_start_writeback(int fd, int64_t offset, int64_t bytes) {
    return sync_file_range(fd, (off_t)offset, (off_t)bytes, SYNC_FILE_RANGE_WRITE);
}

int clinux_try_lock(int fd, int exclusive) { return flock(fd, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB); }

void clinux_advise_sequential(int fd) { (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL); }

// ---- chance, clocks, memory ------------------------------------------------------------------------------

int clinux_random(void *bytes, size_t count) {
    unsigned char *to = bytes;
    while (count > 0) {
        ssize_t got = getrandom(to, count, 0);
        if (got < 0) {
            if (errno == EINTR) continue;
            return -1;
        }
        to += got;
        count -= (size_t)got;
    }
    return 0;
}

static int64_t nanoseconds(clockid_t clock) {
    struct timespec time = {0, 0};
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t clinux_monotonic_ns(void) { return nanoseconds(CLOCK_MONOTONIC); }
int64_t clinux_boottime_ns(void) { return nanoseconds(CLOCK_BOOTTIME); }
int64_t clinux_realtime_ns(void) { return nanoseconds(CLOCK_REALTIME); }

uint64_t clinux_memory_total(void) {
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : 0;
}

struct clinux_thread_usage clinux_thread_usage(void) {
    struct rusage usage = {0};
    struct clinux_thread_usage result = {0};
    if (getrusage(RUSAGE_THREAD, &usage) != 0) return result;
    // The times in `usage` are those of the last tick; this clock is exact.
    result.cpu_ns = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
    result.page_faults = usage.ru_minflt;
    result.waits = usage.ru_nvcsw;
    result.preemptions = usage.ru_nivcsw;
    return result;
}

void clinux_run_soon(bool soon) {
    // struct sched_attr of the kernel, which this C library does not have.
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attributes = {0};
    if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0 || attributes.policy != SCHED_OTHER) return;
    attributes.size = sizeof attributes;
    attributes.flags = 0;
    // 0: what everybody has.
    attributes.runtime = soon ? 100 * 1000 : 0;
    // That it fails does not matter: it is a wish.
    (void)syscall(SYS_sched_setattr, 0, &attributes, 0);
}

void clinux_sleep_ns(int64_t nanoseconds) {
    const struct timespec time = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    (void)nanosleep(&time, NULL);
}

void clinux_give_way(void) {
    // On Linux "process 0" is the calling thread for both calls. That they fail does not matter: it is a courtesy.
    (void)setpriority(PRIO_PROCESS, 0, 10);
    const int who_process = 1, best_effort = 2, lowest = 7;
    (void)syscall(SYS_ioprio_set, who_process, 0, best_effort << 13 | lowest);
}

void clinux_name_thread(const char *name) { (void)pthread_setname_np(pthread_self(), name); }

// ---- processes -------------------------------------------------------------------------------------------

pid_t clinux_spawn_bound(char *const arguments[], char *const environment[], int output) {
    // The child says through this pipe why it could not begin; when it begins, the pipe closes without a word.
    int failure[2];
    if (pipe2(failure, O_CLOEXEC) != 0) return -1;
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        // Only calls that are safe after fork in a process with threads.
        sigset_t none;
        sigemptyset(&none);
        int input = open("/dev/null", O_RDONLY);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent && setpgid(0, 0) == 0
            && sigprocmask(SIG_SETMASK, &none, NULL) == 0 && input >= 0 && dup2(input, 0) == 0 && dup2(output, 1) == 1
            && dup2(output, 2) == 2) {
            execve(arguments[0], arguments, environment);
        }
        int code = errno;
        (void)!write(failure[1], &code, sizeof code);
        _exit(127);
    }
    int code = child < 0 ? errno : 0;
    close(failure[1]);
    if (child > 0) {
        while (read(failure[0], &code, sizeof code) < 0 && errno == EINTR) {}
        if (code != 0) {
            while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
            child = -1;
        }
    }
    close(failure[0]);
    errno = code;
    return child;
}
