// Files out of what people choose, drop or paste.

const types = {
  avif: "image/avif", bmp: "image/bmp", gif: "image/gif", heic: "image/heic", heif: "image/heif",
  jfif: "image/jpeg", jpeg: "image/jpeg", jpg: "image/jpeg", jxl: "image/jxl", png: "image/png",
  svg: "image/svg+xml", tif: "image/tiff", tiff: "image/tiff", webp: "image/webp",
};

/** The file's type as the browser knows it, else as its name tells (few systems know HEIC). */
export function typeOf(file) {
  if (file.type) return file.type;
  return types[file.name.toLowerCase().match(/\.([a-z0-9]+)$/)?.[1]] ?? "application/octet-stream";
}

/** Sorts files into pictures and the rest; files that systems hide in folders are left out of both. */
export function sift(files) {
  const pictures = [];
  const others = [];
  for (const file of files) {
    if (file.name.startsWith(".") || file.name === "Thumbs.db") continue;
    (typeOf(file).startsWith("image/") ? pictures : others).push(file);
  }
  return { pictures, others };
}

/**
 * All files of a drop, those inside of dropped folders too, by name. It has to
 * be called while the drop event is handled: the browser empties it after.
 */
export async function dropped(transfer) {
  const entries = [...transfer.items].filter((item) => item.kind === "file").map((item) => item.webkitGetAsEntry?.() ?? null);
  const flat = [...transfer.files];
  if (!entries.some((entry) => entry?.isDirectory)) return flat;
  const found = await Promise.all(entries.filter(Boolean).map(walk));
  return found.flat();
}

async function walk(entry) {
  try {
    if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
    const reader = entry.createReader();
    const children = [];
    for (;;) {
      // readEntries gives at most a hundred at a time, and none at the end.
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (some.length === 0) break;
      children.push(...some);
    }
    children.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
    const files = [];
    for (const child of children) files.push(...(await walk(child)));
    return files;
  } catch {
    return []; // unreadable: gone or forbidden; the rest of the folder still counts
  }
}

/** Pasted files. Browsers call every pasted picture image.png: the time tells them apart. */
export function pasted(transfer) {
  const time = new Date().toTimeString().slice(0, 8).replaceAll(":", ".");
  return [...transfer.files].map((file) => {
    const extension = file.name.match(/^image(\.[a-z]+)$/)?.[1];
    return extension ? new File([file], `Pasted ${time}${extension}`, { type: file.type }) : file;
  });
}
