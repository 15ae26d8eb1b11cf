/* Pictor's interface for a codec that it does not bring: version 1.
 *
 * A shared library that defines these functions, with C linkage, is named in Pictor's configuration ([engine.plugin]).
 * Every worker process loads it once, before it seals itself: from then on the library has no files, no network, no new
 * processes and no memory that can be executed; only memory (engine.worker_memory), threads, time and random numbers.
 * What it needs besides must be read when it is loaded, and no thread may be started there. It is never loaded into the
 * service itself. docs/tpg-plugin.md says how to build, install and test one.
 *
 * Calls come from one thread at a time, each within the time limit of a conversion (engine.deadline); when that is over,
 * the process is killed. A crash costs one request and the worker.
 *
 * Pictures are still: of an animation the first frame is taken. Pixels are RGBA, 8 bits each, sRGB, not multiplied by
 * their alpha, rows from top to bottom without gaps: pixel (x, y) begins at byte 4 * (y * width + x).
 */
#ifndef PICTOR_CODEC_H
#define PICTOR_CODEC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What pictor_codec_abi returns. It changes whenever anything below does. */
#define PICTOR_CODEC_ABI 1u

/* What a library can do. */
#define PICTOR_CODEC_DECODES 1u
#define PICTOR_CODEC_ENCODES 2u

/* What the functions return. Anything else counts as a fault of the library. */
#define PICTOR_CODEC_OK 0
#define PICTOR_CODEC_NOT_MINE 1    /* probe only: these bytes are of another format */
#define PICTOR_CODEC_CORRUPT 2     /* damaged, or cut off */
#define PICTOR_CODEC_UNSUPPORTED 3 /* whole, but of a variety that is not decoded or cannot be written */
#define PICTOR_CODEC_NO_MEMORY 4

/* What a file's header says. Both sides 1 to 16383. */
typedef struct pictor_codec_header {
    uint32_t width;
    uint32_t height;
    uint32_t alpha;    /* 1: pixels may be transparent; 0: alpha is 255 everywhere, and not read */
    uint32_t reserved; /* 0 */
} pictor_codec_header;

/* PICTOR_CODEC_ABI of the header that the library was built with. Called first; nothing else is, if it differs. */
uint32_t pictor_codec_abi(void);

/* PICTOR_CODEC_DECODES, PICTOR_CODEC_ENCODES, or both. */
uint32_t pictor_codec_features(void);

/* Name and version for logs, as UTF-8 that ends with a zero: "tpg 1.2". It stays valid. */
const char *pictor_codec_name(void);

/* Why the last call did not return PICTOR_CODEC_OK: one sentence, likewise. NULL or "": no more is known. It stays valid
 * until the next call of another function. */
const char *pictor_codec_error(void);

/* ---- with PICTOR_CODEC_DECODES ---- */

/* The first bytes of every file of the format, which the service recognises it by: 1 to 32 bytes, their number through
 * length. They stay valid. NULL with a length of 0: there are none; then only names that end in .tpg are recognised. */
const uint8_t *pictor_codec_magic(size_t *length);

/* Reads a header. Returns OK and fills it, NOT_MINE, CORRUPT or UNSUPPORTED. */
int32_t pictor_codec_probe(const uint8_t *bytes, size_t length, pictor_codec_header *header);

/* Decodes into rgba, which has exactly 4 * width * height bytes of what pictor_codec_probe said of the same bytes; every
 * byte of them must be written, and none beyond. The size is within the site's limits by then. */
int32_t pictor_codec_decode(const uint8_t *bytes, size_t length, uint8_t *rgba, size_t rgba_length);

/* ---- with PICTOR_CODEC_ENCODES ---- */

/* Encodes rgba, of 4 * width * height bytes. quality: 1 (smallest) to 100 (best). Both sides 1 to 16383. On OK, *file is
 * memory of the library's own with *file_length bytes, 1 to 2^30, which pictor_codec_free is called with once. On anything
 * else nothing has to be freed. */
int32_t pictor_codec_encode(const uint8_t *rgba, size_t rgba_length, uint32_t width, uint32_t height, uint32_t quality,
                            uint8_t **file, size_t *file_length);

void pictor_codec_free(uint8_t *file, size_t file_length);

#ifdef __cplusplus
}
#endif

#endif
