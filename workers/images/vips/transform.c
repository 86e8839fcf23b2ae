#define _GNU_SOURCE  // dladdr

#include "transform.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <gmodule.h>
#include <vips/vips.h>

// --- Once per process ---------------------------------------------------------------------------

// Warnings about strangers' pictures are not news, and libvips would print them on stderr. Critical
// messages are faults in the program: they stay.
static void log_quietly(const char *domain, GLogLevelFlags level, const char *message, void *data) {
  if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
    g_log_default_handler(domain, level, message, data);
}

// By itself libvips loads every module installed beside it, and with them the libraries of formats
// that are never opened here. Where the one for HEIF is a module that can be found, libvips is told to
// look for modules where there are none, and gets that one.
static char *heif_module;

// It is told so before there is any other thread, which setenv asks for.
__attribute__((constructor)) static void find_heif_module(void) {
  Dl_info library;
  if (getenv("VIPSHOME") || !dladdr((void *)vips_init, &library) || !library.dli_fname) return;
  char *folder = g_path_get_dirname(library.dli_fname);
  char *modules = g_strdup_printf("vips-modules-%d.%d", vips_version(0), vips_version(1));
  heif_module = g_build_filename(folder, modules, "vips-heif." G_MODULE_SUFFIX, NULL);
  g_free(modules);
  g_free(folder);
  if (g_file_test(heif_module, G_FILE_TEST_EXISTS)) setenv("VIPSHOME", "/nonexistent", 1);
  else g_clear_pointer(&heif_module, g_free);
}

static int start_vips(void) {
  if (vips_init("drydock-images")) return -1;
  GModule *module = heif_module ? g_module_open(heif_module, G_MODULE_BIND_LAZY) : NULL;
  if (module) g_module_make_resident(module);
  return 0;
}

const char *drydock_startup(void) {
  static const char *wanted[] = {"jpegload_source", "pngload_source",  "webpload_source", "gifload_source",
                                 "heifload_source", "jpegsave_buffer", "webpsave_buffer", "heifsave_buffer"};
  static const char *opened[] = {"VipsForeignLoadJpeg", "VipsForeignLoadPng", "VipsForeignLoadWebp",
                                 "VipsForeignLoadNsgif", "VipsForeignLoadHeif"};

#ifdef M_ARENA_MAX
  // Pictures are a few large blocks, moved between threads: more arenas only keep more of them.
  mallopt(M_ARENA_MAX, 2);
#endif
  g_log_set_default_handler(log_quietly, NULL);
  if (start_vips()) return "libvips does not start";
  for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
    if (!vips_type_find("VipsOperation", wanted[i])) return "libvips was built without JPEG, PNG, WebP, GIF or HEIF";

  vips_concurrency_set(1);  // one picture, one core: pictures run side by side instead
  vips_cache_set_max(0);
  vips_block_untrusted_set(TRUE);
  vips_operation_block_set("VipsForeignLoad", TRUE);
  for (size_t i = 0; i < G_N_ELEMENTS(opened); i++) vips_operation_block_set(opened[i], FALSE);
  return NULL;
}

void drydock_shutdown(void) { vips_shutdown(); }

int64_t drydock_now(void) { return g_get_monotonic_time(); }

char *drydock_error(void) { return vips_error_buffer_copy(); }

void drydock_forget_errors(void) { vips_error_clear(); }

void drydock_free(void *memory) { g_free(memory); }

// --- Stopping -----------------------------------------------------------------------------------

void drydock_cancel(drydock_picture *picture) { __atomic_store_n(&picture->cancelled, 1, __ATOMIC_RELEASE); }

static int stopped(drydock_picture *picture) {
  if (__atomic_load_n(&picture->cancelled, __ATOMIC_ACQUIRE)) return DRYDOCK_CANCELLED;
  return drydock_now() > picture->deadline ? DRYDOCK_TIME : DRYDOCK_OK;
}

// The reason for a failure, the surest first.
static int why(drydock_picture *picture, int otherwise) {
  int reason = stopped(picture);
  if (reason) return reason;
  return picture->error ? DRYDOCK_INPUT : otherwise;
}

// Called by libvips between strips of pixels.
static void on_progress(VipsImage *image, VipsProgress *progress, drydock_picture *picture) {
  if (stopped(picture)) vips_image_set_kill(image, TRUE);
}

static void watch(VipsImage *image, drydock_picture *picture) {
  vips_image_set_progress(image, TRUE);
  g_signal_connect(image, "eval", G_CALLBACK(on_progress), picture);
}

// --- Reading ------------------------------------------------------------------------------------

// Our own source rather than libvips's, because interlaced and progressive pictures are decoded in
// one go: reading is the only place where they can be stopped. Never reads past the size at opening:
// vips_source_read_to_memory overflows if a file grows.
static gint64 on_read(VipsSourceCustom *source, void *buffer, gint64 length, drydock_picture *picture) {
  if (stopped(picture)) return -1;
  length = MIN(length, picture->size - picture->position);
  if (length <= 0) {
    picture->ended = 1;
    return 0;
  }
  ssize_t got;
  do got = pread(picture->fd, buffer, length, picture->position);
  while (got < 0 && errno == EINTR);
  if (got < 0) picture->error = errno;
  if (got > 0) picture->position += got;
  return got;
}

