package s3

import (
	"encoding/xml"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/notification"
)

type copyResult struct {
	XMLName      xml.Name
	LastModified string
	ETag         string
	checksumXML
}

// copySource opens the object that x-amz-copy-source names, once the conditions
// on it hold.
func (q *request) copySource() (*os.File, *meta, string, error) {
	raw, query, _ := strings.Cut(q.r.Header.Get("X-Amz-Copy-Source"), "?")
	path, err := url.PathUnescape(raw)
	if err != nil {
		return nil, nil, "", errInvalidArgument.saying("Copy Source must mention the source bucket and key: sourcebucket/sourcekey.")
	}
	bucketName, key, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if bucketName == "" || key == "" {
		return nil, nil, "", errInvalidArgument.saying("Copy Source must mention the source bucket and key: sourcebucket/sourcekey.")
	}
	version := strings.TrimPrefix(query, "versionId=")
	if checkVersionID(version) != nil {
		return nil, nil, "", errNoSuchVersion
	}
	if err := checkKey(key); err != nil {
		return nil, nil, "", err
	}
	if err := q.allowVersion("s3:GetObject", bucketName, key, version); err != nil {
		return nil, nil, "", err
	}
	b, err := q.srv.st.bucket(bucketName)
	if err != nil {
		return nil, nil, "", err
	}
	f, m, err := q.openObject(b, key, version)
	if err != nil {
		return nil, nil, "", err
	}
	if version != "" {
		q.w.Header().Set(headerCopySourceVersionID, version)
	}
	if err := readCondition(q.r.Header, "X-Amz-Copy-Source-", m); err != nil {
		_ = f.Close()
		return nil, nil, "", err
	}
	return f, m, bucketName + "/" + key, nil
}

// copyObject copies within the server. The copy is a file of its own.
func (q *request) copyObject() error {
	if err := q.refuseHeaders(); err != nil {
		return err
	}
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	f, src, name, err := q.copySource()
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	m := &meta{Key: q.key, Headers: src.Headers, User: src.User}
	if m.Attributes, err = q.attributesOf(b, q.r.Header); err != nil {
		return err
	}
	replaced, err := q.replaces("Tagging", "tag")
	if err != nil {
		return err
	}
	if !replaced {
		m.Attributes.Tags = src.Attributes.Tags
	}
	if err := q.copyHeaders(m, name == q.bucket+"/"+q.key && !replaced); err != nil {
		return err
	}
	algorithm, _ := checksumByName(src.Checksum.Algorithm)
	if name := q.r.Header.Get(headerChecksumAlgorithm); name != "" {
		var ok bool
		if algorithm, ok = checksumByName(name); !ok {
			return errInvalidChecksum
		}
	}
	if !algorithm.IsSet() {
		algorithm = minio.ChecksumCRC64NVME
	}
	p := newPayload(io.NewSectionReader(f, 0, src.Size), src.Size, algorithm)
	c := change{check: q.writeCondition(), events: q.eventsFor(b, notification.ObjectCreatedCopy)}
	if err := q.store(b, p, m, c); err != nil {
		return err
	}
	q.setVersion(m.Version)
	m.Checksum.setHeaders(q.w.Header())
	q.setExpiration(b, m)
	q.w.Header().Set("ETag", quote(m.ETag))
	return q.writeXML(copyResult{
		XMLName:      xml.Name{Space: xmlNamespace, Local: "CopyObjectResult"},
		LastModified: xmlTime(m.Modified), ETag: quote(m.ETag),
	})
}

// replaces tells what a directive, such as X-Amz-Tagging-Directive, asks for: to
// replace what the source has, or else to copy it.
func (q *request) replaces(name, what string) (bool, error) {
	switch q.r.Header.Get("X-Amz-" + name + "-Directive") {
	case "", "COPY":
		return false, nil
	case "REPLACE":
		return true, nil
	}
	return false, errInvalidArgument.saying("Unknown %s directive.", what)
}

// copyHeaders gives m, which has the headers of the source, those that the copy
// asks for. A copy onto itself has to change something.
func (q *request) copyHeaders(m *meta, toItself bool) error {
	replaced, err := q.replaces("Metadata", "metadata")
	if err != nil {
		return err
	}
	if replaced {
		m.Headers, m.User, err = objectHeaders(q.r.Header)
		return err
	}
	class := q.r.Header.Get(headerStorageClass)
	if toItself && class == "" && q.w.Header().Get(headerCopySourceVersionID) == "" {
		return errInvalidRequest.saying("This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
	}
	if class == "" {
		return nil
	}
	asked, _, err := objectHeaders(http.Header{headerStorageClass: {class}})
	if err != nil {
		return err
	}
	m.Headers = maps.Clone(m.Headers)
	delete(m.Headers, headerStorageClass)
	if v := asked[headerStorageClass]; v != "" {
		m.Headers[headerStorageClass] = v
	}
	return nil
}

// copyPart uploads a part from an object that is already here.
func (q *request) copyPart(u *upload, number int) error {
	f, src, _, err := q.copySource()
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	start, length := int64(0), src.Size
	if header := q.r.Header.Get("X-Amz-Copy-Source-Range"); header != "" {
		var partial bool
		start, length, partial, err = parseRange(header, src.Size)
		if err != nil {
			return err
		}
		_, last, _ := strings.Cut(header, "-")
		if end, perr := parseOffset(last); !partial || perr != nil || end >= src.Size {
			return errInvalidArgument.saying("The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy")
		}
	}
	algorithm := minio.ChecksumNone
	if t, ok := checksumByName(u.Algorithm); ok {
		algorithm = t
	}
	m, err := q.storePart(u, number, newPayload(io.NewSectionReader(f, start, length), length, algorithm))
	if err != nil {
		return err
	}
	return q.writeXML(copyResult{
		XMLName:      xml.Name{Space: xmlNamespace, Local: "CopyPartResult"},
		LastModified: xmlTime(m.Modified), ETag: quote(m.ETag), checksumXML: m.Checksum.xml(),
	})
}
