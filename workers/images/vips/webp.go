package vips

import "encoding/binary"

// withoutEXIF takes the EXIF chunk out of a WebP. libvips 8.14 ignores "strip" when it writes one, and
// adds an EXIF of its own making where there was none: harmless, but 200 bytes that nobody wants.
func withoutEXIF(webp []byte) []byte {
	const head, features, exifFlag = 12, 8, 0x08
	out := make([]byte, head, len(webp))
	copy(out, webp)
	extended := -1
	for at := head; at+8 <= len(webp); {
		length := int(binary.LittleEndian.Uint32(webp[at+4:]))
		end := min(at+8+length+length%2, len(webp))
		switch string(webp[at : at+4]) {
		case "EXIF":
		case "VP8X":
			extended = len(out)
			fallthrough
		default:
			out = append(out, webp[at:end]...)
		}
		at = end
	}
	if extended >= 0 {
		out[extended+features] &^= exifFlag
		if out[extended+features] == 0 { // nothing is left that needs the extended form
			const whole = 18
			out = append(out[:extended], out[extended+whole:]...)
		}
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}
