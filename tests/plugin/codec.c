/* A codec of a trivial format, with faults on demand: for the tests of the plug-in interface.
 *
 * A file is "TPG" and a byte of behaviour, width and height (32 bits, little-endian), alpha (a byte), then RGBA.
 * Built with -DABI=n it claims another version, with -DFEATURES=n to do something else, with -DBAD_ENCODE=n its encoder
 * misbehaves; with -DNO_FREE a function is missing. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "pictor_codec.h"

#ifndef ABI
#define ABI PICTOR_CODEC_ABI
#endif
#ifndef FEATURES
#define FEATURES (PICTOR_CODEC_DECODES | PICTOR_CODEC_ENCODES)
#endif
#ifndef BAD_ENCODE
#define BAD_ENCODE 0
#endif

enum { HEAD = 13 };

static const char *why = NULL;

static int32_t fail(int32_t status, const char *sentence) {
    why = sentence;
    return status;
}

static uint32_t number(const uint8_t *at) {
    return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

uint32_t pictor_codec_abi(void) { return ABI; }
uint32_t pictor_codec_features(void) { return FEATURES; }
const char *pictor_codec_name(void) { return "trivial 0.1"; }
const char *pictor_codec_error(void) { return why; }

const uint8_t *pictor_codec_magic(size_t *length) {
    *length = 3;
    return (const uint8_t *)"TPG";
}

int32_t pictor_codec_probe(const uint8_t *bytes, size_t length, pictor_codec_header *header) {
    if (length < 4 || memcmp(bytes, "TPG", 3)) return PICTOR_CODEC_NOT_MINE;
    if (length < HEAD) return fail(PICTOR_CODEC_CORRUPT, "the header is\ncut off");
    if (bytes[3] == 'q') return 77;
    header->width = number(bytes + 4);
    header->height = number(bytes + 8);
    header->alpha = bytes[12];
    return PICTOR_CODEC_OK;
}

int32_t pictor_codec_decode(const uint8_t *bytes, size_t length, uint8_t *rgba, size_t rgba_length) {
    switch (bytes[3]) {
    case 'c': /* crashes */
        *(volatile uint8_t *)8 = 1;
        break;
    case 'o': /* writes beyond its memory */
        memset(rgba, 7, rgba_length + 1);
        return PICTOR_CODEC_OK;
    case 's': /* never ends */
        for (volatile int turn = 0;; turn = !turn) {}
    case 'f': /* wants a file */
        if (open("/etc/passwd", O_RDONLY) < 0) return fail(PICTOR_CODEC_UNSUPPORTED, "no file may be opened");
        return PICTOR_CODEC_OK;
    case 'm': { /* wants more memory than there is */
        void *much = malloc((size_t)1 << 40);
        if (!much) return fail(PICTOR_CODEC_NO_MEMORY, NULL);
        free(much);
        return PICTOR_CODEC_OK;
    }
    }
    if (length < HEAD + rgba_length) return fail(PICTOR_CODEC_CORRUPT, "pixels are missing");
    memcpy(rgba, bytes + HEAD, rgba_length);
    return PICTOR_CODEC_OK;
}

int32_t pictor_codec_encode(const uint8_t *rgba, size_t rgba_length, uint32_t width, uint32_t height, uint32_t quality,
                            uint8_t **file, size_t *file_length) {
    if (quality < 1 || quality > 100) return 99;
    if (width > 1000) return fail(PICTOR_CODEC_UNSUPPORTED, "it is too wide for me");
    *file_length = HEAD + rgba_length;
    *file = malloc(*file_length);
    if (!*file) return PICTOR_CODEC_NO_MEMORY;
    /* The quality shows, so that tests can see that it came through. */
    memcpy(*file, "TPG", 3);
    (*file)[3] = (uint8_t)quality;
    for (int shift = 0; shift < 32; shift += 8) {
        (*file)[4 + shift / 8] = (uint8_t)(width >> shift);
        (*file)[8 + shift / 8] = (uint8_t)((height + (BAD_ENCODE == 4)) >> shift);
    }
    (*file)[12] = 1;
    memcpy(*file + HEAD, rgba, rgba_length);
    if (BAD_ENCODE == 1) *file = NULL;
    if (BAD_ENCODE == 2) *file_length = (size_t)-1;
    if (BAD_ENCODE == 3) return 99;
    if (BAD_ENCODE == 5) abort();
    return PICTOR_CODEC_OK;
}

#ifndef NO_FREE
void pictor_codec_free(uint8_t *file, size_t file_length) {
    memset(file, 0, file_length);
    free(file);
}
#endif
