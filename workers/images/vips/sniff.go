package vips

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// sniffLength is how much of a file sniff wants to see.
const sniffLength = 1024

const (
	unreadable = "The file is not a picture that we can read."
	endless    = "The file ends before the picture does."
)

// magics are formats told by their first bytes. Those with a reason are not accepted.
var magics = []struct{ magic, format, reason string }{
	{"\xff\xd8\xff", "jpeg", ""},
	{"\x89PNG\r\n\x1a\n", "png", ""},
	{"GIF87a", "gif", ""},
	{"GIF89a", "gif", ""},
	{"%PDF", "pdf", "PDF documents are not accepted: send a picture of the page instead."},
	{"%!PS", "postscript", "PostScript documents are not accepted: they are programs."},
	{"II*\x00", "tiff", "TIFF pictures are not accepted: save it as JPEG or PNG."},
	{"MM\x00*", "tiff", "TIFF pictures are not accepted: save it as JPEG or PNG."},
	{"BM", "bmp", "BMP pictures are not accepted: save it as JPEG or PNG."},
	{"8BPS", "psd", "Photoshop documents are not accepted: save it as JPEG or PNG."},
	{"\x00\x00\x01\x00", "ico", "Icon files are not accepted: save it as PNG."},
	{"\xff\x0a", "jxl", "JPEG XL pictures are not accepted yet: save it as JPEG or PNG."},
	{"\x00\x00\x00\x0cJXL ", "jxl", "JPEG XL pictures are not accepted yet: save it as JPEG or PNG."},
	{"\x00\x00\x00\x0cjP  ", "jp2", "JPEG 2000 pictures are not accepted: save it as JPEG or PNG."},
	{"PK\x03\x04", "zip", "The file is an archive, not a picture."},
	{"\x1f\x8b", "gzip", "The file is an archive, not a picture."},
	{"\x1aE\xdf\xa3", "video", "The file is a video, not a picture."},
}

// sniff names the format of a file by its first bytes, and returns a Rejected unless it is one of
// jpeg, png, webp, gif, heif and avif.
func sniff(start []byte) (string, error) {
	if len(start) == 0 {
		return "", reject("The file is empty.")
	}
	for _, m := range magics {
		if bytes.HasPrefix(start, []byte(m.magic)) {
			if m.reason != "" {
				return m.format, &Rejected{Reason: m.reason}
			}
			return m.format, nil
		}
	}
	if len(start) >= 12 && string(start[:4]) == "RIFF" && string(start[8:12]) == "WEBP" {
		return "webp", nil
	}
	if len(start) >= 12 && string(start[4:8]) == "ftyp" {
		return sniffBrands(start)
	}
	return sniffMarkup(start)
}

// sniffBrands tells the pictures from the videos in the ISO media family.
func sniffBrands(start []byte) (string, error) {
	length := int(min(binary.BigEndian.Uint32(start), uint32(len(start))))
	for at := 8; at+4 <= length; at += 4 {
		if at == 12 { // the minor version, not a brand
			continue
		}
		switch string(start[at : at+4]) {
		case "avif", "avis":
			return "avif", nil
		case "heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs":
			return "heif", nil
		}
	}
	return "video", reject("The file is a video, not a picture.")
}

func sniffMarkup(start []byte) (string, error) {
	text := strings.ToLower(string(bytes.TrimPrefix(start, []byte("\xef\xbb\xbf"))))
	switch {
	case strings.Contains(text, "<svg"):
		return "svg", reject("SVG pictures are not accepted: they can contain programs.")
	case strings.Contains(text, "<html"), strings.Contains(text, "<!doctype html"):
		return "html", reject("The file is a web page, not a picture.")
	case strings.HasPrefix(strings.TrimSpace(text), "<?xml"):
		return "xml", reject("XML documents are not accepted: they can contain programs.")
	}
	return "", &Rejected{Reason: unreadable}
}
