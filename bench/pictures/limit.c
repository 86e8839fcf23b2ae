// The most that libvips can do on this machine: decode, make the three default variants, encode, and
// nothing else. `make bench` holds the images worker against it.
//
//   cc -O2 limit.c $(pkg-config --cflags --libs vips) -lpthread -o limit
//   limit ROUNDS THREADS file...
//
// Every file is read into memory first. Each thread takes the next picture until all have been done
// ROUNDS times. Prints one line: {"pictures":N,"seconds":S}. The operations and settings are
// those of workers/images/vips/transform.c, without its limits: shrink on load, the small ones from the
// 1280 one, 160×160 attention crop, WebP q80 effort 4, no metadata.

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <vips/vips.h>

typedef struct {
  void *bytes;
  size_t length;
} file;

static file *files;
static int file_count, total, next_picture;

static void fail(const char *what) {
  fprintf(stderr, "limit: %s: %s\n", what, vips_error_buffer());
  exit(1);
}

static void strip(VipsImage *image) {
  char **names = vips_image_get_fields(image);
  for (int i = 0; names[i]; i++) vips_image_remove(image, names[i]);
  g_strfreev(names);
}

static void encode(VipsImage *image) {
  void *bytes = NULL;
  size_t length;
  if (vips_webpsave_buffer(image, &bytes, &length, "Q", 80, "effort", 4, "strip", TRUE, NULL)) fail("webpsave");
  g_free(bytes);
}

// Fits width × 16383, never larger than the source.
static VipsImage *fit(VipsImage *in, int width) {
  VipsImage *out;
  if (vips_thumbnail_image(in, &out, width, "height", 16383, "size", VIPS_SIZE_DOWN, NULL)) fail("thumbnail_image");
  return out;
}

static void picture(file *f) {
  VipsImage *header, *sequential, *memory, *large, *small, *thumb;
  const char *options = "[fail_on=truncated]";

  if (!(header = vips_image_new_from_buffer(f->bytes, f->length, "", "access", VIPS_ACCESS_SEQUENTIAL, NULL)))
    fail("header");
  int profile = vips_image_get_typeof(header, VIPS_META_ICC_NAME) != 0;
  int width = vips_image_get_orientation_swap(header) ? 16383 : 1280;
  g_object_unref(header);

  // Turned after the copy to memory, as in the worker: the box is that of the picture as stored.
  int failed = profile ? vips_thumbnail_buffer(f->bytes, f->length, &sequential, width, "height", 16383 + 1280 - width,
                                               "size", VIPS_SIZE_DOWN, "no_rotate", TRUE, "option_string", options,
                                               "export_profile", "srgb", NULL)
                       : vips_thumbnail_buffer(f->bytes, f->length, &sequential, width, "height", 16383 + 1280 - width,
                                               "size", VIPS_SIZE_DOWN, "no_rotate", TRUE, "option_string", options, NULL);
  if (failed) fail("thumbnail_buffer");
  if (!(memory = vips_image_copy_memory(sequential))) fail("decode");
  g_object_unref(sequential);
  if (vips_autorot(memory, &large, NULL)) fail("autorot");
  strip(large);

  small = fit(large, 640);
  if (vips_thumbnail_image(large, &thumb, 160, "height", 160, "size", VIPS_SIZE_DOWN, "crop",
                           VIPS_INTERESTING_ATTENTION, NULL))
    fail("thumb");
  encode(thumb);
  encode(small);
  encode(large);
  g_object_unref(thumb);
  g_object_unref(small);
  g_object_unref(large);
  g_object_unref(memory);
}

static void *work(void *unused) {
  int n;
  while ((n = __atomic_fetch_add(&next_picture, 1, __ATOMIC_RELAXED)) < total) picture(&files[n % file_count]);
  vips_thread_shutdown();
  return NULL;
}

int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 0, threads = argc > 2 ? atoi(argv[2]) : 0;
  if (argc < 4 || rounds < 1 || threads < 1) {
    fprintf(stderr, "usage: limit ROUNDS THREADS file...\n");
    return 2;
  }
  mallopt(M_ARENA_MAX, 2);
  if (vips_init(argv[0])) fail("start");
  vips_concurrency_set(1);
  vips_cache_set_max(0);

  file_count = argc - 3;
  total = rounds * file_count;
  files = calloc(file_count, sizeof(file));
  for (int i = 0; i < file_count; i++) {
    GError *error = NULL;
    if (!g_file_get_contents(argv[i + 3], (char **)&files[i].bytes, &files[i].length, &error)) {
      fprintf(stderr, "limit: %s\n", error->message);
      return 1;
    }
  }

  gint64 start = g_get_monotonic_time();
  pthread_t *ids = calloc(threads, sizeof(pthread_t));
  for (int i = 0; i < threads; i++)
    if (pthread_create(&ids[i], NULL, work, NULL)) fail("thread");
  for (int i = 0; i < threads; i++) pthread_join(ids[i], NULL);
  double seconds = (g_get_monotonic_time() - start) / 1e6;

  printf("{\"pictures\":%d,\"seconds\":%.3f}\n", total, seconds);
  return 0;
}
