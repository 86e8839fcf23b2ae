package vips

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"math"
)

// survey counts the frames of a GIF or WebP, up to one more than most, and tells whether a GIF has lost
// its end. libvips would hold a hundred bytes a frame before we could ask it how many there are, and takes
// a GIF that ends within a frame for a whole one.
func survey(file io.ReaderAt, size int64, format string, most int) (frames int, cut bool) {
	switch format {
	case "gif":
		frames, err := gifFrames(bufio.NewReader(io.NewSectionReader(file, 0, size)), most)
		return frames, errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	case "webp":
		return webpFrames(file, size, most), false
	}
	return 1, false
}

// gifFrames returns io.EOF or io.ErrUnexpectedEOF if the file ends anywhere but after a frame. What it
// does not understand it leaves to the decoder.
func gifFrames(r *bufio.Reader, most int) (int, error) {
	var screen [13]byte
	if _, err := io.ReadFull(r, screen[:]); err != nil {
		return 0, err
	}
	if err := skipColours(r, screen[10]); err != nil {
		return 0, err
	}
	for frames := 0; ; {
		kind, err := r.ReadByte()
		if err != nil && frames > 0 {
			return frames, nil // many GIFs have no trailer
		}
		switch {
		case err != nil:
			return 0, err
		case kind == '!': // an extension, of some kind
			_, err = r.ReadByte()
		case kind == ',':
			var at [9]byte
			if _, err = io.ReadFull(r, at[:]); err != nil {
				return frames, err
			}
			if err = skipColours(r, at[8]); err != nil {
				return frames, err
			}
			_, err = r.ReadByte() // code size
			frames++
		default: // the trailer, or rubbish
			return frames, nil
		}
		if err == nil {
			err = skipBlocks(r)
		}
		if err != nil || frames > most {
			return frames, err
		}
	}
}

func skipColours(r *bufio.Reader, flags byte) error {
	if flags&0x80 == 0 {
		return nil
	}
	_, err := r.Discard(3 << (flags&7 + 1))
	return err
}

func skipBlocks(r *bufio.Reader) error {
	for {
		length, err := r.ReadByte()
		if err != nil || length == 0 {
			return err
		}
		if _, err := r.Discard(int(length)); err != nil {
			return err
		}
	}
}

func webpFrames(file io.ReaderAt, size int64, most int) int {
	frames := 0
	for at := int64(12); at < size && frames <= most; {
		var chunk [8]byte
		if _, err := file.ReadAt(chunk[:], at); err != nil {
			break
		}
		if string(chunk[:4]) == "ANMF" {
			frames++
		}
		length := int64(binary.LittleEndian.Uint32(chunk[4:]))
		at += 8 + length + length%2
	}
	return max(1, frames)
}

// endsEarly tells whether a picture that could not be read has lost its end. Of JPEG and PNG the decoder
// asked for more; WebP, HEIF and AVIF are read whole, and say how long they are.
func endsEarly(file io.ReaderAt, size int64, format string, asked bool) bool {
	switch format {
	case "webp":
		var riff [8]byte
		_, err := file.ReadAt(riff[:], 0)
		return err == nil && int64(binary.LittleEndian.Uint32(riff[4:]))+8 > size
	case "heif", "avif":
		return boxesEnd(file, size) > size
	}
	return asked
}

// boxesEnd follows the top-level boxes of an ISO media file to where the last one says that it ends.
func boxesEnd(file io.ReaderAt, size int64) int64 {
	at := int64(0)
	for at < size {
		var box [16]byte
		if n, err := file.ReadAt(box[:], at); err != nil && n < 8 {
			return math.MaxInt64
		}
		length := uint64(binary.BigEndian.Uint32(box[:]))
		if length == 1 {
			length = binary.BigEndian.Uint64(box[8:])
		}
		switch {
		case length < 8: // to the end of the file, or rubbish
			return size
		case length > uint64(size-at):
			return math.MaxInt64
		}
		at += int64(length)
	}
	return at
}