static gint64 on_seek(VipsSourceCustom *source, gint64 offset, int whence, drydock_picture *picture) {
  if (whence == SEEK_CUR) offset += picture->position;
  if (whence == SEEK_END) offset += picture->size;
  if (offset < 0) return -1;
  return picture->position = offset;
}

// Opens the picture with the one loader that Go chose: libvips never guesses.
static VipsImage *load(drydock_picture *picture, const drydock_base *base) {
  VipsSource *source = picture->source;
  VipsImage *image = NULL;
  int pages = base ? base->pages : -1;
#define HOW "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_TRUNCATED
  switch (picture->format) {
    case DRYDOCK_JPEG:
      vips_jpegload_source(source, &image, HOW, "shrink", base ? base->jpeg_shrink : 1, NULL);
      break;
    case DRYDOCK_PNG:
      vips_pngload_source(source, &image, HOW, NULL);
      break;
    case DRYDOCK_WEBP:
      vips_webpload_source(source, &image, HOW, "scale", base ? base->webp_scale : 1.0, "n", pages, NULL);
      break;
    case DRYDOCK_GIF:
      vips_gifload_source(source, &image, HOW, "n", pages, NULL);
      break;
    default:
      vips_heifload_source(source, &image, HOW, NULL);
  }
#undef HOW
  return image;
}

// The pages that an image holds: n-pages counts those of the file.
static int pages_of(VipsImage *image) {
  return vips_image_get_height(image) / vips_image_get_page_height(image);
}

int drydock_read(drydock_picture *picture) {
  VipsSourceCustom *source = vips_source_custom_new();
  g_signal_connect(source, "read", G_CALLBACK(on_read), picture);
  g_signal_connect(source, "seek", G_CALLBACK(on_seek), picture);
  picture->source = source;

  VipsImage *image = load(picture, NULL);
  if (image) {
    picture->width = vips_image_get_width(image);
    picture->height = vips_image_get_page_height(image);
    picture->pages = pages_of(image);
    picture->bands = vips_image_get_bands(image);
    picture->depth = vips_format_sizeof(vips_image_get_format(image));
    picture->orientation = vips_image_get_orientation(image);
    picture->interlaced = vips_image_get_typeof(image, "interlaced") != 0;
    // A CMYK profile is used up by the conversion to RGB.
    picture->profile = vips_image_get_typeof(image, VIPS_META_ICC_NAME) != 0 &&
                       vips_image_get_interpretation(image) != VIPS_INTERPRETATION_CMYK;
    g_object_unref(image);
  }
  vips_thread_shutdown();
  return image ? DRYDOCK_OK : why(picture, DRYDOCK_PICTURE);
}

void drydock_close(drydock_picture *picture) { g_clear_object((GObject **)&picture->source); }

// --- Decoding -----------------------------------------------------------------------------------

// Scales every page to exactly width × height. Goes to sRGB through the ICC profile if told to.
static int scale(VipsImage *in, VipsImage **out, int width, int height, gboolean profile) {
  if (profile)
    return vips_thumbnail_image(in, out, width, "height", height, "size", VIPS_SIZE_FORCE, "no_rotate", TRUE,
                                "export_profile", "srgb", NULL);
  return vips_thumbnail_image(in, out, width, "height", height, "size", VIPS_SIZE_FORCE, "no_rotate", TRUE, NULL);
}

// Removes every field that a saver might write, except what makes an animation.
static void strip(VipsImage *image) {
  static const char *const kept[] = {VIPS_META_PAGE_HEIGHT, "delay", "loop", NULL};
  char **names = vips_image_get_fields(image);
  gboolean animated = pages_of(image) > 1;
  for (int i = 0; names[i]; i++)
    if (!animated || !g_strv_contains(kept, names[i])) vips_image_remove(image, names[i]);
  g_strfreev(names);
}

// The one decode: the base picture, in memory, upright, sRGB or grey, 8 bits, without metadata.
static VipsImage *decode(drydock_picture *picture, const drydock_base *base) {
  VipsObject *scope = VIPS_OBJECT(vips_image_new());
  VipsImage **t = (VipsImage **)vips_object_local_array(scope, 4);
  VipsImage *out = NULL;

  if (!(t[0] = load(picture, base))) goto done;
  // A profile that cannot be used is ignored, as browsers do. More than four bands come of a grey
  // profile on a colour picture.
  if (!picture->profile || scale(t[0], &t[1], base->width, base->height, TRUE) || vips_image_get_bands(t[1]) > 4) {
    g_clear_object(&t[1]);
    if (scale(t[0], &t[1], base->width, base->height, FALSE)) goto done;
  }
  watch(t[1], picture);
  // A sequential image can be read once only.
  if (!(t[2] = vips_image_copy_memory(t[1]))) goto done;
  vips_image_set_progress(t[2], FALSE);
  if (pages_of(t[2]) > 1) {
    if (vips_copy(t[2], &out, NULL)) goto done;
  } else {
    // The header's orientation, because the loaders that shrink may lose it.
    if (vips_copy(t[2], &t[3], NULL)) goto done;
    vips_image_set_int(t[3], VIPS_META_ORIENTATION, picture->orientation);
    if (vips_autorot(t[3], &out, NULL)) goto done;
  }
  strip(out);
done:
  g_object_unref(scope);
  return out;
}

