// CRC32C twice: by the SSE4.2 instruction where the machine has it (asked once), else by eight tables.
// The instruction wins by far on the short frames of a log, and needs no library.
#include "CMachine.h"

#include <pthread.h>
#include <string.h>

static uint32_t table[8][256];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void fill_table(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) ? 0x82F63B78u : 0);
        table[0][byte] = crc;
    }
    for (uint32_t byte = 0; byte < 256; byte++) {
        for (int i = 1; i < 8; i++) table[i][byte] = (table[i - 1][byte] >> 8) ^ table[0][table[i - 1][byte] & 255];
    }
}

uint32_t cmachine_crc32c_portable(const void *bytes, size_t count, uint32_t seed) {
    pthread_once(&table_once, fill_table);
    const unsigned char *from = bytes;
    uint32_t crc = ~seed;
    while (count >= 8) {
        // Byte by byte into two words: right on machines of either byte order.
        uint32_t low = crc ^ (from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24);
        crc = table[7][low & 255] ^ table[6][(low >> 8) & 255] ^ table[5][(low >> 16) & 255] ^ table[4][low >> 24]
            ^ table[3][from[4]] ^ table[2][from[5]] ^ table[1][from[6]] ^ table[0][from[7]];
        from += 8;
        count -= 8;
    }
    while (count-- > 0) crc = (crc >> 8) ^ table[0][(crc ^ *from++) & 255];
    return ~crc;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2")))
static uint32_t crc_by_instruction(const void *bytes, size_t count, uint32_t seed) {
    const unsigned char *from = bytes;
    uint64_t crc = (uint32_t)~seed;
    while (count >= 8) {
        uint64_t word;
        memcpy(&word, from, 8);
        crc = __builtin_ia32_crc32di(crc, word);
        from += 8;
        count -= 8;
    }
    uint32_t rest = (uint32_t)crc;
    while (count-- > 0) rest = __builtin_ia32_crc32qi(rest, *from++);
    return ~rest;
}

uint32_t cmachine_crc32c(const void *bytes, size_t count, uint32_t seed) {
    // __builtin_cpu_supports reads a word that libgcc fills before main: a load and a test.
    return __builtin_cpu_supports("sse4.2") ? crc_by_instruction(bytes, count, seed)
                                            : cmachine_crc32c_portable(bytes, count, seed);
}

#else

uint32_t cmachine_crc32c(const void *bytes, size_t count, uint32_t seed) {
    return cmachine_crc32c_portable(bytes, count, seed);
}

#endif
