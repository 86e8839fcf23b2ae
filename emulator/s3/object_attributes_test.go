package s3

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"
)

const everyAttribute = "ETag,Checksum,ObjectParts,StorageClass,ObjectSize"

func TestObjectAttributes(t *testing.T) {
	t.Parallel()
	e, b := versioned(t, Options{})
	r := e.signed(t, "PUT", "/"+b+"/key", []byte("abcd"), "X-Amz-Checksum-Crc32", "7YLNEQ==")
	version := r.header.Get(headerVersionID)
	r = e.signed(t, "GET", "/"+b+"/key?attributes", nil, headerObjectAttributes, everyAttribute)
	require.Equal(t, http.StatusOK, r.status, r.body)
	require.Equal(t, version, r.header.Get(headerVersionID))
	for _, want := range []string{
		"<ETag>e2fc714c4727ee9395f324cd2e7f331f</ETag>", "<ChecksumCRC32>7YLNEQ==</ChecksumCRC32><ChecksumType>FULL_OBJECT<",
		"<PartsCount>1</PartsCount><Part><PartNumber>1</PartNumber><Size>4</Size>", "<StorageClass>STANDARD<", "<ObjectSize>4<",
	} {
		require.Contains(t, r.body, want)
	}
	require.NotContains(t, e.signed(t, "GET", "/"+b+"/key?attributes", nil, headerObjectAttributes, "ETag").body, "ObjectSize")
	require.Equal(t, "InvalidArgument", e.signed(t, "GET", "/"+b+"/key?attributes", nil).code(t))
	require.Equal(t, "InvalidArgument", e.signed(t, "GET", "/"+b+"/key?attributes", nil, headerObjectAttributes, "Color").code(t))
	require.NoError(t, e.RemoveObject(t.Context(), b, "key", minio.RemoveObjectOptions{}))
	require.Equal(t, "NoSuchKey", e.signed(t, "GET", "/"+b+"/key?attributes", nil, headerObjectAttributes, "ETag").code(t))
	require.Contains(t, e.signed(t, "GET", "/"+b+"/key?attributes&versionId="+version, nil, headerObjectAttributes, "ETag").body, "<ETag>")
}

// The parts of an object keep their numbers and can be read one by one.
func TestReadingByPart(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	data := strings.Repeat("x", minPartSize) + "tail"
	id, err := e.core.NewMultipartUpload(t.Context(), b, "key", minio.PutObjectOptions{UserMetadata: map[string]string{headerChecksumAlgorithm: "CRC32C"}})
	require.NoError(t, err)
	var parts []minio.CompletePart
	for n, s := range map[int]string{2: data[:minPartSize], 7: data[minPartSize:]} {
		p, err := e.core.PutObjectPart(t.Context(), b, "key", id, n, strings.NewReader(s), int64(len(s)), minio.PutObjectPartOptions{})
		require.NoError(t, err)
		parts = append(parts, minio.CompletePart{PartNumber: n, ETag: p.ETag})
	}
	if parts[0].PartNumber > parts[1].PartNumber {
		parts[0], parts[1] = parts[1], parts[0]
	}
	_, err = e.core.CompleteMultipartUpload(t.Context(), b, "key", id, parts, minio.PutObjectOptions{})
	require.NoError(t, err)

	r := e.signed(t, "GET", "/"+b+"/key?partNumber=7", nil, headerChecksumMode, "ENABLED")
	require.Equal(t, http.StatusPartialContent, r.status)
	require.Equal(t, "tail", r.body)
	require.Equal(t, "2", r.header.Get("X-Amz-Mp-Parts-Count"))
	require.Equal(t, fmt.Sprintf("bytes %d-%d/%d", minPartSize, minPartSize+3, minPartSize+4), r.header.Get("Content-Range"))
	require.NotEmpty(t, r.header.Get("X-Amz-Checksum-Crc32c"))
	require.Equal(t, "InvalidPartNumber", e.signed(t, "GET", "/"+b+"/key?partNumber=1", nil).code(t))
	require.Equal(t, "XMinioAdminInvalidArgument", e.signed(t, "GET", "/"+b+"/key?partNumber=0", nil).code(t))
	require.Equal(t, "InvalidRequest", e.signed(t, "GET", "/"+b+"/key?partNumber=7", nil, "Range", "bytes=0-1").code(t))

	attributes := func(header ...string) string {
		return e.signed(t, "GET", "/"+b+"/key?attributes", nil, append([]string{headerObjectAttributes, "ObjectParts"}, header...)...).body
	}
	require.Contains(t, attributes(), "<IsTruncated>false</IsTruncated>")
	first := attributes("X-Amz-Max-Parts", "1")
	require.Contains(t, first, "<IsTruncated>true</IsTruncated><MaxParts>1</MaxParts><NextPartNumberMarker>2<")
	require.Contains(t, attributes("X-Amz-Max-Parts", "1", "X-Amz-Part-Number-Marker", "2"), "<PartNumber>7</PartNumber><Size>4</Size><ChecksumCRC32C>")
	require.Contains(t, attributes("X-Amz-Max-Parts", "x"), "InvalidArgument")

	e.put(t, b, "whole", "data")
	r = e.signed(t, "GET", "/"+b+"/whole?partNumber=1", nil)
	require.Equal(t, http.StatusPartialContent, r.status)
	require.Equal(t, "data", r.body)
	require.Equal(t, "InvalidPartNumber", e.signed(t, "GET", "/"+b+"/whole?partNumber=2", nil).code(t))
}