// --- Deriving and encoding ----------------------------------------------------------------------

// Crops every page at the same place: the first page decides where attention goes.
static int crop(VipsObject *scope, VipsImage *in, VipsImage **out, const drydock_variant *variant) {
  int pages = pages_of(in), height = vips_image_get_page_height(in), width = vips_image_get_width(in);
  VipsImage **t = (VipsImage **)vips_object_local_array(scope, pages + 4);
  VipsInteresting interest =
      variant->crop == DRYDOCK_ATTENTION ? VIPS_INTERESTING_ATTENTION : VIPS_INTERESTING_CENTRE;

  if (!(t[0] = vips_image_copy_memory(in)) || vips_crop(t[0], &t[1], 0, 0, width, height, NULL) ||
      vips_smartcrop(t[1], &t[2], variant->crop_width, variant->crop_height, "interesting", interest, NULL))
    return -1;
  if (pages == 1) return vips_copy(t[2], out, NULL);

  int left = -vips_image_get_xoffset(t[2]), top = -vips_image_get_yoffset(t[2]);
  for (int i = 0; i < pages; i++)
    if (vips_crop(t[0], &t[4 + i], left, top + i * height, variant->crop_width, variant->crop_height, NULL)) return -1;
  if (vips_arrayjoin(&t[4], &t[3], pages, "across", 1, NULL) || vips_copy(t[3], out, NULL)) return -1;
  vips_image_set_int(*out, VIPS_META_PAGE_HEIGHT, variant->crop_height);
  return 0;
}

static int encode(VipsImage *in, drydock_variant *variant) {
  switch (variant->format) {
    case DRYDOCK_WEBP:
      return vips_webpsave_buffer(in, &variant->bytes, &variant->length, "Q", variant->quality, "effort",
                                  variant->effort, "strip", TRUE, NULL);
    case DRYDOCK_AVIF:
      return vips_heifsave_buffer(in, &variant->bytes, &variant->length, "Q", variant->quality, "effort",
                                  variant->effort, "compression", VIPS_FOREIGN_HEIF_COMPRESSION_AV1, "strip", TRUE,
                                  NULL);
    default:
      return vips_jpegsave_buffer(in, &variant->bytes, &variant->length, "Q", variant->quality, "optimize_coding", TRUE,
                                  "strip", TRUE, NULL);
  }
}

static int make(drydock_picture *picture, VipsImage *base, drydock_variant *variant) {
  VipsObject *scope = VIPS_OBJECT(vips_image_new());
  VipsImage **t = (VipsImage **)vips_object_local_array(scope, 5);
  VipsImage *in = base;
  int result = -1;

  if (variant->format != DRYDOCK_WEBP && pages_of(in) > 1) {
    if (vips_crop(in, &t[0], 0, 0, vips_image_get_width(in), vips_image_get_page_height(in), NULL)) goto done;
    in = t[0];
    strip(in);
  }
  if (variant->width != vips_image_get_width(in) || variant->height != vips_image_get_page_height(in)) {
    if (scale(in, &t[1], variant->width, variant->height, FALSE)) goto done;
    in = t[1];
  }
  if (variant->crop != DRYDOCK_FIT) {
    if (crop(scope, in, &t[2], variant)) goto done;
    in = t[2];
  }
  if (variant->format == DRYDOCK_JPEG && vips_image_hasalpha(in)) {
    VipsArrayDouble *white = vips_array_double_newv(1, 255.0);
    int failed = vips_flatten(in, &t[3], "background", white, NULL);
    vips_area_unref(VIPS_AREA(white));
    if (failed) goto done;
    in = t[3];
  }
  if (vips_copy(in, &t[4], NULL)) goto done;
  watch(t[4], picture);
  variant->pages = pages_of(t[4]);
  result = encode(t[4], variant);
done:
  g_object_unref(scope);
  return result;
}

int drydock_make(drydock_picture *picture, const drydock_base *base, drydock_variant *variants, int count) {
  int failure = DRYDOCK_OK;
  VipsImage *image = decode(picture, base);
  if (!image) failure = why(picture, DRYDOCK_PICTURE);
  for (int i = 0; !failure && i < count; i++) {
    failure = stopped(picture);
    if (!failure && make(picture, image, &variants[i])) failure = why(picture, DRYDOCK_OUTPUT);
  }
  if (image) g_object_unref(image);
  vips_thread_shutdown();
  return failure;
}
