package s3

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"
)

// checksum is an additional checksum of an object or a part.
type checksum struct {
	Algorithm string `json:"algorithm,omitempty"` // CRC32, CRC32C, SHA1, SHA256, CRC64NVME
	Value     string `json:"value,omitempty"`     // base64, with "-<parts>" when composite
	Type      string `json:"type,omitempty"`      // FULL_OBJECT or COMPOSITE
}

const (
	fullObject = "FULL_OBJECT"
	composite  = "COMPOSITE"
)

func checksumTypes() []minio.ChecksumType {
	return []minio.ChecksumType{
		minio.ChecksumCRC32, minio.ChecksumCRC32C, minio.ChecksumSHA1, minio.ChecksumSHA256, minio.ChecksumCRC64NVME,
	}
}

// checksumByName finds an algorithm by its S3 name.
func checksumByName(name string) (minio.ChecksumType, bool) {
	for _, t := range checksumTypes() {
		if strings.EqualFold(t.String(), name) {
			return t, true
		}
	}
	return minio.ChecksumNone, false
}

// checksumByHeader finds an algorithm by its x-amz-checksum-… header.
func checksumByHeader(name string) (minio.ChecksumType, bool) {
	for _, t := range checksumTypes() {
		if strings.EqualFold(t.Key(), name) {
			return t, true
		}
	}
	return minio.ChecksumNone, false
}

// headers of the algorithm family that name no algorithm.
const (
	headerChecksumAlgorithm = "X-Amz-Checksum-Algorithm"
	headerChecksumType      = "X-Amz-Checksum-Type"
	headerChecksumMode      = "X-Amz-Checksum-Mode"
	headerSDKAlgorithm      = "X-Amz-Sdk-Checksum-Algorithm"
	headerTrailer           = "X-Amz-Trailer"
)

// wantedChecksum reads which checksum a request carries, in a header or
// announced as a trailer. The value is empty when it comes in the trailer.
func wantedChecksum(h http.Header) (t minio.ChecksumType, value string, err error) {
	for name := range h {
		if !strings.HasPrefix(name, "X-Amz-Checksum-") || name == headerChecksumAlgorithm || name == headerChecksumType || name == headerChecksumMode {
			continue
		}
		found, ok := checksumByHeader(name)
		if !ok {
			return t, "", errInvalidChecksum
		}
		if t.IsSet() {
			return t, "", errInvalidRequest.saying("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
		}
		t, value = found, h.Get(name)
		if raw, derr := base64.StdEncoding.DecodeString(value); derr != nil || len(raw) != t.RawByteLen() {
			return t, "", errInvalidRequest.saying("Value for %s header is invalid.", t.Key())
		}
	}
	for _, names := range h.Values(headerTrailer) {
		for name := range strings.SplitSeq(names, ",") {
			found, ok := checksumByHeader(strings.TrimSpace(name))
			if !ok {
				return t, "", errInvalidChecksum
			}
			if t.IsSet() && t != found {
				return t, "", errInvalidRequest.saying("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
			}
			t = found
		}
	}
	if t.IsSet() {
		return t, value, nil
	}
	// An algorithm without a checksum asks for nothing.
	for _, name := range []string{headerChecksumAlgorithm, headerSDKAlgorithm} {
		if v := h.Get(name); v != "" {
			if _, ok := checksumByName(v); !ok {
				return t, "", errInvalidChecksum
			}
		}
	}
	return minio.ChecksumNone, "", nil
}

// setHeaders tells a client the checksum.
func (c checksum) setHeaders(h http.Header) {
	if t, ok := checksumByName(c.Algorithm); ok && c.Value != "" {
		h.Set(t.Key(), c.Value)
		h.Set(headerChecksumType, c.Type)
	}
}

// checksumXML is the part of an answer that tells a checksum.
type checksumXML struct {
	ChecksumCRC32     string `xml:",omitempty"`
	ChecksumCRC32C    string `xml:",omitempty"`
	ChecksumSHA1      string `xml:",omitempty"`
	ChecksumSHA256    string `xml:",omitempty"`
	ChecksumCRC64NVME string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
}

func (c checksum) xml() checksumXML {
	x := checksumXML{ChecksumType: c.Type}
	*x.field(c.Algorithm) = c.Value
	if c.Algorithm == "" {
		return checksumXML{}
	}
	return x
}

func (x *checksumXML) field(algorithm string) *string {
	switch algorithm {
	case "CRC32":
		return &x.ChecksumCRC32
	case "CRC32C":
		return &x.ChecksumCRC32C
	case "SHA1":
		return &x.ChecksumSHA1
	case "SHA256":
		return &x.ChecksumSHA256
	case "CRC64NVME":
		return &x.ChecksumCRC64NVME
	}
	return new(string)
}
