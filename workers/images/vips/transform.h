// The C side of package vips: everything that touches libvips.
//
// Go decides (what is accepted, how large each variant is), C does. A picture is one
// drydock_picture: drydock_read fills in what the header says, drydock_make decodes once and
// encodes every variant. C never calls Go.

#ifndef DRYDOCK_TRANSFORM_H
#define DRYDOCK_TRANSFORM_H

#include <stddef.h>
#include <stdint.h>

// Why a call failed. Text in libvips's error buffer is shared by all threads, so that these codes,
// which belong to one picture alone, are what decides.
enum drydock_failure {
  DRYDOCK_OK,
  DRYDOCK_PICTURE,    // the decoder refused the picture
  DRYDOCK_CANCELLED,  // drydock_cancel was called
  DRYDOCK_TIME,       // the deadline passed
  DRYDOCK_INPUT,      // reading the file failed: errno is in picture.error
  DRYDOCK_OUTPUT,     // resizing or encoding failed: not the picture's fault
};

enum drydock_format { DRYDOCK_JPEG, DRYDOCK_PNG, DRYDOCK_WEBP, DRYDOCK_GIF, DRYDOCK_HEIF, DRYDOCK_AVIF };

enum drydock_crop { DRYDOCK_FIT, DRYDOCK_CENTRE, DRYDOCK_ATTENTION };

typedef struct {
  // Set by the caller before drydock_read.
  int fd;
  int64_t size;
  int64_t deadline;  // on g_get_monotonic_time's clock, microseconds
  int format;        // enum drydock_format of the file

  // Filled in by drydock_read, from the header: nothing is decoded yet.
  int width, height;  // one page, as stored: before orientation is applied
  int pages;
  int bands, depth;  // depth in bytes per band
  int orientation;   // EXIF, 1 to 8
  int interlaced;    // or progressive: cannot be decoded row by row
  int profile;       // has an ICC profile that applies to its pixels as decoded

  // The state of reading, private to C except for error and ended.
  int64_t position;
  int ended;  // the decoder asked for bytes past the end
  int error;
  int cancelled;
  void *source;
} drydock_picture;

// How to decode: every variant is derived from one base picture.
typedef struct {
  int jpeg_shrink;    // 1, 2, 4 or 8
  double webp_scale;  // 0 < scale <= 1
  int pages;          // how many to load
  int width, height;  // of one page of the base, before orientation is applied
} drydock_base;

typedef struct {
  int width, height;            // scaled to this, after orientation
  int crop;                     // enum drydock_crop
  int crop_width, crop_height;  // then cropped to this
  int format;                   // DRYDOCK_WEBP, DRYDOCK_AVIF or DRYDOCK_JPEG
  int quality, effort;

  // Filled in by drydock_make. Free bytes with drydock_free.
  void *bytes;
  size_t length;
  int pages;
} drydock_variant;

// Once per process, before anything else. Returns a message (static) or NULL.
const char *drydock_startup(void);
void drydock_shutdown(void);

// Both return an enum drydock_failure. After any result, drydock_close must follow.
int drydock_read(drydock_picture *picture);
int drydock_make(drydock_picture *picture, const drydock_base *base, drydock_variant *variants, int count);
void drydock_close(drydock_picture *picture);

// Safe from any thread until drydock_close.
void drydock_cancel(drydock_picture *picture);

int64_t drydock_now(void);
char *drydock_error(void);  // takes libvips's error text; free it with drydock_free
void drydock_forget_errors(void);
void drydock_free(void *memory);

#endif
