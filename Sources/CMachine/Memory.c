#define _GNU_SOURCE
#include "CMachine.h"

#include <sys/mman.h>

void *cmachine_map(size_t count, bool is_huge) {
    size_t page = cmachine_huge_page();
    // One page more, so that a huge one begins in it; what stands over goes back.
    size_t mapped = is_huge ? count + page : count;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
#ifdef MAP_NORESERVE
    flags |= MAP_NORESERVE;
#endif
    char *start = mmap(NULL, mapped, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (start == MAP_FAILED) return NULL;
    if (!is_huge) return start;
    size_t before = -(uintptr_t)start & (page - 1);
    char *base = start + before;
    if (before > 0) munmap(start, before);
    if (page > before) munmap(base + count, page - before);
#ifdef MADV_HUGEPAGE
    madvise(base, count, MADV_HUGEPAGE);
#endif
    return base;
}

void cmachine_unmap(void *base, size_t count) {
    munmap(base, count);
}

void cmachine_release(void *base, size_t count) {
    madvise(base, count, MADV_DONTNEED);
}

void cmachine_populate(void *base, size_t count) {
#ifdef MADV_POPULATE_WRITE
    madvise(base, count, MADV_POPULATE_WRITE);
#else
    (void)base;
    (void)count;
#endif
}
