// Memory as the kernel and the processor give it, for tables of gigabytes: address space in huge pages, pages made ready
// by another thread, cache lines fetched before they are looked at. Linux and macOS; what a system does not have is left out.
#ifndef CMEMORY_H
#define CMEMORY_H

#include <stddef.h>
#include <stdint.h>

// Fresh address space of `count` bytes that reads as zeros and takes memory as it is written to; null and errno when there
// is none. From two huge pages on it begins at one, and the kernel is asked for such.
void *cmemory_map(size_t count);
// A huge page: 2 MiB.
static inline size_t cmemory_huge_page(void) { return (size_t)2 << 20; }
// Gives all of a mapping back.
void cmemory_unmap(void *base, size_t count);
// Gives the memory of whole pages back and keeps the address space. Their bytes are not to be relied on afterwards.
void cmemory_release(void *base, size_t count);
// Has the kernel take the pages of a range for writing, as if each was written to, and changes no byte. From any thread.
// Does nothing where it cannot (before Linux 5.14).
void cmemory_populate(void *base, size_t count);
// Brings the cache line at `address` near. Never faults and, unlike a look, never waits.
static inline void cmemory_prefetch(const void *address) { __builtin_prefetch(address, 1, 3); }

#endif
