// What the machine can do and Swift cannot say: address space in huge pages, pages made ready by another thread, cache lines
// fetched before they are looked at, bytes compared sixteen at a time, CRC32C by its instruction. Linux and macOS, x86 and
// others; what a system or a processor does not have is left out or done step by step.
#ifndef CMACHINE_H
#define CMACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

// ---- memory ----------------------------------------------------------------------------------------------

// Fresh address space of `count` bytes that reads as zeros and takes memory as it is written to; null and errno when there
// is none. If `is_huge`, it begins at a huge page, and the kernel is asked for such.
void *cmachine_map(size_t count, bool is_huge);
// A huge page: 2 MiB.
static inline size_t cmachine_huge_page(void) { return (size_t)2 << 20; }
// Gives all of a mapping back.
void cmachine_unmap(void *base, size_t count);
// Gives the memory of whole pages back and keeps the address space. Their bytes are not to be relied on afterwards.
void cmachine_release(void *base, size_t count);
// Has the kernel take the pages of a range for writing, as if each was written to, and changes no byte. From any thread.
// Does nothing where it cannot (before Linux 5.14).
void cmachine_populate(void *base, size_t count);
// Brings the cache line at `address` near. Never faults and, unlike a look, never waits.
static inline void cmachine_prefetch(const void *address) { __builtin_prefetch(address, 1, 3); }

// ---- bytes of requests -----------------------------------------------------------------------------------

// Which of the 64 bytes at `bytes` end a run of token bytes, because they are not `!`…`~` or because they are `=`: a bit for
// each byte, the lowest for the first.
static inline uint64_t cmachine_marks_portable(const void *bytes) {
    const uint8_t *byte = (const uint8_t *)bytes;
    uint64_t marks = 0;
    for (int i = 0; i < 64; i++) marks |= (uint64_t)(byte[i] < 0x21 || byte[i] > 0x7E || byte[i] == '=') << i;
    return marks;
}
// The same, by SSE2 where the processor is an x86.
static inline uint64_t cmachine_marks(const void *bytes) {
#ifdef __SSE2__
    uint64_t marks = 0;
    for (int i = 0; i < 64; i += 16) {
        __m128i part = _mm_loadu_si128((const __m128i *)((const char *)bytes + i));
        // As signed numbers, bytes from 0x80 on are below zero.
        __m128i low = _mm_cmplt_epi8(part, _mm_set1_epi8(0x21));
        __m128i high = _mm_cmpeq_epi8(part, _mm_set1_epi8(0x7F));
        __m128i equals = _mm_cmpeq_epi8(part, _mm_set1_epi8('='));
        __m128i marked = _mm_or_si128(_mm_or_si128(low, high), equals);
        marks |= (uint64_t)(uint32_t)_mm_movemask_epi8(marked) << i;
    }
    return marks;
#else
    return cmachine_marks_portable(bytes);
#endif
}

// ---- CRC32C (Castagnoli, reflected polynomial 0x82F63B78) ------------------------------------------------

// The CRC of `count` bytes, chained: crc(b, crc(a, seed)) == crc(a then b, seed); seed 0 gives the standard CRC.
uint32_t cmachine_crc32c(const void *bytes, size_t count, uint32_t seed);
// The same through the table, for machines without the instruction and for the test that compares the two.
uint32_t cmachine_crc32c_portable(const void *bytes, size_t count, uint32_t seed);

#endif
